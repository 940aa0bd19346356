"""A person is erased: what was shown is withdrawn without being said again, and what comes later is never shown."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import Any, cast

import fastavro
import pytest

from services.chassis.message import Message, Moment
from services.chassis.wire import unframe
from services.disclosure.contracts import changes
from services.disclosure.contracts.records import RecordReader
from services.disclosure.contracts.reference import SUBJECT, Catalogue
from services.disclosure.domain.events import (
    BLANK,
    CardChanged,
    Event,
    FileErased,
    PersonErased,
    RecordChanged,
    RecordStands,
    Standing,
)
from services.disclosure.domain.inputs import Input, LinkMoved, RecordSeen, SubjectErased
from services.disclosure.domain.subject_card import SubjectCard, SubjectSeen
from services.disclosure.domain.subject_card import decide as decide_card
from services.disclosure.handlers import handlers
from services.disclosure.handlers.reference import ERASURE
from services.disclosure.handlers.subject_files import SubjectFiles
from services.disclosure.store import counts, disclosed, standings
from tests.contract.examples import AVRO
from tests.support.local_schemas import LocalSchemas
from tests.unit.disclosure.samples import AT_MS, JIA, RECORD, YI, seen, tell

OTHER = b"another of jia's"
ERASED = SubjectErased(JIA, AT_MS)
SHARED: dict[str, Any] = {"feeds": ("government",)}
_avro = cast(Any, fastavro)  # its types are partly unknown to the checker


def of(**changed: Any) -> RecordSeen:
    """A version of a person's record, which only the government may have."""
    return seen(**{**SHARED, **changed})


def lines(events: Sequence[Event]) -> list[tuple[object, ...]]:
    changed = [event for event in events if isinstance(event, RecordChanged)]
    return [(e.feed, e.change, e.subject_id, e.subject_seq, e.record_id, e.version, e.reason) for e in changed]


ADDED = ("government", "ADDED", JIA, 1, RECORD, 1, None)
WAITING = of(version=2, action="correct")._replace(shown=None)

TABLE: dict[str, tuple[list[Input], list[tuple[object, ...]]]] = {
    "who has nothing here": ([ERASED], []),
    "what was shown is withdrawn": (
        [of(), ERASED],
        [ADDED, ("government", "WITHDRAWN", JIA, 2, RECORD, 1, "SUBJECT_ERASED")],
    ),
    "each record with the next number, in the order of their ids": (
        [of(), of(record_id=OTHER), ERASED],
        [
            ADDED,
            ("government", "ADDED", JIA, 2, OTHER, 1, None),
            ("government", "WITHDRAWN", JIA, 3, OTHER, 1, "SUBJECT_ERASED"),
            ("government", "WITHDRAWN", JIA, 4, RECORD, 1, "SUBJECT_ERASED"),
        ],
    ),
    "both feeds, should the public ever have had it": (
        [seen(), ERASED],
        [
            ("public", "ADDED", JIA, 1, RECORD, 1, None),
            ("government", "ADDED", JIA, 1, RECORD, 1, None),
            ("public", "WITHDRAWN", JIA, 2, RECORD, 1, "SUBJECT_ERASED"),
            ("government", "WITHDRAWN", JIA, 2, RECORD, 1, "SUBJECT_ERASED"),
        ],
    ),
    "asked again": (
        [of(), ERASED, ERASED],
        [ADDED, ("government", "WITHDRAWN", JIA, 2, RECORD, 1, "SUBJECT_ERASED")],
    ),
    "what comes later is not shown": ([ERASED, of(), of(record_id=OTHER)], []),
    "a correction that comes later neither": (
        [of(), ERASED, of(version=2, action="correct")],
        [ADDED, ("government", "WITHDRAWN", JIA, 2, RECORD, 1, "SUBJECT_ERASED")],
    ),
    "nor what waited for its edition": ([ERASED, WAITING, of(version=3, action="correct")], []),
    "nor what is moved there": (
        [of(subject_id=YI), ERASED, LinkMoved(RECORD, 1, JIA, True, AT_MS)],
        [
            ("government", "ADDED", YI, 1, RECORD, 1, None),
            ("government", "WITHDRAWN", YI, 2, RECORD, 1, "SUBJECT_CORRECTED"),
        ],
    ),
    "what is withdrawn already is not withdrawn again": (
        [of(), of(version=2, action="withdraw"), ERASED],
        [ADDED, ("government", "WITHDRAWN", JIA, 2, RECORD, 2, "BY_AGENCY")],
    ),
    "a record that is another person's after all is shown of that one": (
        [of(), ERASED, of(version=2, action="correct", subject_id=YI)],
        [
            ADDED,
            ("government", "WITHDRAWN", JIA, 2, RECORD, 1, "SUBJECT_ERASED"),
            ("government", "ADDED", YI, 1, RECORD, 2, None),
        ],
    ),
    "of others nothing is withdrawn": (
        [of(subject_id=YI), ERASED],
        [("government", "ADDED", YI, 1, RECORD, 1, None)],
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_what_the_feeds_are_told(name: str) -> None:
    given, said = TABLE[name]
    file, events = tell(*given)
    assert lines(events) == said
    assert not [one for one in file.records.values() if one.subject_id == JIA and one.shown is not None]


def test_a_version_that_was_waiting_waits_no_more() -> None:
    """Its message lies in a timer as long as it waits."""
    _, events = tell(ERASED, WAITING)
    assert events[-1] == RecordStands(Standing(RECORD, 2, JIA), WAITING.at_ms)


def told() -> bytes:
    _, events = tell(of(), ERASED)
    (gone,) = (e for e in events if isinstance(e, RecordChanged) and e.change == "WITHDRAWN")
    assert (gone.shown, gone.before, gone.after, gone.fields_changed) == (BLANK, None, None, ())
    return changes.change_value(1, gone)


def test_the_feed_does_not_say_again_what_it_was() -> None:
    body = told()
    for word in ("演示内容", "XK_NR", "org-permit", "420000-hbt", "91420100MA4KLM0N5H", "演示甲有限公司"):
        assert word.encode() not in body


@pytest.mark.parametrize("edition", [1, 2])
def test_a_reader_of_either_edition_reads_the_withdrawal(edition: int) -> None:
    mine, theirs = (json.loads((AVRO / changes.CHANGE / f"{n}.avsc").read_text()) for n in (2, edition))
    body = io.BytesIO(unframe(told())[1])
    found = _avro.schemaless_reader(body, _avro.parse_schema(mine), _avro.parse_schema(theirs))
    assert (found["change"], found["reason"], found["record_id"], found["subject_seq"]) == (
        "WITHDRAWN",
        "SUBJECT_ERASED",
        RECORD,
        2,
    )
    assert (found["item"], found["agency"], found["before"], found["decided_on"].isoformat()) == (
        "",
        "",
        None,
        "1970-01-01",
    )


# --- from the topic of subjects to the file ------------------------------------------------------------------------

CODEC = LocalSchemas()
TABLES = {h.topic: h for h in handlers(cast(Any, CODEC), RecordReader(cast(Any, CODEC), Catalogue()))}


def person(**changed: Any) -> Message:
    told = {"subject_id": JIA, "subject_version": 1, "change": "ERASED", "subject_kind": "person", "name": None}
    value = CODEC.encode(SUBJECT, {**told, "codes": [], "changed_at": 5, "merged_into": None, **changed})
    return Message(SUBJECT, 0, 7, JIA, value, (), 0)


def test_the_word_of_identity_reaches_the_file_by_a_timer_that_is_due_at_once() -> None:
    cards, files_of = TABLES[SUBJECT], TABLES[f"timer:{ERASURE}"]
    given = cards.read(person(), Moment(AT_MS))
    (event,) = cards.aggregate.decide(SubjectCard(JIA), given)
    assert event == PersonErased(JIA, AT_MS)
    assert cards.aggregate.evolve(SubjectCard(JIA), event) == SubjectCard(JIA)  # still no card of a person
    (timer,) = cards.aggregate.timers(event, given)
    assert (timer.due_at_ms, timer.kind) == (AT_MS, ERASURE)
    fired = Message(SUBJECT, 0, -1, timer.key, timer.body, (("timer", timer.kind.encode()),), AT_MS)
    assert files_of.read(fired, Moment(AT_MS)) == ERASED


@pytest.mark.parametrize(
    ("kind", "change", "erases"),
    [
        ("person", "ERASED", True),
        ("person", "NAMED", False),
        ("org", "ERASED", False),
        ("sole_trader", "ERASED", False),
    ],
)
def test_only_a_person_is_erased(kind: str, change: str, erases: bool) -> None:
    given: SubjectSeen = TABLES[SUBJECT].read(person(subject_kind=kind, change=change), Moment(AT_MS))
    found = decide_card(SubjectCard(JIA), given)
    assert [type(event) for event in found] == ([PersonErased] if erases else [CardChanged] if kind != "person" else [])


# --- statements ----------------------------------------------------------------------------------------------------


class Counting:
    """A store without a row, which notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def fetch(self, statement: str, *arguments: Any) -> list[Any]:
        self.asked.append(statement)
        return []

    async def execute(self, statement: str, *arguments: Any) -> str:
        self.asked.append(statement)
        return f"INSERT 0 {len(arguments[0])}"


async def statements(*given: Input) -> list[str]:
    aggregate, tx = SubjectFiles(CODEC, cast(Any, None)), Counting()
    before = await aggregate.load(cast(Any, tx), cast(Any, given))
    after, said = dict(before), list[tuple[bytes, Event]]()
    for one in given:
        key = aggregate.key(cast(Any, one))
        after[key], events = tell(one, file=after[key])
        said += [(key, event) for event in events]
    await aggregate.save(cast(Any, tx), before, after, said)
    return tx.asked


async def test_a_batch_without_an_erasure_runs_no_statement_for_it() -> None:
    usual = [standings.STANDINGS, counts.COUNTS, standings.NEW_STANDINGS.statement, disclosed.NEW_SHOWN.statement]
    assert await statements(of()) == [*usual, counts.NEW_COUNTS.statement]
    assert await statements(ERASED) == [standings.STANDINGS, counts.COUNTS, standings.OF_SUBJECTS, standings.STANDINGS,
                                        counts.NEW_ERASED.statement]  # fmt: skip


def test_the_end_of_a_file_is_an_event() -> None:
    assert tell(ERASED)[1] == [FileErased(JIA, AT_MS)]
