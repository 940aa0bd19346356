"""`python -m services.ingestion run | migrate | parked | lanes | replay | digest | catalogue`."""

from __future__ import annotations

from pathlib import Path

from services.chassis import entry
from services.ingestion import queries
from services.ingestion.main import build
from services.ingestion.shipping import publish_catalogue

if __name__ == "__main__":
    entry.main(Path(__file__).parent, build, {"catalogue": publish_catalogue}, digests=queries.DIGESTS, items=tuple)
