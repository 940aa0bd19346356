"""`python -m services.ingestion run | migrate | parked | lanes | replay | digest | catalogue | feeds`."""

from __future__ import annotations

from pathlib import Path

from services.chassis import entry
from services.ingestion import feed_list, queries
from services.ingestion.main import build
from services.ingestion.shipping import publish_catalogue

if __name__ == "__main__":
    more = {"catalogue": publish_catalogue, "feeds": feed_list.say}
    entry.main(Path(__file__).parent, build, more, digests=queries.DIGESTS, items=tuple)
