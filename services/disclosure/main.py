"""Composition root: everything is built here and nowhere else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from services.chassis import logs
from services.chassis.handling import Service, Transaction
from services.chassis.runtime import Runtime
from services.chassis.schemas import Schemas
from services.disclosure import metrics
from services.disclosure.api import DisclosureApi
from services.disclosure.contracts import changes
from services.disclosure.contracts.batch_reader import BatchReader
from services.disclosure.contracts.program import TABLE_VERSION
from services.disclosure.contracts.records import RecordReader
from services.disclosure.contracts.reference import Catalogue
from services.disclosure.handlers import ReadMany, handlers
from services.disclosure.native import load
from services.disclosure.store.audit import AuditLog
from services.disclosure.store.reference import newer_editions


def build(runtime: Runtime) -> Service:
    """The service as the lane loop sees it."""
    catalogue = Catalogue()
    log = AuditLog(runtime.pool, f"disclosure-{runtime.settings.worker}")
    runtime.grpc_add(DisclosureApi(runtime.pool, log, runtime.clock_ms).register)
    read_many = batch_reader(runtime.settings.environment, runtime.schemas, catalogue)
    table = handlers(runtime.schemas, RecordReader(runtime.schemas, catalogue), read_many)
    return Service(
        "disclosure",
        table,
        refresh=refresher(runtime.schemas, catalogue),
        unreplayed=frozenset({"audit"}),  # rows of questions that were asked, not of messages
    )


def batch_reader(environment: Mapping[str, str], schemas: Schemas, catalogue: Catalogue) -> ReadMany | None:
    """The native cutter where it was built and is not switched off; the log says once which it is."""
    native, why = load(environment, TABLE_VERSION)
    logs.log("native_cutter", status="off" if native is None else "on", why=why)
    return None if native is None else BatchReader(native, schemas, catalogue).read_many


def refresher(schemas: Schemas, catalogue: Catalogue) -> Callable[[Transaction], Awaitable[None]]:
    """Reads the catalogue anew when a lane has changed it; before the first batch the feeds are registered."""
    registered = False

    async def refresh(tx: Transaction) -> None:
        nonlocal registered
        if not registered:
            await changes.register(schemas)
            registered = True
        newer = await newer_editions(tx, catalogue.revision)
        if newer is not None:
            catalogue.fill(*newer)
            metrics.EDITIONS.set(sum(map(len, newer[1].values())))

    return refresh
