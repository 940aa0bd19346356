"""What the services' statements do, by service, and what transactions do to each other."""

from __future__ import annotations

from tests.contract.sim.store import (
    constraints,
    disclosure,
    identity,
    identity_keys,
    identity_relations,
    ingestion,
    lanes,
    locks,
    national_sync,
    parking,
    sanctions,
    timers,
    transactions,
)
from tests.contract.sim.store.case import CASES as registered

# Each registers its cases when it is imported.
ROOMS = (
    lanes, timers, parking, ingestion, identity, identity_keys, identity_relations, disclosure, sanctions,
    national_sync, constraints, transactions, locks,
)  # fmt: skip
CASES = tuple(registered)
