"""`python -m services.<service> digest nodes|pairs [PREFIX ...]`: what a store holds of records, as hashes.

A hash tree over record ids, one byte a level. `nodes` says of each view and item how many (id, version) pairs lie below
each child of these prefixes, and the XOR of their hashes (64 bits of SHA-256: enough against faults, no seal against
forgery); XOR, so that an inner node is the XOR of its children. Without a prefix: the children of the root. `pairs`
says the pairs themselves. The first line says which items this store follows.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from services.chassis import logs
from services.chassis.errors import Transient
from services.chassis.handling import Transaction
from services.chassis.rebuilding import snapshot
from services.chassis.settings import Settings

# A view gives record_id, version and item: empty, where the store does not know it.
# The hashes are made first: each aggregate of a row would make its own otherwise.
NODES = """
SELECT item, encode(prefix, 'hex') AS prefix, count(*) AS records, bit_xor(hash) AS hash
FROM (
    SELECT item, substr(record_id, 1, $1) AS prefix,
        substr(sha256(record_id || int8send(version)), 1, 8)::bigint AS hash
    FROM ({view}) AS v WHERE $1 = 1 OR substr(record_id, 1, $1 - 1) = ANY($2::bytea[])
) AS hashed GROUP BY item, prefix
"""
PAIRS = """
SELECT item, encode(record_id, 'hex') AS record_id, version FROM ({view}) AS v
WHERE substr(record_id, 1, $1) = ANY($2::bytea[])
"""
PAGE = 5000
Items = Callable[[], Iterable[str]]


def say(views: Mapping[str, str], items: Items, words: Sequence[str]) -> None:
    """The step; ends the process with one line and exit code 1 when it cannot be done."""
    settings = Settings.from_environment()
    logs.configure(settings)
    step, *prefixes = words or [""]
    if step not in ("nodes", "pairs") or len(set(map(len, prefixes))) > 1 or (step == "pairs" and not prefixes):
        raise SystemExit(f"{settings.service}: digest nodes [PREFIX ...] or digest pairs PREFIX ..., of one length")
    _write({"items": sorted(items())})
    try:
        asyncio.run(_say(settings, views, step, list(map(bytes.fromhex, prefixes))))
    except Transient as trouble:
        raise SystemExit(f"{settings.service}: {trouble.args[0]} is away; start it and try again") from None


async def _say(settings: Settings, views: Mapping[str, str], step: str, prefixes: list[bytes]) -> None:
    length = len(prefixes[0]) if prefixes else 0
    async with snapshot(settings) as tx:
        for name, view in views.items():
            if step == "pairs":
                await _say_rows(tx, name, PAIRS.format(view=view), length, prefixes)
            else:
                await _say_rows(tx, name, NODES.format(view=view), length + 1, prefixes)


async def _say_rows(tx: Transaction, view: str, query: str, *arguments: Any) -> None:
    async for row in tx.cursor(query, *arguments, prefetch=PAGE):
        _write({"view": view, **row})


def _write(said: Mapping[str, object]) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
