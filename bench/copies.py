"""Copies of rows that the services wrote, under new keys, so that a store is filled with what they write themselves.

Rows are taken out by binary COPY and put in by binary COPY, byte for byte but for the keys, into the same tables with
the same indexes, sorted by key within a batch, as the services do.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple, TypeAlias

from bench.checks import equal
from bench.rig import Connection

CHUNK = 50_000
ORIGINALS = 500
HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
END = b"\xff\xff"
COLUMNS = """
SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute
WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped
"""
Field: TypeAlias = bytes  # as COPY carries it: four bytes of length, then the value; length -1 is NULL
Made = Callable[[int, Field], bytes]  # the value of a key for row `n`, from the original's


class Table(NamedTuple):
    """What of a table is copied: rows that `where` holds for; `keys` are new in each, in the order of its index."""

    name: str
    keys: Mapping[str, Made]
    where: str = "true"


class Copier(NamedTuple):
    """A table with its originals."""

    table: Table
    columns: Sequence[str]
    originals: Sequence[Sequence[Field]]

    async def put(self, store: Connection, numbers: Sequence[int]) -> None:
        """One copy for each number, in batches."""
        for at in range(0, len(numbers), CHUNK):
            await self.send(store, self.stream(numbers[at : at + CHUNK]))

    def stream(self, numbers: Sequence[int]) -> bytes:
        """One copy for each number, encoded as one COPY."""
        made = sorted(map(self._row, numbers))
        fields = len(self.columns).to_bytes(2)
        return HEAD + b"".join(fields + row for _, row in made) + END

    async def send(self, store: Connection, stream: bytes) -> None:
        """Put in what `stream` has encoded, as one statement."""
        await store.copy_to_table(self.table.name, source=io.BytesIO(stream), columns=self.columns, format="binary")

    def _row(self, number: int) -> tuple[bytes, bytes]:
        row = [*self.originals[number % len(self.originals)]]
        keys: list[bytes] = []
        for column, made in self.table.keys.items():
            at = self.columns.index(column)
            row[at] = field(made(number, row[at]))
            keys.append(row[at])
        return b"".join(keys), b"".join(row)


async def copier(store: Connection, table: Table, limit: int = ORIGINALS) -> Copier:
    """With some of the rows that are there; raises `CheckFailed` when there are none."""
    columns: list[str] = await store.fetchval(COLUMNS, table.name)
    out = io.BytesIO()
    query = f"SELECT {', '.join(columns)} FROM {table.name} WHERE {table.where} ORDER BY random() LIMIT {limit}"  # noqa: S608 - constants
    await store.copy_from_query(query, output=out, format="binary")
    originals = _rows(out.getvalue())
    equal(f"{table.name}: there are rows to copy", bool(originals), True)
    return Copier(table, columns, originals)


def _rows(data: bytes) -> list[list[Field]]:
    """A head of 19 bytes, then each row: how many fields, and these."""
    at, rows = len(HEAD), list[list[Field]]()
    while data[at : at + 2] != END:
        row, at = list[Field](), at + 2
        for _ in range(int.from_bytes(data[at - 2 : at])):
            size = max(0, int.from_bytes(data[at : at + 4], signed=True))
            row.append(data[at : at + 4 + size])
            at += 4 + size
        rows.append(row)
    return rows


def field(value: bytes) -> Field:
    """A value that is not NULL."""
    return len(value).to_bytes(4) + value


def hashed(mark: str, each: int = 1) -> Made:
    """Sixteen bytes without order, as the services' ids are; the same for `each` numbers in a row."""
    head = mark.encode()
    return lambda n, _: blake2b(b"%s %d" % (head, n // each), digest_size=16).digest()


def numbered(make: Callable[[int], bytes]) -> Made:
    """From the number alone."""
    return lambda n, _: make(n)


def only_code(code: Callable[[int], str]) -> Made:
    """An array of one code, whose characters stand at its end."""
    return lambda n, original: original[4 : -len(code(n))] + code(n).encode()
