"""Which transaction the running task is in."""

from __future__ import annotations

from contextvars import ContextVar

from tests.sim.store.engine import Tx

CURRENT: ContextVar[Tx] = ContextVar("transaction")


def current() -> Tx:
    """The innermost one."""
    return CURRENT.get()
