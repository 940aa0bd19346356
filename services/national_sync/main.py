"""Composition root: everything is built here and nowhere else."""

from __future__ import annotations

from services.chassis.handling import Service
from services.chassis.runtime import Runtime
from services.national_sync.api import NationalSyncApi
from services.national_sync.config import NationalConfig, load_mappings
from services.national_sync.gateway import Gateway
from services.national_sync.handlers import handlers
from services.national_sync.ledger import StoredLedger
from services.national_sync.platform_client import PlatformClient

LINGER_MS = 100  # the gateway looks for what to push four times a second


def build(runtime: Runtime) -> Service:
    """The service as the lane loop sees it, with the gateway in the background."""
    mappings = load_mappings()
    client = PlatformClient(NationalConfig.from_environment(runtime.settings.environment))
    ledger = StoredLedger(runtime.pool)
    gateway = Gateway(ledger, client, mappings, runtime.schemas, runtime.send_many, runtime.clock_ms)
    runtime.grpc_add(NationalSyncApi(runtime.pool).register)
    return Service("national_sync", handlers(runtime.schemas, mappings), background=(gateway.run,), linger_ms=LINGER_MS)
