"""What the simulator's fakes promise, asked of the fakes here and of the real parts in tests/integration."""

import pytest

pytest.register_assert_rewrite("tests.contract.sim.store", "tests.contract.sim.broker")
