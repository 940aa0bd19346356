"""Composition root: everything is built here and nowhere else."""

from __future__ import annotations

from services.chassis.handling import Service
from services.chassis.runtime import Runtime
from services.sanctions.api import SanctionsApi
from services.sanctions.config import load_memoranda
from services.sanctions.handlers import handlers

LINGER_MS = 100  # due dates are days; most of what this service reads it passes over


def build(runtime: Runtime) -> Service:
    """The service as the lane loop sees it."""
    runtime.grpc_add(SanctionsApi(runtime.pool).register)
    return Service("sanctions", handlers(runtime.schemas, load_memoranda()), linger_ms=LINGER_MS)
