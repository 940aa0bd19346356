"""A withdrawal stands where the record stood; a version whose edition is not here waits, and nothing else does."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from services.chassis.schemas import Schemas
from services.disclosure.contracts import changes
from services.disclosure.domain.events import RecordStands, RecordWaits, Standing
from tests.support.fake_registry import FakeRegistry
from tests.unit.disclosure.samples import AT_MS, JIA, RECORD, YI, on, seen, tell


@pytest.fixture
async def schemas() -> AsyncGenerator[Schemas]:
    async with FakeRegistry() as registry, Schemas(registry.url) as opened:
        await opened.register_all()
        yield opened


def test_a_withdrawal_that_names_another_subject_leaves_the_record_with_its_own() -> None:
    file, _ = tell(seen(), seen(2, action="withdraw", subject_id=YI))
    assert file.records[RECORD] == Standing(RECORD, 2, JIA, withdrawn=True)


def test_a_withdrawal_does_not_wait_for_an_edition() -> None:
    _, said = tell(seen()._replace(shown=None), seen(2, action="withdraw"))
    assert [type(event) for event in said] == [RecordWaits, RecordStands]


def test_what_nobody_may_have_does_not_wait_for_an_edition() -> None:
    _, said = tell(seen(feeds=()))
    assert said == [RecordStands(Standing(RECORD, 1, JIA), AT_MS + 1)]


def test_when_the_edition_is_here_the_version_that_waited_is_told() -> None:
    file, _ = tell(seen()._replace(shown=None))
    _, said = tell(seen(), file=file)
    assert [change.change for change in on("public", said)] == ["ADDED"]


def test_nothing_follows_a_withdrawal_that_comes_first() -> None:
    file, said = tell(seen(2, action="withdraw"))
    assert said == [RecordStands(Standing(RECORD, 2, JIA, withdrawn=True), AT_MS + 2)]
    assert tell(seen(1), seen(3, action="correct"), file=file)[1] == []


@pytest.mark.parametrize(
    ("version_two", "reason"),
    [
        (seen(2, action="withdraw"), "BY_AGENCY"),
        (seen(2, action="correct", subject_id=YI), "SUBJECT_CORRECTED"),
        (seen(2, action="correct", feeds=("government",)), "NO_LONGER_SHARED"),
    ],
    ids=["withdrawn", "moved", "hidden"],
)
def test_the_reason_is_in_the_message(schemas: Schemas, version_two: object, reason: str) -> None:
    _, said = tell(seen(fields={"A": "1"}), version_two)  # type: ignore[arg-type] # a version, as `seen` makes it
    (withdrawn,) = [change for change in on("public", said) if change.change == "WITHDRAWN"]
    _, record = schemas.decode(changes.record_changed(schemas, withdrawn).value)
    assert (record["subject_id"], record["reason"]) == (JIA, reason)
    assert (record["before"], record["after"]) == ({"A": "1"}, None)
