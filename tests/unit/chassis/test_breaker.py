"""The breaker: per lane, by what was read there and could not be handled, and by nothing else."""

from __future__ import annotations

from services.chassis.breaker import WINDOW, Breaker
from services.chassis.lanes import LaneId
from services.chassis.message import Message
from services.chassis.parking import BEHIND, Parked

ONE, OTHER, COMMANDS = LaneId("credit.submit.a.v1", 0), LaneId("credit.submit.a.v1", 1), LaneId("commands", 0)


def parked(lane: LaneId, count: int, code: str = "BAD") -> list[Parked]:
    return [Parked(Message(*lane, n, b"k%d" % n, b"", (), 0), code, "") for n in range(count)]


def turns(*each: tuple[LaneId, int, list[Parked]]) -> list[LaneId]:
    """The lanes that trip, turn after turn."""
    breaker, tripped = Breaker("commands"), list[LaneId]()
    for lane, read, put_aside in each:
        counted = breaker.count([lane] * read, put_aside)
        breaker.remember(counted)
        tripped += counted.tripped
    return tripped


def test_half_of_the_window_is_borne_and_one_more_is_not() -> None:
    assert turns((ONE, WINDOW, parked(ONE, WINDOW // 2))) == []
    assert turns((ONE, WINDOW, parked(ONE, WINDOW // 2 + 1))) == [ONE]


def test_it_trips_before_the_window_is_full_when_no_rest_could_make_it_good() -> None:
    assert turns(*[(ONE, 100, parked(ONE, 100))] * 5) == []
    assert turns(*[(ONE, 100, parked(ONE, 100))] * 6) == [ONE]


def test_what_is_read_in_one_lane_is_no_excuse_for_another() -> None:
    breaker = Breaker("commands")
    counted = breaker.count([ONE] * 600 + [OTHER] * 5000, parked(ONE, 600))
    assert counted.tripped == [ONE]


def test_in_a_batch_larger_than_the_window_the_share_counts() -> None:
    assert turns((ONE, 2000, parked(ONE, 1000))) == []
    assert turns((ONE, 2000, parked(ONE, 1001))) == [ONE]


def test_a_new_window_forgets_the_old_one() -> None:
    assert turns((ONE, WINDOW, parked(ONE, 500)), (ONE, 400, parked(ONE, 400))) == []


def test_what_only_waits_behind_another_one_is_not_counted() -> None:
    assert turns((ONE, WINDOW, parked(ONE, WINDOW, BEHIND))) == []


def test_what_was_released_and_is_parked_again_was_not_read() -> None:
    assert turns((ONE, 0, parked(ONE, 5000)), (ONE, 3, parked(ONE, 5000))) == []


def test_a_turn_that_is_rolled_back_counts_nothing() -> None:
    breaker = Breaker("commands")
    for _ in range(10):
        counted = breaker.count([ONE] * 400, parked(ONE, 400))
    assert counted.tripped == []


def test_the_lane_of_the_commands_never_trips_or_nobody_could_close_a_breaker() -> None:
    assert turns((COMMANDS, 2000, parked(COMMANDS, 2000))) == []


def test_a_lane_that_goes_on_is_judged_anew() -> None:
    breaker = Breaker("commands")
    breaker.remember(breaker.count([ONE] * 501, parked(ONE, 501)))
    breaker.forget(ONE)
    assert breaker.count([ONE], parked(ONE, 1)).tripped == []
