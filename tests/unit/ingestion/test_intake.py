"""Whether an item takes what is sent: closed, not yet or no longer in force, retired; by both readers."""

from __future__ import annotations

from typing import Any

import pytest

from services.chassis.message import Moment
from services.ingestion.config import Config
from services.ingestion.contracts.answers import Speaker
from services.ingestion.contracts.batch_reader import BatchReader
from services.ingestion.contracts.program import TABLE_VERSION
from services.ingestion.contracts.register import Register
from services.ingestion.contracts.submissions import SubmissionReader
from services.ingestion.domain.reference import AgencyRow, EditionRow, Reference
from services.ingestion.domain.wishes import canonical
from services.ingestion.native import load
from tests.support.local_schemas import LocalSchemas
from tests.unit.ingestion import samples

ITEM, AGENCY = "black-list-tax", "420000-gsui"
DAY_MS = 86_400_000
TOLERANCE = Config.from_environment({"CREDIT_IDENTITY_GRPC": "127.0.0.1:1"}).tolerance_ms
NATIVE, _ = load({}, TABLE_VERSION)


def register(retired: bool = False, **changes: Any) -> Register:
    definition = dict(samples.SHIPPED[ITEM].definition) | changes
    known = Register()
    row = EditionRow(ITEM, 1, canonical(definition), samples.SCHEMA_IDS[ITEM])
    known.fill(Reference(1, (AgencyRow(AGENCY, (ITEM,)),), (row,), frozenset([ITEM] if retired else [])))
    return known


def answers(known: Register, action: str = "report", now: Moment = samples.NOW) -> list[tuple[str, str]]:
    """The faults; and the native reader, where it is built, takes nothing that has one."""
    sent = samples.sent(samples.record(ITEM, action=action), agency=AGENCY)
    read = SubmissionReader(known, TOLERANCE).read(sent, now)
    if NATIVE is not None:
        (certain,) = BatchReader(NATIVE, known, Speaker(LocalSchemas()), TOLERANCE).read_many([sent], now)
        assert certain is None or not read.faults
    return [(fault.code, fault.field) for fault in read.faults]


@pytest.mark.parametrize("action", ["report", "correct", "withdraw"])
def test_an_open_item_takes_everything(action: str) -> None:
    assert answers(register(), action) == []


@pytest.mark.parametrize(
    ("action", "refused"), [("report", [("ITEM_RETIRED", "item")]), ("correct", []), ("withdraw", [])]
)
def test_a_retired_item_takes_corrections_and_withdrawals_only(action: str, refused: list[tuple[str, str]]) -> None:
    assert answers(register(retired=True), action) == refused


@pytest.mark.parametrize("action", ["report", "correct", "withdraw"])
def test_a_closed_item_takes_nothing(action: str) -> None:
    assert answers(register(intake="closed"), action) == [("ITEM_NOT_OPEN", "item")]


@pytest.mark.parametrize(
    ("changes", "action", "refused"),
    [
        ({"in_force_from": "2017-09-29"}, "report", []),
        ({"in_force_from": "2017-09-30"}, "report", [("ITEM_NOT_IN_FORCE", "item")]),
        ({"in_force_from": "2017-09-30"}, "correct", []),
        ({"until": "2017-09-29"}, "report", []),
        ({"until": "2017-09-28"}, "report", [("ITEM_NOT_IN_FORCE", "item")]),
        ({"until": "2017-09-28"}, "withdraw", []),
    ],
)
def test_an_edition_takes_reports_from_its_first_day_to_its_last(
    changes: dict[str, Any], action: str, refused: list[tuple[str, str]]
) -> None:
    """Days are those of China: NOW is noon of 2017-09-29 there."""
    assert answers(register(**changes), action) == refused


def test_an_edition_that_ends_while_everything_runs_is_not_taken_by_what_was_made_before() -> None:
    known = register(until="2017-09-29")
    assert answers(known) == []
    assert answers(known, now=Moment(samples.NOW.now_ms + DAY_MS)) == [("ITEM_NOT_IN_FORCE", "item")]


@pytest.mark.skipif(NATIVE is None, reason="needs the native reader")
def test_the_native_reader_takes_items_without_an_end() -> None:
    reader = BatchReader(NATIVE, register(), Speaker(LocalSchemas()), TOLERANCE)  # pyright: ignore[reportArgumentType]
    (certain,) = reader.read_many([samples.sent(samples.record(ITEM), agency=AGENCY)], samples.NOW)
    assert certain is not None


@pytest.mark.parametrize("item", [code for code, s in samples.SHIPPED.items() if s.item.standing.intake == "closed"])
def test_nothing_about_a_person_is_taken(item: str) -> None:
    record = samples.record(
        item, subject_kind="person", subject_code_kind="resident_id", subject_code="420106190003070015"
    )
    assert "ITEM_NOT_OPEN" in {fault.code for fault in samples.read(record).faults}
