"""Laws of the exchange: nothing is lost, a final answer counts once, the ledger knows what the platform holds."""

from __future__ import annotations

from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from services.national_sync.domain.deciding import decide, pause_ms
from services.national_sync.domain.events import Answered, Event, PushDueAgain, PushWanted
from services.national_sync.domain.exchange import Exchange, evolve
from services.national_sync.domain.inputs import Answer, Input, RecordSeen, RetryDue

RECORD = b"R" * 16
actions = {1: "put", 2: "put", 3: "delete", 4: "put"}

versions = st.integers(1, 4)
records = versions.map(lambda v: RecordSeen(RECORD, v, "org-permit", actions[v], b"s", v))
answers = st.builds(
    lambda v, n, verdict: Answer(RECORD, v, n, actions[v], verdict, verdict, "", 10),
    versions,
    st.integers(1, 3),
    st.sampled_from(["ACKNOWLEDGED", "REFUSED", "TRANSIENT"]),
)
retries = versions.map(lambda v: RetryDue(RECORD, v, 20))
histories = st.lists(st.one_of(records, answers, retries), max_size=20)


def run(inputs: list[Input]) -> tuple[Exchange, list[Event]]:
    state, said = Exchange(RECORD), list[Event]()
    for one in inputs:
        events = decide(state, one)
        state = reduce(evolve, events, state)
        said += events
    return state, said


@given(histories)
def test_retrying_always_has_a_timer_that_leads_on(inputs: list[Input]) -> None:
    """A record in RETRYING whose timer is due is PENDING: there is no state in which it is forgotten."""
    state, said = run(inputs)
    if state.status == "RETRYING":
        last = next(e for e in reversed(said) if not isinstance(e, Answered) or e.moves_to is not None)
        assert isinstance(last, Answered) and last.retry_at_ms is not None and last.version == state.version
        assert reduce(evolve, decide(state, RetryDue(RECORD, last.version, 99)), state).status == "PENDING"


@given(histories)
def test_the_newest_version_seen_is_the_one_exchanged(inputs: list[Input]) -> None:
    state, _ = run(inputs)
    assert state.version == max((i.version for i in inputs if isinstance(i, RecordSeen)), default=0)


@given(histories)
def test_a_version_is_ended_at_most_once_and_attempts_count_up(inputs: list[Input]) -> None:
    _, said = run(inputs)
    ended = [e.version for e in said if isinstance(e, Answered) and e.moves_to in ("ACKNOWLEDGED", "REFUSED")]
    assert len(ended) == len(set(ended))
    attempts: dict[int, int] = {}
    for event in said:
        if isinstance(event, PushWanted | PushDueAgain):
            attempt = 1 if isinstance(event, PushWanted) else event.attempt
            assert attempt == attempts.get(event.version, 0) + 1
            attempts[event.version] = attempt


@given(histories)
def test_held_is_what_the_newest_acknowledgement_says(inputs: list[Input]) -> None:
    state, said = run(inputs)
    acknowledged = [e for e in said if isinstance(e, Answered) and e.verdict == "ACKNOWLEDGED"]
    newest = max((e.version for e in acknowledged), default=0)
    assert state.held_version == newest
    assert state.held == (newest > 0 and actions[newest] == "put")


@given(histories)
def test_an_answer_that_moves_is_the_first_of_its_kind_to_an_attempt(inputs: list[Input]) -> None:
    """So the store may take it for new."""
    _, said = run(inputs)
    before: set[tuple[int, int, str]] = set()
    for event in said:
        if isinstance(event, Answered):
            kind = event.version, event.attempt, event.verdict
            assert event.moves_to is None or kind not in before
            before.add(kind)


@given(histories, answers)
def test_the_same_answer_again_changes_nothing(inputs: list[Input], answer: Answer) -> None:
    once, _ = run([*inputs, answer])
    twice, _ = run([*inputs, answer, answer])
    assert once == twice


@given(st.binary(min_size=16, max_size=16), st.integers(1, 60))
def test_a_pause_is_bounded_and_never_shrinks_by_more_than_the_spread(record_id: bytes, attempt: int) -> None:
    assert 750 <= pause_ms(record_id, attempt) <= 37_500
    assert pause_ms(record_id, attempt) <= pause_ms(record_id, attempt + 1)
