"""`python -m services.ingestion run | migrate | parked | lanes | replay | digest`, and its own: `catalogue | errors |
agencies | registered`."""

from __future__ import annotations

from pathlib import Path

from services.chassis import entry
from services.ingestion import queries, shipping
from services.ingestion.main import build

if __name__ == "__main__":
    more = {
        "catalogue": shipping.publish_catalogue,
        "errors": shipping.say_errors,
        "agencies": shipping.say_agencies,
        "registered": shipping.say_registered,
    }
    entry.main(Path(__file__).parent, build, more, digests=queries.DIGESTS, items=tuple)
