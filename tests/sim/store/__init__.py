"""The stores: committed rows, row locks, and a Python function for each statement that the services use."""

from __future__ import annotations

import tests.sim.store.chassis
import tests.sim.store.disclosure
import tests.sim.store.identity
import tests.sim.store.ingestion
import tests.sim.store.national_sync
import tests.sim.store.parking
import tests.sim.store.sanctions  # noqa: F401 - each registers its statements
