"""A store that is slow is given fewer messages a turn, and more again when it is fast."""

from __future__ import annotations

import pytest

from services.chassis.postgres import STATEMENT_MS
from services.chassis.turn_size import BATCH_LIMIT, TURN_S, TurnSize, fitting


@pytest.mark.parametrize(
    ("limit", "taken", "seconds", "then"),
    [
        (2000, 2000, 0.2, 2000),
        (2000, 2000, 10.0, 1000),  # as many as fit into the time of a turn
        (2000, 40, 10.0, 20),
        (20, 20, 0.1, 40),  # quick and full: twice as many
        (20, 3, 0.1, 20),  # quick because it had little to do: proves nothing
        (20, 20, TURN_S * 0.8, 20),
        (1500, 1500, 1.0, 2000),
        (1, 1, 60.0, 1),  # never none
    ],
)
def test_the_next_turn_fits_into_its_time(limit: int, taken: int, seconds: float, then: int) -> None:
    assert fitting(limit, taken, seconds) == then


def test_a_store_with_50_ms_a_record_is_never_tried_beyond_its_time_limit() -> None:
    limit, slowest = 125, 0.0  # a turn of 6 s: slow, and not in vain
    for _ in range(100):
        seconds = limit * 0.05
        limit, slowest = fitting(limit, limit, seconds), max(slowest, seconds)
    assert slowest <= 2 * TURN_S
    assert limit <= BATCH_LIMIT


def test_turns_that_cost_little_do_not_lead_to_one_that_no_time_limit_lets_through() -> None:
    """Two topics in turn: of one each message costs 50 ms, of the other next to nothing."""
    size, vain, done = TurnSize(), 0, 0
    for number in range(400):
        seconds = size.limit * (0.05 if number % 8 == 7 else 0.0005)
        if seconds > STATEMENT_MS / 1000:
            vain += 1
            size.failed()
        else:
            done += size.limit
            size.took(size.limit, seconds, seconds)
    assert vain == 1  # the first 2,000; a limit that grows with every cheap turn makes every dear one vain
    assert done > 10_000


def test_dear_messages_that_come_seldom_are_in_vain_ever_more_seldom() -> None:
    """After 30 s of cheap messages a lot of dear ones comes: growth has forgotten them, and learns."""
    size, vain = TurnSize(), list[int]()
    for hour in range(120):
        worked = 0.0
        while worked < 30:
            seconds = size.limit * 0.0005
            size.took(size.limit, seconds, seconds)
            worked += seconds
        while (seconds := size.limit * 0.05) > STATEMENT_MS / 1000:
            vain.append(hour)
            size.failed()
        size.took(size.limit, seconds, seconds)
    assert sum(at < 10 for at in vain) > 3
    assert sum(at >= 60 for at in vain) <= 1


def test_a_broker_that_was_away_while_a_turn_published_does_not_make_the_next_ones_small() -> None:
    """Killed and back after 8 s, under a turn of three messages."""
    size = TurnSize()
    size.took(3, 0.01, 8.0)
    assert _seconds_until_whole_batches(size) < 2


@pytest.mark.parametrize("slow", [1, 3, 6], ids="{0} slow turns".format)
def test_a_store_that_stood_still_under_small_turns_gets_whole_batches_soon(slow: int) -> None:
    """Nothing tells such turns from dear messages; what is learned of them must be forgotten quickly."""
    size = TurnSize()
    for _ in range(slow):
        size.took(min(3, size.limit), 8.0, 8.0)
    assert _seconds_until_whole_batches(size) < 15


def test_a_store_that_is_fast_again_gets_whole_batches_again() -> None:
    size = TurnSize()
    for _ in range(2):
        size.failed()
    assert size.limit == BATCH_LIMIT // 64
    assert _seconds_until_whole_batches(size) < 15


def _seconds_until_whole_batches(size: TurnSize) -> float:
    """Of work, with as much to do as a turn may take, at 1 ms a turn and 0.5 ms a message."""
    worked = 0.0
    while size.limit < BATCH_LIMIT:
        seconds = 0.001 + size.limit * 0.0005
        size.took(size.limit, seconds, seconds)
        worked += seconds
    return worked
