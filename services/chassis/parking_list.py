"""`python -m services.<service> parked [topic/partition/offset]`: what is parked, as JSON lines, one a message.

Never a key, never content: a key may be an agency's own number of a record, and a value names people. Told is where a
message lies, why, since when, how large it is, which schema wrote it, and the first place of its key (`head`): the one
that must be mended, released or discarded before those behind it. Of one message, also the detail (scrubbed) and the
names of its headers. A timer lies on no topic: its place is below -1, and `timer` is its kind.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from services.chassis import logs, wire
from services.chassis.errors import Transient
from services.chassis.rebuilding import snapshot
from services.chassis.settings import Settings

PAGE = 1000
SHOWN_HEADERS = frozenset({"origin", "position", "timer"})  # ours; all others by name alone

LIST = """
SELECT topic, partition, "offset", code, message_at, parked_at, released_at, discarded_at,
    coalesce(length(value), 0) AS bytes, substr(value, 1, 5) AS frame, detail, headers,
    CASE WHEN key = '' THEN "offset"
         ELSE first_value("offset") OVER (PARTITION BY topic, partition, key ORDER BY "offset" >= 0, abs("offset"))
         END AS head
FROM parked ORDER BY topic, partition, "offset" >= 0, abs("offset")
"""


def say(words: Sequence[str]) -> None:
    """The step; ends the process with one line and exit code 1 while the database is away."""
    settings = Settings.from_environment()
    logs.configure(settings)
    try:
        asyncio.run(_say(settings, words[0] if words else ""))
    except Transient as trouble:
        raise SystemExit(f"{settings.service}: {trouble.args[0]} is away; start it and try again") from None


async def _say(settings: Settings, place: str) -> None:
    async with snapshot(settings) as tx:
        async for row in tx.cursor(LIST, prefetch=PAGE):
            told = masked(row, whole=bool(place))
            if place in ("", told["place"]):
                sys.stdout.write(json.dumps(told, ensure_ascii=False, default=str) + "\n")


def masked(row: Mapping[str, Any], whole: bool) -> dict[str, Any]:
    """What may be told of a parked message."""
    told = {name: row[name] for name in ("topic", "partition", "offset", "code", "message_at", "parked_at")}
    told |= {
        "place": f"{row['topic']}/{row['partition']}/{row['offset']}",
        "head": f"{row['topic']}/{row['partition']}/{row['head']}",
        "state": "DISCARDED" if row["discarded_at"] else "RELEASED" if row["released_at"] else "PARKED",
        "bytes": row["bytes"],
        "schema_id": wire.schema_id_of(row["frame"]),
    }
    headers = [(name, bytes.fromhex(value)) for name, value in json.loads(row["headers"])]
    if row["offset"] < 0:
        told["timer"] = dict(headers).get("timer", b"").decode(errors="replace")
    if whole:
        shown = {name: value.decode(errors="replace") for name, value in headers if name in SHOWN_HEADERS}
        told |= {"detail": logs.scrub(row["detail"]), "headers": {name: shown.get(name, "***") for name, _ in headers}}
    return told
