"""Where an exchange stands after records, answers and timers."""

from __future__ import annotations

from functools import reduce

import pytest

from services.national_sync.domain.deciding import LONGEST_PAUSE_MS, PAUSE_MS, decide, pause_ms
from services.national_sync.domain.events import Answered, Event, LinkNoted, PushDueAgain, PushWanted
from services.national_sync.domain.exchange import Exchange, evolve
from services.national_sync.domain.inputs import Answer, Input, RecordSeen, Relinked, RetryDue, Unlinked

RECORD = b"R" * 16
V1 = RecordSeen(RECORD, 1, "org-penalty", "put", b"submission", 1000)
V2 = V1._replace(version=2)
WITHDRAWN = V1._replace(version=2, action="delete")
ACK = Answer(RECORD, 1, 1, "put", "ACKNOWLEDGED", "ACK", "", 2000)
REFUSED = ACK._replace(verdict="REFUSED", code="FIELD_MISSING")
FAILED = ACK._replace(verdict="TRANSIENT", code="TIMEOUT")
RETRY = RetryDue(RECORD, 1, 3000)
LOST, FOUND = Unlinked(RECORD, 14, 4000), Relinked(V1, 15)
# What the platform answers to the pushes that follow: their numbers are version and link number together.
DELETED, PUT_AGAIN = ACK._replace(version=15, action="delete"), ACK._replace(version=16)


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
    "about nobody known any more": ([V1, ACK, LOST], "PENDING", 1, True),
    "its deletion acknowledged": ([V1, ACK, LOST, DELETED], "ACKNOWLEDGED", 1, False),
    "the first push is answered after its link was lost": ([V1, LOST, ACK], "PENDING", 1, True),
    "and that answer failed": ([V1, LOST, FAILED], "PENDING", 1, False),
    "a timer of the push before its link was lost": ([V1, FAILED, LOST, RETRY], "PENDING", 1, False),
    "its deletion failed": ([V1, ACK, LOST, DELETED._replace(verdict="TRANSIENT")], "RETRYING", 1, True),
    "and the pause is over": (
        [V1, ACK, LOST, DELETED._replace(verdict="TRANSIENT"), RETRY._replace(version=15)],
        "PENDING",
        2,
        True,
    ),
    "linked again": ([V1, ACK, LOST, DELETED, FOUND], "PENDING", 1, False),
    "linked again and acknowledged": ([V1, ACK, LOST, DELETED, FOUND, PUT_AGAIN], "ACKNOWLEDGED", 1, True),
    "linked again before its deletion was answered": (
        [V1, ACK, LOST, FOUND, PUT_AGAIN, DELETED],
        "ACKNOWLEDGED",
        1,
        True,
    ),
    "linked again, and a later version": (
        [V1, LOST, FOUND, V2, PUT_AGAIN._replace(version=17)],
        "ACKNOWLEDGED",
        1,
        True,
    ),
    "linked again, heard before it was lost": ([V1, FOUND, PUT_AGAIN, LOST], "ACKNOWLEDGED", 1, True),
    "lost before it was heard of": ([LOST], "UNKNOWN", 0, False),
    "lost, then heard of": ([LOST, V1, DELETED], "ACKNOWLEDGED", 1, False),
    "lost, heard of again": ([LOST, FOUND, PUT_AGAIN], "ACKNOWLEDGED", 1, True),
    "an older version told again": ([V2, LOST, FOUND], "PENDING", 1, False),
}


def test_what_is_nobodys_is_pushed_as_a_deletion_under_a_number_of_its_own() -> None:
    state, events = after(V1, ACK, LOST)
    assert events == [PushWanted(1, "org-penalty", "delete", b"", 4000, 14, nobodys=True)]
    assert state.number == 15
    _, events = after(V1, ACK, LOST, V2)
    assert events == [PushWanted(2, "org-penalty", "delete", b"submission", 1000, 14, nobodys=True)]


def test_what_is_linked_again_is_pushed_anew_with_a_higher_number() -> None:
    state, events = after(V1, ACK, LOST, FOUND)
    assert events == [PushWanted(1, "org-penalty", "put", b"submission", 1000, 15)]
    assert state.number == 16
    assert after(V1, LOST, FOUND, FOUND)[1] == after(V1, LOST, FOUND, V1)[1] == after(V1, LOST, FOUND, LOST)[1] == []


def test_a_link_that_is_lost_before_any_version_comes_pushes_nothing() -> None:
    state, events = after(LOST)
    assert events == [LinkNoted(14, True, 4000)]
    assert state.number == 0


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
