"""One import from end to end, with a broker that takes and answers what it is told to: places, doubles, answers."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from deploy.local.faults import StackFault
from deploy.local.layout import Layout
from services.cli import catalogue
from services.cli.app import (
    COMMANDS,
    _load,  # pyright: ignore[reportPrivateUsage]
)
from services.cli.intake import importing
from services.cli.intake.importing import Wish
from services.cli.publishing import TooLarge
from tests.unit.cli.intake_items import PENALTY_2018, item

LAYOUT = Layout(Path("/nowhere"), 19000, Path("/nowhere"))
AGENCY = "420000-hbt"


class Broker:
    """A submit topic and its receipts, kept as lists; `stop_at` interrupts like Ctrl-C, `silent` answers nothing."""

    def __init__(self) -> None:
        self.queued: list[Mapping[str, Any]] = []
        self.topic: list[Mapping[str, Any]] = []
        self.receipts: list[bytes] = []
        self.stop_at = -1
        self.silent = False

    def publish(self, item: object, record: Mapping[str, Any]) -> None:
        if len(self.topic) + len(self.queued) == self.stop_at:
            self.stop_at = -1
            raise KeyboardInterrupt
        if record["payload"]["CF_SY"] == "huge":
            raise TooLarge
        self.queued.append(record)

    def finish(self) -> None:
        seen = {record["submission_id"] for record in self.topic}
        for record in self.queued:
            outcome = "DUPLICATE" if record["submission_id"] in seen else "ACCEPTED"
            faults: list[Any] = []
            if record["payload"]["CF_NR"] == "":
                outcome, names = "REFUSED", ("code", "field", "rule", "clause", "message_zh", "message_en", "example")
                faults = [dict.fromkeys(names, "") | {"code": "FIELD_MISSING", "field": "CF_NR"}]
            said = {"submission_id": record["submission_id"], "outcome": outcome, "faults": faults}
            self.receipts += [] if self.silent else [json.dumps(said).encode()]
        self.topic += self.queued
        self.queued = []


class Message:
    def __init__(self, value: bytes) -> None:
        self._value = value

    def value(self) -> bytes:
        return self._value


class Listener:
    """What `Reader` is to an import."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def ends(self, topics: list[str]) -> dict[tuple[str, int], int]:
        return {(topics[0], 0): len(self._broker.receipts)}

    def follow(self, topics: list[str], since: Mapping[Any, int], seconds: float) -> Iterator[Message]:
        yield from map(Message, self._broker.receipts[since[topics[0], 0] :])


class Decoder:
    def decode(self, value: bytes) -> Any:
        return json.loads(value)


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    made = Broker()
    monkeypatch.setattr(catalogue, "one", lambda layout, code: item(code))
    monkeypatch.setattr(importing, "Registry", lambda layout: Decoder())
    monkeypatch.setattr(importing, "Submitter", lambda layout, registry, agency: made)
    monkeypatch.setattr(importing, "Reader", lambda layout, agency: Listener(made))
    monkeypatch.setattr(importing, "STEP", 3)
    return made


def rows(folder: Path, count: int, **changed: dict[int, str]) -> Path:
    """Penalties 1 to `count`; `CF_NR={2: ""}` changes a cell of row 2, the first one."""
    file = folder / "rows.csv"
    lines = [{**PENALTY_2018, "CF_WSH": f"演罚〔2018〕{n}号"} for n in range(1, count + 1)]
    for name, texts in changed.items():
        for row, text in texts.items():
            lines[row - 2] = {**lines[row - 2], name: text}
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([lines[0].keys(), *(line.values() for line in lines)])
    return file


def run(file: Path, **wishes: Any) -> dict[str, Any]:
    wish = Wish(file, AGENCY, "org-penalty", "", {}, True, False)._replace(**wishes)
    return importing.whole(LAYOUT, wish, lambda: 1_500_000_000_000, quiet=True)


def test_every_row_has_its_answer_and_the_reasons_are_counted(broker: Broker, tmp_path: Path) -> None:
    found = run(rows(tmp_path, 8, CF_NR={3: ""}, CF_JDRQ={5: "去年"}, CF_SY={6: "huge"}))
    assert found["outcomes"] == {"ACCEPTED": 5, "NOT_SENT": 2, "REFUSED": 1}
    assert found["faults"] == {"CELL_DATE": 1, "FIELD_MISSING": 1, "ROW_TOO_LARGE": 1}
    assert (found["shape"], found["ignored_columns"]) == ("2018", [])
    with Path(found["answers"]).open(encoding="utf-8-sig", newline="") as stream:
        told = {n: (row["outcome"], row["code"]) for n, row in enumerate(csv.DictReader(stream), 2)}
    assert {n: answer for n, answer in told.items() if answer != ("ACCEPTED", "")} == {
        3: ("REFUSED", "FIELD_MISSING"), 5: ("NOT_SENT", "CELL_DATE"), 6: ("NOT_SENT", "ROW_TOO_LARGE"),
    }  # fmt: skip


@pytest.mark.parametrize("stop_at", range(8))
def test_wherever_it_is_interrupted_it_goes_on_there_and_doubles_nothing(
    broker: Broker, tmp_path: Path, stop_at: int
) -> None:
    file, broker.stop_at = rows(tmp_path, 8), stop_at
    with pytest.raises(StackFault, match="the same command goes on there"):
        run(file)
    assert len(broker.topic) == stop_at  # what was on its way has arrived
    assert run(file)["outcomes"] == {"ACCEPTED": 8}
    assert len({record["submission_id"] for record in broker.topic}) == len(broker.topic) == 8


def test_what_a_killed_call_had_sent_beyond_its_journal_counts_once(broker: Broker, tmp_path: Path) -> None:
    file = rows(tmp_path, 8)
    run(file, wait=False)
    journal = tmp_path / "rows.csv.import"
    said = json.loads(journal.read_text())
    assert (said["rows"], said["done"]) == (9, False)
    journal.write_text(json.dumps(said | {"rows": 4}) + "\n")  # as a kill leaves it
    assert run(file)["outcomes"] == {"ACCEPTED": 8}
    assert len(broker.topic) == 13


def test_the_same_command_again_only_reads(broker: Broker, tmp_path: Path) -> None:
    file = rows(tmp_path, 4)
    assert run(file) | {"seconds": 0} != {}
    assert run(file)["outcomes"] == {"ACCEPTED": 4}
    assert len(broker.topic) == 4
    assert run(file, again=True)["outcomes"] == {"DUPLICATE": 4}


def test_rows_without_an_answer_are_told_so_and_the_journal_stays_open(broker: Broker, tmp_path: Path) -> None:
    file, broker.silent = rows(tmp_path, 2), True
    assert run(file)["outcomes"] == {"UNANSWERED": 2}
    assert not json.loads((tmp_path / "rows.csv.import").read_text())["done"]


def test_one_decision_under_two_numbers_is_sent_once(broker: Broker, tmp_path: Path) -> None:
    numbers = {2: "a", 3: "b", 4: "c"}
    file = rows(tmp_path, 3, CF_WSH={2: "演罚〔2018〕1号", 3: "演罚[2018] 1号", 4: "演罚〔2018〕2号"})
    lines = file.read_text(encoding="utf-8").splitlines()
    numbered = ["record_no," + lines[0], *(f"{numbers[n]},{line}" for n, line in enumerate(lines[1:], 2))]
    file.write_text("\n".join(numbered), encoding="utf-8")
    found = run(file)
    assert found["outcomes"] == {"ACCEPTED": 2, "NOT_SENT": 1}
    assert found["faults"] == {"BUSINESS_KEY_TWICE": 1}


def test_another_content_under_the_name_of_an_unfinished_import_is_refused(broker: Broker, tmp_path: Path) -> None:
    broker.stop_at = 4
    with pytest.raises(StackFault, match="interrupted"):
        run(rows(tmp_path, 8))
    with pytest.raises(StackFault, match="other content"):
        run(rows(tmp_path, 7))


def invoked(*words: str) -> Any:
    return CliRunner().invoke(
        _load("import", COMMANDS["import"]), [*words, "--agency", AGENCY, "--item", "org-penalty"]
    )


def test_the_exit_code_says_whether_every_row_was_taken(broker: Broker, tmp_path: Path) -> None:
    assert invoked(str(rows(tmp_path, 2)), "--json").exit_code == 0
    refused = invoked(str(rows(tmp_path, 2, CF_NR={2: ""})), "--json")
    assert refused.exit_code == 1
    assert json.loads(refused.stdout)["outcomes"] == {"ACCEPTED": 1, "REFUSED": 1}
    assert invoked(str(rows(tmp_path, 2)), "--no-wait").exit_code == 0
    assert invoked(str(rows(tmp_path, 2)), "--set", "nonsense").exit_code == 2


def test_a_person_is_told_counts_reasons_and_where_the_answers_are(broker: Broker, tmp_path: Path) -> None:
    told = invoked(str(rows(tmp_path, 3, CF_NR={2: ""}))).stdout
    assert "field set 2018" in told and "fault FIELD_MISSING" in told and "rows.answers.csv" in told
