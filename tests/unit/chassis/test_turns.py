"""What is entered of a turn: the order of its lanes, their ends, and the lanes that timers were taken from."""

from __future__ import annotations

from services.chassis.lanes import LaneId
from services.chassis.turns import NOTHING_DUE, Moved, turn_of

A, B, C = (LaneId("t", n) for n in range(3))


def test_lanes_stand_in_the_order_in_which_their_messages_were_decided() -> None:
    turn = turn_of(5, [B, B, A], {A: 10, B: 7}, {}, 1, "")
    assert turn is not None
    assert (turn.now_ms, turn.due, turn.due_limit, turn.lanes) == (
        5,
        False,
        NOTHING_DUE,
        (Moved(B, 7, 2), Moved(A, 10, 1)),
    )


def test_lanes_that_only_gave_timers_follow_with_nothing_read() -> None:
    turn = turn_of(5, [B], {B: 7}, {A: 3, B: 5, C: 0}, 1, "")
    assert turn is not None
    assert (turn.due, turn.due_limit) == (True, 1)
    assert turn.lanes == (Moved(B, 7, 1), Moved(A, 3, 0), Moved(C, 0, 0))


def test_a_turn_that_neither_read_nor_took_anything_is_not_entered() -> None:
    assert turn_of(5, [], {}, {}, 1, "") is None
