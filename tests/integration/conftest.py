"""One real stack for the whole session."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.road import NAMES, WELL, Road
from tests.support.stack import Stack, migrate_ledger, stack_folder


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Everything up: broker, registry, database, the five services, the simulator."""
    if already_up := os.environ.get("CREDIT_TEST_VAR"):  # a developer's shortcut: a stack that stays up between runs
        yield Stack(stack_folder(Path(already_up)))
        return
    running = Stack(stack_folder(tmp_path_factory.mktemp("stack")))
    running.credit("up")
    try:
        yield running
    finally:
        running.credit("down")


@pytest.fixture(scope="session")
def spine(stack: Stack) -> Stack:
    """The stack with the test service's database and topics."""
    migrate_ledger(stack)
    stack.make_topics("ledger.in.v1", "ledger.out.v1")
    return stack


@pytest.fixture(scope="session")
def road(stack: Stack) -> Iterator[Road]:
    """The whole road with its five practice agencies, which are also the departments of the memorandum."""
    found = Road(stack)
    with ThreadPoolExecutor(len(NAMES)) as pool:
        list(pool.map(found.agency, NAMES))
    try:
        yield found
    finally:
        found.close()


@pytest.fixture
def well_behaved(road: Road) -> None:
    """The national platform takes everything: a demo before this test may have told it to misbehave."""
    road.national("/v1/behaviour", WELL)
