"""A replay after an erasure: equal to what was said before it, and what is not equal is still found."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from services.chassis.message import Outgoing
from services.ingestion.contracts.answers import Speaker
from services.ingestion.contracts.recalling import NO_SEAL, Recaller, sealed_texts
from services.ingestion.contracts.sealing import SEALED, Sealer, sealed
from services.ingestion.domain.person import PersonKey
from services.ingestion.domain.record import Record
from services.ingestion.domain.submission import RecordKey, Submission, record_key
from services.ingestion.handlers.records import Records
from services.ingestion.store.history import Standing
from tests.support import driver
from tests.support.local_schemas import LocalSchemas
from tests.unit.ingestion import persons, samples
from tests.unit.ingestion.test_records import outcome
from tests.unit.ingestion.test_sealing import GONE, KEY, LIVE, SUBJECT, EmptyStore, Keys, decoded

SCHEMAS = LocalSchemas()
LANE = ("credit.submit.420000-hbt.v1", 2)
LATER, LAST = (samples.PRODUCED + timedelta(minutes=n) for n in (5, 9))
OTHER = {"phone": "02700000002"}


class Store:
    """One run of the aggregate, a turn for each submission: what it said, and the records as they stand."""

    def __init__(self, sealer: Sealer) -> None:
        self.sealer = sealer
        self.turns = dict[int, list[Outgoing]]()
        self.states = dict[Any, Record]()
        self.outcomes = list[str]()

    async def run(self, given: Sequence[Submission]) -> Store:
        for number, one in enumerate(given, 1 + len(self.turns)):
            aggregate = Records(Speaker(SCHEMAS), sealer=self.sealer)
            at = one._replace(origin=one.origin._replace(now=number))
            await aggregate.load(EmptyStore(), [at])  # type: ignore[arg-type] # all that is asked of a store here
            ((event,),) = driver.run(aggregate, [at], self.states)
            self.turns[number] = list(aggregate.announce(event, at))
            self.outcomes.append(outcome(event))
        return self

    async def said(self, topic: str, partition: int, at_ms: int) -> Sequence[Outgoing]:
        assert (topic, partition) == LANE
        return self.turns[at_ms]

    async def standing(self, key: RecordKey) -> Standing | None:
        found = self.states.get(key)
        return found and Standing(found.version, found.content)


def submissions(*changes: dict[str, Any]) -> list[Submission]:
    """Of one record and one person, each with an id of its own unless it names one."""
    return [
        persons.read(persons.record(c.get("payload"), **{"submission_id": f"s-{n}"} | _envelope(c)))
        for n, c in enumerate(changes)
    ]


def _envelope(change: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in change.items() if name != "payload"}


CORRECT = {"action": "correct", "produced_at": LATER, "payload": OTHER}
BACK = {"action": "correct", "produced_at": LAST}
HISTORY = [
    {},
    {},  # the same again: known by its content
    {"payload": OTHER},  # another content under the same number
    {"submission_id": "s-0"},  # known by its id
    CORRECT,
    CORRECT,
    BACK,  # as it was first
    {"produced_at": LAST},
    {"action": "withdraw", "produced_at": LAST},
    {"action": "withdraw", "produced_at": LAST},
]
OUTCOMES = "report 1,DUPLICATE,RECORD_NO_REUSED,DUPLICATE,correct 2,DUPLICATE,correct 3,DUPLICATE,withdraw 4"


async def replayed(live: Store, given: Sequence[Submission], known: PersonKey = GONE) -> tuple[Store, Recaller]:
    recaller, sealer = Recaller(SCHEMAS.decode, live), Sealer(Keys(known).ask)
    sealer.recall = recaller.recall
    return await Store(sealer).run(given), recaller


async def _live(given: Sequence[Submission]) -> Store:
    return await Store(Sealer(Keys(LIVE).ask)).run(given)


@pytest.mark.parametrize("length", range(1, len(HISTORY) + 1))
async def test_a_replay_after_an_erasure_says_and_holds_the_same(length: int) -> None:
    given = submissions(*HISTORY[:length])
    live = await _live(given)
    assert live.outcomes == [*OUTCOMES.split(","), "ALREADY_WITHDRAWN"][:length]
    again, recaller = await replayed(live, given)
    assert (again.turns, again.states) == (live.turns, live.states)
    assert recaller.counted() == {"submissions of erased persons": length}


async def test_nothing_is_recalled_while_the_key_is_there() -> None:
    given = submissions(*HISTORY)
    live = await _live(given)
    again, recaller = await replayed(live, given, LIVE)
    assert (again.turns, again.states) == (live.turns, live.states)
    assert recaller.counted() == {"submissions of erased persons": 0}


async def test_what_came_after_the_erasure_is_refused_again() -> None:
    before, after = submissions({}), submissions({"record_no": "r-2"}, {"record_no": "r-3"})
    live = await _live(before)
    live.sealer = Sealer(Keys(GONE).ask)
    await live.run(after)
    assert live.outcomes == ["report 1", "SUBJECT_ERASED", "SUBJECT_ERASED"]
    again, recaller = await replayed(live, [*before, *after])
    assert (again.turns, again.states) == (live.turns, live.states)
    assert recaller.counted() == {"submissions of erased persons": 1}


async def test_without_the_journal_the_replay_of_an_erased_person_differs() -> None:
    given = submissions({})
    live = await _live(given)
    assert (await Store(Sealer(Keys(GONE).ask)).run(given)).turns != live.turns


@pytest.mark.parametrize(
    "change",
    [
        {"payload": {"title": "演示别的奖"}},  # a field that is not sealed
        {"payload": {"contact": "演示路十一号"}},  # sealed, and of another length
        {"payload": {"phone": None}},  # not there at all
        {"decided_on": samples.DECIDED - timedelta(days=1)},
        {"source_unit": "演示科"},
        {"subject_name": "演示某", "payload": {"holder": "演示某"}},
    ],
)
async def test_a_journal_that_says_something_else_of_the_erased_is_found(change: dict[str, Any]) -> None:
    live = await _live(submissions(change))
    again, _ = await replayed(live, submissions({}))
    assert live.outcomes == again.outcomes == ["report 1"]
    assert again.turns != live.turns


async def test_a_journal_that_names_another_person_is_found() -> None:
    given = submissions({})
    live = await _live(given)
    again, _ = await replayed(live, given, PersonKey(bytes(16), None))
    assert again.turns != live.turns


async def test_a_record_that_the_journal_does_not_hold_is_no_plain_text() -> None:
    given = submissions({})
    live = await _live(given)
    live.turns[1] = [event for event in live.turns[1] if event.topic != "credit.ingestion.record.v1"]
    again, _ = await replayed(live, given)
    assert again.turns != live.turns
    assert persons.NAME.encode() not in repr(again.turns).encode() + b"".join(e.value for e in again.turns[1])


def test_a_text_is_taken_for_its_own_field_only() -> None:
    (given,) = submissions({})
    found = sealed(given, given.ahead, PersonKey(SUBJECT, KEY))
    assert record_key(found) == record_key(given)
    text = sealed_texts(persons.register().edition(persons.SCHEMA_ID), found.value)  # type: ignore[arg-type]
    assert text("phone", persons.PHONE) == decoded(_Framed(found.value))["payload"]["phone"]
    assert text("phone", persons.PHONE).startswith(SEALED)
    assert [text("title", "演示奖"), text("nothing", ""), text("phone", "1")] == [NO_SEAL] * 3


class _Framed:
    """As an event holds it."""

    def __init__(self, submission: bytes) -> None:
        self.submission = submission
