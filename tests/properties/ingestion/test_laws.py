"""Laws of every decider of ingestion: repeats, replay, batches, one answer each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.ingestion.contracts.answers import Speaker
from services.ingestion.domain import agency, record
from services.ingestion.domain.agency import RegisterAgency
from services.ingestion.domain.events import (
    CommandRefused,
    CommandRepeated,
    RecordAccepted,
    SubmissionDuplicate,
    SubmissionRefused,
)
from services.ingestion.domain.faults import fault
from services.ingestion.domain.profile import Wish
from services.ingestion.domain.submission import Origin, Submission
from services.ingestion.handlers.records import Records
from tests.properties.ingestion.test_answers import Ids
from tests.support import driver

FAULTS = st.sampled_from([(), (), (), (fault("AGENCY_UNKNOWN"),)])


def submission(number: int, record_no: str, action: str, content: int, produced_at: int, faults: Any) -> Submission:
    return Submission(
        Origin("420000-gsj", 0, b"key", 0, 1_000),
        f"s-{number}",
        record_no,
        "code-mapping",
        1,
        9,
        action,
        bytes([content]) * 16,
        number.to_bytes(8, "big"),
        produced_at,
        b"r" * 16,
        None,
        b"",
        b"value",
        faults,
        (),
    )


SUBMISSIONS = st.builds(
    submission,
    st.integers(0, 30),
    st.sampled_from(["r-1", "r-2"]),
    st.sampled_from(["report", "report", "correct", "correct", "withdraw"]),
    st.integers(0, 4),
    st.integers(0, 9),
    FAULTS,
)
HISTORIES = st.lists(SUBMISSIONS, max_size=25)


def aggregate() -> Records:
    return Records(Speaker(Ids()))


@given(HISTORIES)
def test_every_submission_has_exactly_one_final_answer(history: Sequence[Submission]) -> None:
    records = aggregate()
    for given_, events in zip(history, driver.run(records, history), strict=True):
        assert len(events) == 1
        receipts = [m for m in records.announce(events[0], given_) if m.topic.startswith("credit.receipts.")]
        assert len(receipts) == 1


@given(HISTORIES)
def test_a_repeat_states_nothing_new(history: Sequence[Submission]) -> None:
    """The same submission right again: a duplicate if it was taken, the same refusal if not; the state stays."""
    records, states = aggregate(), {}
    for given_ in history:
        (first,) = driver.run(records, [given_], states)
        before = dict(states)
        (second,) = driver.run(records, [given_], states)
        expected = (SubmissionRefused,) if isinstance(first[0], SubmissionRefused) else (SubmissionDuplicate,)
        assert isinstance(second[0], expected)
        assert states == before


@given(HISTORIES)
def test_states_follow_from_events_alone(history: Sequence[Submission]) -> None:
    records, states = aggregate(), {}
    events = driver.run(records, history, states)
    keyed = [(records.key(g), e) for g, said in zip(history, events, strict=True) for e in said]
    assert driver.replay(records, keyed) == states


@given(HISTORIES, st.integers(0, 25))
def test_one_batch_of_n_is_n_batches_of_one(history: Sequence[Submission], cut: int) -> None:
    at_once, split = {}, {}
    together = driver.run(aggregate(), history, at_once)
    apart = driver.run(aggregate(), history[:cut], split) + driver.run(aggregate(), history[cut:], split)
    assert (together, at_once) == (apart, split)


@given(HISTORIES)
def test_versions_count_without_gaps_and_nothing_follows_a_withdrawal(history: Sequence[Submission]) -> None:
    records = aggregate()
    versions: dict[Any, list[RecordAccepted]] = {}
    for given_, (event,) in zip(history, driver.run(records, history), strict=True):
        if isinstance(event, RecordAccepted):
            versions.setdefault(records.key(given_), []).append(event)
    for accepted in versions.values():
        assert [e.version for e in accepted] == list(range(1, len(accepted) + 1))
        assert accepted[0].action == "report"
        assert all(e.action != "withdraw" for e in accepted[:-1])
        corrected = [e.produced_at for e in accepted if e.action != "withdraw"]
        assert corrected == sorted(corrected)


EVENTS = st.one_of(
    st.builds(
        RecordAccepted,
        st.integers(1, 9),
        st.just("correct"),
        st.binary(),
        st.integers(),
        st.binary(min_size=8, max_size=8),
        *[st.just(0)] * 3,
        st.just(b""),
        st.just(b""),
    ),
    st.builds(SubmissionDuplicate, st.binary(min_size=8, max_size=8)),
    st.builds(SubmissionRefused, FAULTS),
)


@given(st.lists(EVENTS, max_size=20))
def test_evolve_accepts_every_event_and_remembers_a_bounded_number(events: Sequence[Any]) -> None:
    state = record.UNKNOWN
    for event in events:
        state = record.evolve(state, event)
    assert len(state.seen) <= record.SEEN * record.DIGEST


REGISTER = st.builds(
    RegisterAgency,
    st.sampled_from(["c1", "c2", "c3"]),
    st.just("420000-gsj"),
    st.sampled_from(["甲", "乙"]),
    st.just("420000"),
    st.sampled_from([("a",), ("a", "b")]),
    FAULTS,
    st.builds(
        Wish,
        st.sampled_from([None, "court"]),
        st.sampled_from([None, ""]),
        st.none(),
        st.sampled_from([None, (), ("甲处",) * 3]),
    ),
)


@given(st.lists(REGISTER, max_size=12))
def test_a_repeated_registration_changes_nothing(history: Sequence[RegisterAgency]) -> None:
    state = agency.NOBODY
    for given_ in history:
        for event in agency.decide(state, given_):
            state = agency.evolve(state, event)
        (again,) = agency.decide(state, given_)
        assert isinstance(again, CommandRefused if given_.faults else CommandRepeated)
        assert agency.evolve(state, again) == state
