"""The stores: committed rows, row locks, and a Python function for each statement that the services use."""

from __future__ import annotations

from tests.sim.store import chassis, disclosure, identity, identity_keys, ingestion, national_sync, parking, sanctions

# Each registers its statements when it is imported.
REGISTERED = (chassis, disclosure, identity, identity_keys, ingestion, national_sync, parking, sanctions)
