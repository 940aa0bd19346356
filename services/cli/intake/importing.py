"""One import: the file is looked through, sent row by row, its receipts are awaited, the answers written beside it."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from rich.progress import Progress

from deploy.local.faults import StackFault
from deploy.local.layout import Layout
from services.cli import catalogue
from services.cli.intake import answers
from services.cli.intake.faults import RowFault, cell_fault
from services.cli.intake.header import Columns, understand
from services.cli.intake.journal import Journal, run_of
from services.cli.intake.rows import Made, Maker, Sender
from services.cli.intake.spool import Spool
from services.cli.intake.tables import Table, look_through
from services.cli.outsider import Reader, Registry, settings
from services.cli.progress import bars
from services.cli.publishing import Submitter, TooLarge

STEP = 5_000  # rows between two places where an interrupted import is taken up
PATIENCE_S = 60.0  # without any receipt


class Wish(NamedTuple):
    """What was asked for on the command line."""

    file: Path
    agency: str
    item: str
    shape: str
    constants: Mapping[str, str]
    wait: bool
    again: bool


def whole(layout: Layout, wish: Wish, clock_ms: Callable[[], int], quiet: bool) -> dict[str, Any]:
    """The report of one import; raises `StackFault` for what keeps it from ending, all that was done being kept."""
    began = time.monotonic()
    item, registry = catalogue.one(layout, wish.item), Registry(layout)
    door = Submitter(layout, registry, wish.agency)
    table = look_through(wish.file)
    columns = understand(item, table.header, wish.shape)
    wishes = {**wish.constants, "--shape": wish.shape}
    run = run_of(table.digest, wish.agency, wish.item, wishes, _secret(layout, wish.agency, item))
    spool = Spool()
    with Journal(wish.file, run) as journal, Reader(layout, wish.agency) as reader, bars(quiet) as progress:
        topic = f"credit.receipts.{wish.agency}.v1"
        if wish.again or not journal.at_ms:
            journal.begin(clock_ms(), reader.ends([topic]))
        maker = Maker(item, columns, Sender(wish.agency, run, journal.at_ms), wish.constants)
        sending = Sending(table, maker, spool, journal, door)
        sending.send(item, progress)
        sent_at = time.monotonic()
        left = (
            hear(reader, registry, [topic], journal, spool, progress) if wish.wait else spool.outcomes()["UNANSWERED"]
        )
        path = answers.write(table, spool)
        if not left:
            journal.finish()
    seconds = {"sending": sent_at - began, "all": time.monotonic() - began}
    return _report(wish, run, columns, table, spool, path, seconds)


class Sending:
    """The rows of a table on their way to the topic."""

    def __init__(self, table: Table, maker: Maker, spool: Spool, journal: Journal, door: Submitter) -> None:
        self._table = table
        self._maker = maker
        self._spool = spool
        self._journal = journal
        self._door = door
        self._last = 0

    def send(self, item: catalogue.Item, progress: Progress) -> None:
        """Every row that an earlier call has not sent; an interruption keeps what is on its way."""
        task = progress.add_task("send", total=self._table.rows)
        try:
            for number, cells in self._table.lines():
                self._one(item, number, cells)
                self._last = number
                if number % STEP == 0:
                    self._settle()
                    progress.update(task, completed=number)
            self._settle()
            progress.update(task, completed=self._table.rows)
        except KeyboardInterrupt:
            self._settle()
            raise StackFault(
                f"interrupted: rows up to {self._journal.rows} of {self._table.rows + 1} are sent; "
                "the same command goes on there"
            ) from None

    def _settle(self) -> None:
        """What was published so far is acknowledged, and noted as such."""
        self._door.finish()
        if self._last > self._journal.rows:
            self._journal.acknowledge(self._last)

    def _one(self, item: catalogue.Item, number: int, cells: list[str]) -> None:
        try:
            made = self._maker.make(number, cells)
            self._know(number, made)
            if number > self._journal.rows:
                self._door.publish(item, made.record)
            self._spool.sent(number)
        except RowFault as fault:
            self._spool.not_sent(number, fault.faults)
        except TooLarge:
            self._spool.not_sent(number, [cell_fault("ROW_TOO_LARGE", "")])

    def _know(self, number: int, made: Made) -> None:
        """Raises `RowFault` for a decision that an earlier row says under another number."""
        if not made.business_key:
            return
        first = self._spool.known_under(made.business_key, made.record["record_no"], number)
        if first is not None:
            raise RowFault((cell_fault("BUSINESS_KEY_TWICE", "record_no", line=first),))


def _secret(layout: Layout, agency: str, item: catalogue.Item) -> bytes:
    """Of persons the name of a run, which receipts carry on, is made with the agency's own password."""
    return str(settings(layout, agency)["sasl.password"]).encode() if item.about_persons else b""


def hear(
    reader: Reader, registry: Registry, topics: list[str], journal: Journal, spool: Spool, progress: Progress
) -> int:
    """Take down the receipts of this run until every row has its final one or none comes for a minute.

    Returns how many rows have none.
    """
    awaited = spool.outcomes()["UNANSWERED"]
    task, left, prefix = progress.add_task("answers", total=awaited), awaited, f"{journal.run}-"
    if not left:
        return 0
    try:
        for message in reader.follow(topics, journal.since, PATIENCE_S):
            receipt = registry.decode(message.value() or b"")
            row = receipt["submission_id"].removeprefix(prefix)
            if receipt["submission_id"].startswith(prefix) and row.isdecimal() and spool.answered(int(row), receipt):
                left -= 1
                progress.update(task, completed=awaited - left)
            if not left:
                break
    except KeyboardInterrupt:
        raise StackFault(
            f"interrupted: everything is sent, {left} answers were not yet read; the same command goes on there"
        ) from None
    return left


def _report(
    wish: Wish, run: str, columns: Columns, table: Table, spool: Spool, path: Path, seconds: Mapping[str, float]
) -> dict[str, Any]:
    outcomes = spool.outcomes()
    return {
        "run": run,
        "agency": wish.agency,
        "item": wish.item,
        "shape": columns.shape,
        "encoding": table.encoding,
        "ignored_columns": list(columns.ignored),
        "rows": sum(outcomes.values()),
        "outcomes": dict(sorted(outcomes.items())),
        "faults": dict(sorted(spool.codes().items())),
        "notes": dict(sorted(spool.notes().items())),
        "answers": str(path),
        "seconds_sending": round(seconds["sending"], 2),
        "seconds": round(seconds["all"], 2),
        "rows_per_second": round(sum(outcomes.values()) / max(seconds["all"], 1e-6)),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
