"""One hash per table, equal for equal content: whatever the order of the rows, whichever process wrote them.

Left out, because a store that was rebuilt may rightly differ in it: who owns the lanes and how often they were claimed
(`lanes`: epoch, attempts, published), numbers drawn from sequences (`origins`, `turns.number`), how often the store was
restored (`incarnation`), when its tables were made (`migrations`). Origins are compared by name. What a service says
does not follow from its lanes comes on top (`Service.unreplayed`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from hashlib import blake2b
from typing import Any

from services.chassis import outbox
from services.chassis.handling import Transaction

TABLES = frozenset({"origins", "incarnation", "migrations"})
COLUMNS = frozenset({"lanes.epoch", "lanes.attempts", "lanes.published", "lanes.origin_ids", "turns.number"})
LEFT_OUT = TABLES | COLUMNS
WIDTH = 1 << 128
PAGE = 200

ALL = """
SELECT c.relname AS name, array_agg(a.attname::text ORDER BY a.attnum) AS columns FROM pg_class AS c
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
GROUP BY c.relname ORDER BY c.relname
"""
# The sum of two 60-bit halves of each row's MD5: enough against faults, which this is for; no seal against forgery.
SUMS = """
SELECT count(*) AS rows, coalesce(sum(('x' || substr(h, 1, 15))::bit(60)::bigint), 0) AS one,
    coalesce(sum(('x' || substr(h, 17, 15))::bit(60)::bigint), 0) AS other
FROM (SELECT md5(ROW({columns})::text) AS h FROM {table}) AS hashed
"""
ORIGINS = """
(SELECT array_agg(o.name || ' ' || p ORDER BY o.name) FROM unnest(origin_ids, origin_positions) AS u (i, p)
 JOIN origins AS o ON o.id = u.i)
"""
SPECIAL = {"origin_positions": ORIGINS, "blob": "md5(blob)"}  # by name; not as twice as many hexadecimal digits
OUTBOX = "SELECT topic, partition, first_position, last_position, created_at, blob FROM outbox"


async def hashes(tx: Transaction, left_out: Collection[str]) -> dict[str, str]:
    """`rows:hash` of every table of this store but the chassis' and these exceptions (`table` or `table.column`).

    Of the outbox: as its blobs are packed. Where two stores differ in that, `said` is what counts.
    """
    found: dict[str, str] = {}
    for row in await tx.fetch(ALL):
        table = str(row["name"])
        if table not in TABLES and table not in left_out:
            skipped = COLUMNS | set(left_out)
            found[table] = await _table(tx, table, [c for c in row["columns"] if f"{table}.{c}" not in skipped])
    return found


async def _table(tx: Transaction, table: str, columns: Iterable[str]) -> str:
    named = [SPECIAL.get(column, f'"{column}"') for column in columns]
    row: Any = await tx.fetchrow(SUMS.format(columns=", ".join(named), table=f'"{table}"'))
    return f"{row['rows']}:{int(row['one']) % WIDTH:x}-{int(row['other']) % WIDTH:x}"


async def said(tx: Transaction) -> str:
    """The outbox by what its blobs hold: another edition of the compressor may pack the same events in other bytes."""
    rows = total = 0
    async for *place, blob in tx.cursor(OUTBOX, prefetch=PAGE):
        held = blake2b(repr(place).encode(), digest_size=16)
        held.update(repr(outbox.events(blob)).encode())
        rows, total = rows + 1, (total + int.from_bytes(held.digest())) % WIDTH
    return f"{rows}:{total:x}"
