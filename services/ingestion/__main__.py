"""`python -m services.ingestion run | migrate | parked | lanes | replay | digest`; of its own MORE."""

from __future__ import annotations

from pathlib import Path

from services.chassis import entry
from services.ingestion import feed_list, queries, shipping
from services.ingestion.main import build

MORE = {
    "catalogue": shipping.publish_catalogue,
    "item": shipping.say_item,
    "errors": shipping.say_errors,
    "agencies": shipping.say_agencies,
    "registered": shipping.say_registered,
    "feeds": feed_list.say,
}

if __name__ == "__main__":
    entry.main(Path(__file__).parent, build, MORE, digests=queries.DIGESTS, items=tuple)
