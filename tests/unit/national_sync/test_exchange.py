"""Where an exchange stands after records, answers and timers."""

from __future__ import annotations

from functools import reduce

import pytest

from services.national_sync.domain.events import Answered, Event, PushDueAgain, PushWanted
from services.national_sync.domain.exchange import (
    LONGEST_PAUSE_MS,
    PAUSE_MS,
    Answer,
    Exchange,
    Input,
    RecordSeen,
    RetryDue,
    decide,
    evolve,
    pause_ms,
)

RECORD = b"R" * 16
V1 = RecordSeen(RECORD, 1, "org-penalty", "put", b"submission", 1000)
V2 = V1._replace(version=2)
WITHDRAWN = V1._replace(version=2, action="delete")
ACK = Answer(RECORD, 1, 1, "put", "ACKNOWLEDGED", "ACK", "", 2000)
REFUSED = ACK._replace(verdict="REFUSED", code="FIELD_MISSING")
FAILED = ACK._replace(verdict="TRANSIENT", code="TIMEOUT")
RETRY = RetryDue(RECORD, 1, 3000)


def after(*inputs: Input) -> tuple[Exchange, list[Event]]:
    state, events = Exchange(RECORD), list[Event]()
    for given in inputs:
        events = decide(state, given)
        state = reduce(evolve, events, state)
    return state, events


STORIES: dict[str, tuple[list[Input], str, int, bool]] = {
    "a record": ([V1], "PENDING", 1, False),
    "acknowledged": ([V1, ACK], "ACKNOWLEDGED", 1, True),
    "refused": ([V1, REFUSED], "REFUSED", 1, False),
    "failed": ([V1, FAILED], "RETRYING", 1, False),
    "pause over": ([V1, FAILED, RETRY], "PENDING", 2, False),
    "second attempt acknowledged": ([V1, FAILED, RETRY, ACK._replace(attempt=2)], "ACKNOWLEDGED", 2, True),
    "failed after it was acknowledged": ([V1, ACK, FAILED], "ACKNOWLEDGED", 1, True),
    "acknowledged although told as failed": ([V1, FAILED, ACK], "ACKNOWLEDGED", 1, True),
    "late failure of an earlier attempt": ([V1, FAILED, RETRY, FAILED], "PENDING", 2, False),
    "a timer of the version before": ([V1, FAILED, V2, RETRY], "PENDING", 1, False),
    "a new version while waiting": ([V1, V2], "PENDING", 1, False),
    "late answer to the version before": ([V1, V2, ACK], "PENDING", 1, True),
    "refused correction leaves the first": ([V1, ACK, V2, REFUSED._replace(version=2)], "REFUSED", 1, True),
    "withdrawn": ([V1, ACK, WITHDRAWN], "PENDING", 1, True),
    "withdrawal acknowledged": (
        [V1, ACK, WITHDRAWN, ACK._replace(version=2, action="delete")],
        "ACKNOWLEDGED",
        1,
        False,
    ),
    "an older version": ([V2, V1], "PENDING", 1, False),
    "an answer to nothing": ([ACK], "UNKNOWN", 0, False),
    "an answer to a version not seen": ([V1, ACK._replace(version=2)], "PENDING", 1, False),
}


@pytest.mark.parametrize(("inputs", "status", "attempt", "held"), STORIES.values(), ids=STORIES)
def test_where_it_stands(inputs: list[Input], status: str, attempt: int, held: bool) -> None:
    state, _ = after(*inputs)
    found = state.status, state.held
    assert found == (status, held)
    if state.version == 1:
        assert state.attempt == attempt


def test_a_new_version_carries_its_submission() -> None:
    _, events = after(V1)
    assert events == [PushWanted(1, "org-penalty", "put", b"submission", 1000)]


def test_a_failed_push_sets_a_timer_that_makes_it_due_again() -> None:
    _, (failed,) = after(V1, FAILED)
    assert isinstance(failed, Answered)
    assert failed.retry_at_ms == 2000 + pause_ms(RECORD, 1)
    _, events = after(V1, FAILED, RETRY)
    assert events == [PushDueAgain(1, "org-penalty", 2, 3000)]


def test_the_pause_doubles_up_to_its_limit() -> None:
    pauses = [pause_ms(b"\x80" + bytes(15), attempt) for attempt in range(1, 30)]
    assert pauses[:3] == [PAUSE_MS, 2 * PAUSE_MS, 4 * PAUSE_MS]
    assert pauses[-1] == LONGEST_PAUSE_MS


def test_a_late_answer_moves_nothing_but_is_noted() -> None:
    _, (noted,) = after(V1, ACK, FAILED)
    assert isinstance(noted, Answered)
    assert noted.moves_to is None and noted.retry_at_ms is None
