"""A store that is slow is given fewer messages a turn, and more again when it is fast."""

from __future__ import annotations

import pytest

from services.chassis.turn_size import BATCH_LIMIT, TURN_S, fitting


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
    limit, slowest = 125, 0.0  # what is left of the limit after two vain attempts at 2,000
    for _ in range(100):
        seconds = limit * 0.05
        limit, slowest = fitting(limit, limit, seconds), max(slowest, seconds)
    assert slowest <= 2 * TURN_S
    assert limit <= BATCH_LIMIT
