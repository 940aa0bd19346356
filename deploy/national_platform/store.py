"""The simulator's own store: records by id, and the answer given to each idempotency key."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

from deploy.national_platform.behaviour import Behaviour

TABLES = """
CREATE TABLE IF NOT EXISTS records (
    record_id TEXT PRIMARY KEY, item TEXT NOT NULL, version INTEGER NOT NULL, deleted INTEGER NOT NULL,
    fields TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS records_item ON records (item, record_id);
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, answer TEXT NOT NULL, code TEXT NOT NULL, text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS seen (key TEXT PRIMARY KEY, times INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS behaviour (only_one INTEGER PRIMARY KEY CHECK (only_one = 1), settings TEXT NOT NULL);
"""
PUT = """
INSERT INTO records VALUES (:record_id, :item, :version, :deleted, :fields)
ON CONFLICT (record_id) DO UPDATE SET item = excluded.item, version = excluded.version, deleted = excluded.deleted,
    fields = excluded.fields
WHERE excluded.version > records.version
"""
SEEN = """
INSERT INTO seen VALUES (?, 1) ON CONFLICT (key) DO UPDATE SET times = times + 1 RETURNING times
"""
COUNTS = """
SELECT item, sum(NOT deleted) AS active, sum(deleted) AS deleted FROM records GROUP BY item ORDER BY item
"""
PAGE = """
SELECT record_id, item, version, deleted, fields FROM records
WHERE item = ? AND record_id > ? ORDER BY record_id LIMIT ?
"""


class Store:
    """SQLite; used by one thread, one request at a time."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(TABLES)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def __enter__(self) -> Store:
        self._db.execute("BEGIN IMMEDIATE")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        self._db.execute("COMMIT" if kind is None else "ROLLBACK")

    def seen(self, key: str) -> int:
        """How often this key has come, this time included."""
        return int(self._db.execute(SEEN, (key,)).fetchone()[0])

    def answer(self, key: str) -> dict[str, str] | None:
        """The final answer that this key got, if it got one."""
        row = self._db.execute("SELECT key, answer, code, text FROM answers WHERE key = ?", (key,)).fetchone()
        return None if row is None else dict(row)

    def keep_answer(self, answer: dict[str, str]) -> None:
        """Answer this key the same for ever."""
        self._db.execute("INSERT INTO answers VALUES (:key, :answer, :code, :text)", answer)

    def put(self, record_id: str, item: str, version: int, fields: dict[str, str] | None) -> None:
        """Keep the record, or mark it deleted; an older version than the one held changes nothing."""
        text = json.dumps(fields or {}, ensure_ascii=False)
        row = {"record_id": record_id, "item": item, "version": version, "deleted": fields is None, "fields": text}
        self._db.execute(PUT, row)

    def counts(self) -> dict[str, Any]:
        """Records by item, answers by kind."""
        items = {r["item"]: {"active": r["active"], "deleted": r["deleted"]} for r in self._db.execute(COUNTS)}
        answers = self._db.execute("SELECT answer, count(*) AS n FROM answers GROUP BY answer ORDER BY answer")
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
