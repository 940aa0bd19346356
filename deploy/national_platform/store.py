"""The simulator's own store: records by id, and the answer given to each idempotency key."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from deploy.national_platform.behaviour import Behaviour

TABLES = """
CREATE TABLE IF NOT EXISTS records (
    record_id TEXT PRIMARY KEY, item TEXT NOT NULL, version INTEGER NOT NULL, deleted INTEGER NOT NULL,
    fields TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS keys (
    key TEXT PRIMARY KEY, times INTEGER NOT NULL, answer TEXT, code TEXT, text TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS behaviour (only_one INTEGER PRIMARY KEY CHECK (only_one = 1), settings TEXT NOT NULL);
"""
# A file of an earlier release has two tables for the keys, and an index that cost more than it saved.
OLD = "SELECT 1 FROM sqlite_master WHERE name = 'seen'"
FROM_OLD = """
BEGIN IMMEDIATE;
INSERT INTO keys SELECT seen.key, times, answer, code, text FROM seen LEFT JOIN answers USING (key);
DROP TABLE seen;
DROP TABLE answers;
DROP INDEX records_item;
COMMIT;
"""
# Ids are random: each batch touches as many pages as it has records, in each index. They must fit in the cache, and
# be written back rarely.
PRAGMAS = ("journal_mode = WAL", "synchronous = NORMAL", "cache_size = -65536", "wal_autocheckpoint = 8192")
PUT = """
INSERT INTO records VALUES (?, ?, ?, ?, ?)
ON CONFLICT (record_id) DO UPDATE SET item = excluded.item, version = excluded.version, deleted = excluded.deleted,
    fields = excluded.fields
WHERE excluded.version > records.version
"""
SEEN = """
SELECT keys.key, times, answer, code, text FROM json_each(?) AS asked JOIN keys ON keys.key = asked.value
"""
KEEP = """
INSERT INTO keys VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET times = excluded.times,
    answer = excluded.answer, code = excluded.code, text = excluded.text
"""
COUNTS = """
SELECT item, sum(NOT deleted) AS active, sum(deleted) AS deleted FROM records GROUP BY item ORDER BY item
"""
ANSWERS = "SELECT answer, count(*) AS n FROM keys WHERE answer IS NOT NULL GROUP BY answer ORDER BY answer"
PAGE = """
SELECT record_id, item, version, deleted, fields FROM records
WHERE item = ? AND record_id > ? ORDER BY record_id LIMIT ?
"""

Answer = tuple[str, str, str]  # answer, code, text
NONE = (None, None, None)


class Pushed(NamedTuple):
    """One record of a batch; `fields` is None for a deletion, `text` is what is kept of them."""

    key: str
    record_id: str
    version: int
    item: str
    fields: dict[str, str] | None
    text: str


class Seen(NamedTuple):
    """How often an idempotency key has come, and the final answer that it got, if it got one."""

    times: int = 0
    answer: Answer | None = None


class Store:
    """SQLite; used by one thread, one request at a time."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        for pragma in PRAGMAS:
            self._db.execute(f"PRAGMA {pragma}")
        self._db.executescript(TABLES)
        if self._db.execute(OLD).fetchone():
            self._db.executescript(FROM_OLD)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def __enter__(self) -> Store:
        self._db.execute("BEGIN IMMEDIATE")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        self._db.execute("COMMIT" if kind is None else "ROLLBACK")

    def seen(self, keys: Sequence[str]) -> dict[str, Seen]:
        """What is known of those of these keys that have come before."""
        rows = self._db.execute(SEEN, (json.dumps(keys),))
        return {key: Seen(times, answer and (answer, code, text)) for key, times, answer, code, text in rows}

    def keep(self, seen: Mapping[str, Seen]) -> None:
        """Remember the keys; one that has its final answer is answered the same for ever."""
        self._db.executemany(KEEP, [(key, times, *(answer or NONE)) for key, (times, answer) in seen.items()])

    def put(self, records: Iterable[Pushed]) -> None:
        """Keep the records, or mark them deleted; an older version than the one held changes nothing."""
        rows = [(r.record_id, r.item, r.version, r.fields is None, r.text) for r in records]
        self._db.executemany(PUT, rows)

    def counts(self) -> dict[str, Any]:
        """Records by item, answers by kind."""
        items = {r["item"]: {"active": r["active"], "deleted": r["deleted"]} for r in self._db.execute(COUNTS)}
        answers = self._db.execute(ANSWERS)
        return {"counts": items, "answers": {row["answer"]: row["n"] for row in answers}}

    def page(self, item: str, after: str, limit: int) -> list[dict[str, Any]]:
        """Records of an item in the order of their ids."""
        rows = self._db.execute(PAGE, (item, after, limit))
        return [
            {**row, "deleted": bool(row["deleted"]), "fields": json.loads(row["fields"])} for row in map(dict, rows)
        ]

    def behaviour(self) -> dict[str, Any]:
        """The behaviour last set, which survives a restart."""
        row = self._db.execute("SELECT settings FROM behaviour").fetchone()
        return {} if row is None else json.loads(row[0])

    def keep_behaviour(self, behaviour: Behaviour) -> None:
        """Keep the behaviour."""
        self._db.execute("INSERT OR REPLACE INTO behaviour VALUES (1, ?)", (json.dumps(behaviour.table()),))
