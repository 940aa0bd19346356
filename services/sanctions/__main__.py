"""`python -m services.sanctions run | migrate | parked | lanes | replay | digest`."""

from __future__ import annotations

from pathlib import Path

from services.chassis import entry
from services.sanctions import queries
from services.sanctions.config import load_memoranda
from services.sanctions.main import build

if __name__ == "__main__":
    entry.main(Path(__file__).parent, build, digests=queries.DIGESTS, items=load_memoranda)
