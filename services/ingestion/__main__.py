"""`python -m services.ingestion run | migrate | parked | lanes | replay | digest | catalogue | item FILE`."""

from __future__ import annotations

from pathlib import Path

from services.chassis import entry
from services.ingestion import queries
from services.ingestion.main import build
from services.ingestion.shipping import publish_catalogue, say_item

if __name__ == "__main__":
    steps = {"catalogue": publish_catalogue, "item": say_item}
    entry.main(Path(__file__).parent, build, steps, digests=queries.DIGESTS, items=tuple)
