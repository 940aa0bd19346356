"""`python -m services.national_sync run | migrate | parked | lanes | replay | digest | reconcile`."""

from __future__ import annotations

from pathlib import Path

from services.chassis import entry
from services.national_sync import queries
from services.national_sync.config import load_mappings
from services.national_sync.main import build
from services.national_sync.reconcile import reconcile

if __name__ == "__main__":
    entry.main(Path(__file__).parent, build, {"reconcile": reconcile}, digests=queries.DIGESTS, items=load_mappings)
