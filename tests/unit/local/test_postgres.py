"""How much memory PostgreSQL of the local stack takes."""

from __future__ import annotations

import pytest

from deploy.local.postgres import buffers_mb

GB = 2**30


@pytest.mark.parametrize(
    ("memory_bytes", "megabytes"), [(GB, 256), (2 * GB, 256), (8 * GB, 1024), (24 * GB, 3072), (512 * GB, 4096)]
)
def test_buffers_are_an_eighth_of_the_memory_within_bounds(memory_bytes: int, megabytes: int) -> None:
    assert buffers_mb(memory_bytes) == megabytes
