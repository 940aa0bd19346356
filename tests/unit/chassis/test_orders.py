"""Orders about parked messages: decided on what is parked, answered alike when they come again."""

from __future__ import annotations

import pytest

from services.chassis.commands import Command
from services.chassis.orders import Kind, Lot, OrderGiven, OrderKnown, OrderRefused, OrderTaken, Place, decide, evolve

HERE, THERE, NOWHERE = (Place("credit.submit.a.v1", 0, n) for n in range(3))
LOT = Lot(frozenset({HERE, THERE}))


def order(kind: Kind, *places: Place, reason: str = "", number: str = "1") -> OrderGiven:
    return OrderGiven(Command(number, f"{kind}_parked", "operator", {}), kind, places, reason, 7)


def codes(given: OrderGiven, lot: Lot = LOT) -> list[str]:
    (event,) = decide(lot, given)
    return [fault.code for fault in event.faults] if isinstance(event, OrderRefused) else []


def test_an_order_is_taken_for_what_is_parked_and_once_for_each_place() -> None:
    (event,) = decide(LOT, order("release", HERE, NOWHERE, HERE))
    assert isinstance(event, OrderTaken)
    assert event.places == (HERE,)


def test_an_order_for_nothing_is_refused() -> None:
    assert codes(order("release", NOWHERE)) == ["NOT_PARKED"]


@pytest.mark.parametrize(
    ("reason", "expected"),
    [("", ["REASON_MISSING"]), (" \n", ["REASON_MISSING"]), ("x" * 501, ["REASON_MISSING"]),
     ("演示 91420100MA4KLM0N5H", ["REASON_NAMES"]), ("演示：报送单位已更正", [])],
)  # fmt: skip
def test_what_is_thrown_away_is_so_for_a_reason_that_names_nobody(reason: str, expected: list[str]) -> None:
    assert codes(order("discard", HERE, reason=reason)) == expected


def test_the_same_order_again_is_answered_as_it_was_and_does_nothing() -> None:
    given = order("discard", HERE, THERE, reason="演示")
    (first,) = decide(LOT, given)
    assert decide(evolve(LOT, first), given) == (OrderKnown(2),)


def test_what_was_thrown_away_cannot_be_released_and_what_was_released_still_can_be_thrown_away() -> None:
    (gone,) = decide(LOT, order("discard", HERE, reason="演示"))
    assert codes(order("release", HERE, number="2"), evolve(LOT, gone)) == ["NOT_PARKED"]
    (marked,) = decide(LOT, order("release", HERE))
    assert codes(order("discard", HERE, reason="演示", number="2"), evolve(LOT, marked)) == []
