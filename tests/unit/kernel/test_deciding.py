"""The composition of decide and evolve."""

from __future__ import annotations

from services.kernel import deciding


def test_a_step_folds_what_was_decided_and_hands_both_back() -> None:
    def decide(state: int, given: int) -> list[int]:
        return [given, given] if state < 10 else []

    assert deciding.step(decide, int.__add__, 1, 3) == (7, [3, 3])
    assert deciding.step(decide, int.__add__, 10, 3) == (10, [])
    assert deciding.fold(int.__add__, 0, range(5)) == 10
