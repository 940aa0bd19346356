"""A few seeds and a few of the planted bugs; `make sim` and `make sim BUGS=1` run them all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sim.runner import run_seed
from tests.sim.store.statements import StatementUnknown, find

REPO = Path(__file__).parents[3]


@pytest.mark.parametrize("first", [1, 11, 21])
def test_everything_holds(first: int) -> None:
    assert [run_seed(seed).violation for seed in range(first, first + 10)] == [None] * 10


def test_the_same_seed_is_the_same_to_the_byte() -> None:
    once = run_seed(5)
    assert run_seed(5) == once
    assert run_seed(6).digest != once.digest


def test_another_process_comes_to_the_same() -> None:
    command = [sys.executable, "-m", "tests.sim", "--seed", "5", "--json"]
    environment = os.environ | {"PYTHONHASHSEED": "7"}
    said = {subprocess.run(command, cwd=REPO, env=environment, capture_output=True, check=True).stdout for _ in "ab"}
    assert len(said) == 1


@pytest.mark.parametrize("bug", [4, 9, 12])
def test_a_planted_bug_is_found(bug: int) -> None:
    assert any(run_seed(seed, bug).violation for seed in range(1, 21))
    assert run_seed(1).violation is None  # and nothing of it is left behind


def test_a_statement_nobody_knows_names_itself() -> None:
    with pytest.raises(StatementUnknown, match="SELECT 1 FROM nowhere"):
        find("SELECT  1 FROM nowhere")
