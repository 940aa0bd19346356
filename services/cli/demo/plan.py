"""What will be published, and what ought to come of each submission."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from deploy.local.faults import StackFault
from services.cli.catalogue import Item
from services.cli.demo.agencies import AGENCIES, REGISTRAR
from services.cli.intake.rows import Sender, maker
from services.cli.intake.tables import look_through
from services.cli.synthetic.records import Draft, drafts, organisations
from services.cli.synthetic.registrations import registrations
from services.kernel import money, uscc

REGISTRATION = "enterprise-registration"
ORGANISATIONS = 300
SEED = 20170410
GARBAGE = 10  # messages of each agency that are no submission at all
USCC_FAULTS = {"PLACEHOLDER": "SUBJECT_CODE_PLACEHOLDER", "CHECK_DIGIT": "SUBJECT_CODE_CHECK_DIGIT"}


class Planned(NamedTuple):
    """One message: a record to encode, or bytes. `expect` is ACCEPTED, DUPLICATE or REFUSED, `codes` why."""

    agency: str
    key: str
    item: str
    record: Mapping[str, Any] | None
    value: bytes
    expect: str
    codes: frozenset[str]


class Run(NamedTuple):
    """The number of this run on this stack, which keeps its record numbers apart from earlier ones; and its moment."""

    number: int
    at_ms: int

    @property
    def mark(self) -> str:
        return f"demo{self.number}"


def synthetic(run: Run) -> Iterator[Planned]:
    """Permits, penalties, lists and all else about synthetic organisations, in an order that respects what they say."""
    for number, draft in enumerate(drafts(SEED, organisations(SEED, ORGANISATIONS))):
        record = _record(run, number, draft)
        yield Planned(draft.agency, record["record_no"], draft.item, record, b"", draft.expect, _codes(draft))


def _codes(draft: Draft) -> frozenset[str]:
    return frozenset({draft.expect_code} - {""})


def _record(run: Run, number: int, draft: Draft) -> dict[str, Any]:
    return {
        "submission_id": f"{run.mark}-{number}",
        "item": draft.item,
        "agency": draft.agency,
        "source_unit": "",
        "action": draft.action,
        "record_no": f"{run.mark}-{draft.record_no}",
        "subject_kind": draft.subject_kind,
        "subject_code_kind": draft.subject_code_kind,
        "subject_code": draft.subject_code,
        "subject_name": draft.subject_name,
        "decided_on": draft.decided_on,
        "produced_at": run.at_ms + number,
        "payload": draft.payload,
    }


def garbage(run: Run) -> Iterator[Planned]:
    """Bytes that are no submission: each is answered all the same."""
    chance = random.Random(SEED)  # noqa: S311 - repeatable on purpose
    for agency in AGENCIES:
        for number in range(GARBAGE):
            value = bytes([1 + chance.randrange(255)]) + chance.randbytes(chance.randrange(200))
            yield Planned(agency, f"{run.mark}-garbage{number}", "", None, value, "REFUSED", frozenset({"UNDECODABLE"}))


def registered(run: Run, item: Item, rows: Iterable[Mapping[str, str]]) -> Iterator[Planned]:
    """Rows of the public register; what ought to come of each follows from its code and its capital alone."""
    listed = list(rows)
    header = ("record_no", *(listed[0] if listed else ()))
    make = maker(item, header, Sender(REGISTRAR, f"{run.mark}-reg", run.at_ms)).make
    for number, row in enumerate(listed):
        record = make(number, (f"{run.mark}-reg{number}", *row.values())).record
        codes = frozenset(_wrong(row))
        expect = "REFUSED" if codes else "ACCEPTED"
        yield Planned(REGISTRAR, record["record_no"], REGISTRATION, record, b"", expect, codes)


def _wrong(row: Mapping[str, str]) -> Iterator[str]:
    fault = uscc.check(row["统一社会信用代码"]).fault
    if fault:
        yield USCC_FAULTS.get(fault, "SUBJECT_CODE_FORMAT")
    if row["注册资金"] != "N/A" and money.capital(row["注册资金"]) is None:
        yield "FIELD_FORMAT"


def rows_of(data: Path | None, count: int) -> list[dict[str, str]]:
    """The register's rows in a folder (its .csv.gz files, else its .csv files), or generated ones."""
    if data is None:
        return list(registrations(SEED, count))
    found = sorted(data.glob("*.csv.gz")) or sorted(data.glob("*.csv"))
    if not found:
        raise StackFault(f"{data} holds no .csv or .csv.gz file: give the folder of the registrations")
    return [row for file in found for row in _rows(file)]


def _rows(file: Path) -> Iterator[dict[str, str]]:
    table = look_through(file)
    return (dict(zip(table.header, cells, strict=False)) for _, cells in table.lines())
