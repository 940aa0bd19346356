"""`python -m services.disclosure run | migrate | parked | lanes | replay | digest`."""

from __future__ import annotations

from pathlib import Path

from services.chassis import entry
from services.disclosure import queries
from services.disclosure.main import build

if __name__ == "__main__":
    entry.main(Path(__file__).parent, build, digests=queries.DIGESTS, items=tuple)
