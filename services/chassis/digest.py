"""`python -m services.<service> digest VIEW [items=A,B] [PREFIX ...]`: what a store holds of records, as hashes.

Without prefixes the leaves of a hash tree: for each two-byte prefix of the record id how many (id, version) pairs there
are and the XOR of their hashes (64 bits of SHA-256: enough against faults, no seal against forgery). XOR, so that an
inner node is the XOR of its children. With prefixes: the pairs below them.
`digest items`: the items this store follows.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence

from services.chassis import logs
from services.chassis.errors import Transient
from services.chassis.rebuilding import snapshot
from services.chassis.settings import Settings

# A view gives record_id and version; `$1` are the items asked for, NULL: all.
LEAVES = """
SELECT substr(record_id, 1, 2) AS prefix, count(*) AS records,
    bit_xor(substr(sha256(record_id || int8send(version)), 1, 8)::bigint) AS hash
FROM ({view}) AS v GROUP BY 1 ORDER BY 1
"""
PAIRS = """
SELECT record_id, version FROM ({view}) AS v WHERE substr(record_id, 1, 2) = ANY($2::bytea[]) ORDER BY record_id
"""
Items = Callable[[], Iterable[str]]


def say(views: Mapping[str, str], items: Items, words: Sequence[str]) -> None:
    """The step; ends the process with one line and exit code 1 when it cannot be done."""
    settings = Settings.from_environment()
    logs.configure(settings)
    name = words[0] if words else ""
    if name == "items":
        sys.stdout.write(json.dumps({"items": sorted(items())}) + "\n")
    elif name not in views:
        raise SystemExit(f"{settings.service}: there is no view {name!r}: choose from {', '.join(['items', *views])}")
    else:
        _ask(settings, views[name], words[1:])


def _ask(settings: Settings, view: str, words: Sequence[str]) -> None:
    only = [word.removeprefix("items=").split(",") for word in words if word.startswith("items=")]
    prefixes = [bytes.fromhex(word) for word in words if not word.startswith("items=")]
    try:
        asyncio.run(_say(settings, view, only[0] if only else None, prefixes))
    except Transient as trouble:
        raise SystemExit(f"{settings.service}: {trouble.args[0]} is away; start it and try again") from None


async def _say(settings: Settings, view: str, only: list[str] | None, prefixes: list[bytes]) -> None:
    query, more = (PAIRS, [prefixes]) if prefixes else (LEAVES, [])
    async with snapshot(settings) as tx:
        async for row in tx.cursor(query.format(view=view), only, *more, prefetch=5000):
            told = {name: value.hex() if isinstance(value, bytes) else value for name, value in row.items()}
            sys.stdout.write(json.dumps(told) + "\n")
