"""`python -m services.identity run | migrate | parked | lanes | replay | digest`."""

from __future__ import annotations

from pathlib import Path

from services.chassis import entry
from services.identity import queries
from services.identity.main import build

if __name__ == "__main__":
    entry.main(Path(__file__).parent, build, digests=queries.DIGESTS, items=tuple)
