"""Composition root: everything is built here and nowhere else."""

from __future__ import annotations

from services.chassis.handling import Service
from services.chassis.runtime import Runtime
from services.identity.api import IdentityApi
from services.identity.config import load_pepper
from services.identity.contracts.orders import OrderReader
from services.identity.contracts.records import Reader
from services.identity.handlers import handlers
from services.identity.store import guard


def build(runtime: Runtime) -> Service:
    """The service as the lane loop sees it."""
    pepper = load_pepper(runtime.settings.secrets)
    reader = Reader(runtime.schemas, pepper)
    runtime.grpc_add(IdentityApi(runtime.pool, pepper, reader).register)
    table = handlers(runtime.schemas, reader, OrderReader(runtime.schemas, pepper))
    return Service(
        "identity",
        table,
        refresh=guard(pepper),
        unreplayed=frozenset({"reviews.place"}),  # a sequence: it skips what is rolled back
    )
