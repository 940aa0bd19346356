"""What is known of each row of an import, on disk: a million rows and their answers need no memory."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable
from hashlib import blake2b
from typing import Any, NamedTuple

from services.cli.intake.faults import CellFault

NOT_SENT = "NOT_SENT"
UNANSWERED = "UNANSWERED"
FINAL = frozenset({"ACCEPTED", "DUPLICATE", "REFUSED"})


class Answer(NamedTuple):
    """What became of a row: a receipt's outcome, NOT_SENT or UNANSWERED; its faults, or notes if it was accepted."""

    outcome: str
    faults: tuple[CellFault, ...]


class Spool:
    """Rows by number. A temporary database, which the system deletes with the process."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute("CREATE TABLE answers (row INTEGER PRIMARY KEY, outcome TEXT, faults TEXT)")
        self._db.execute("CREATE TABLE keys (key BLOB PRIMARY KEY, record BLOB, row INTEGER) WITHOUT ROWID")
        self._db.execute("BEGIN")

    def close(self) -> None:
        """Forget everything."""
        self._db.close()

    def known_under(self, business_key: str, record_no: str, row: int) -> int | None:
        """The earlier row that says the same decision under another record number, if there is one."""
        key, record = _short(business_key), _short(record_no)
        self._db.execute("INSERT OR IGNORE INTO keys VALUES (?, ?, ?)", (key, record, row))
        known, first = self._db.execute("SELECT record, row FROM keys WHERE key = ?", (key,)).fetchone()
        return first if known != record else None

    def not_sent(self, row: int, faults: Iterable[CellFault]) -> None:
        """A row that no submission could be made of."""
        self._put(row, NOT_SENT, faults)

    def sent(self, row: int) -> None:
        """A row that awaits its answer."""
        self._db.execute("INSERT OR IGNORE INTO answers VALUES (?, ?, '')", (row, UNANSWERED))

    def answered(self, row: int, receipt: dict[str, Any]) -> bool:
        """Take down a receipt; whether it was the row's final one.

        The first final one counts: what was sent twice, after an interruption, was applied once.
        """
        outcome = receipt["outcome"]
        faults = [CellFault(*(fault[name] for name in CellFault._fields)) for fault in receipt["faults"]]
        changed = self._db.execute(
            "UPDATE answers SET outcome = ?, faults = ? WHERE row = ? AND outcome IN ('UNANSWERED', 'WAITING')",
            (outcome, _text(faults), row),
        )
        return bool(changed.rowcount) and outcome in FINAL

    def _put(self, row: int, outcome: str, faults: Iterable[CellFault]) -> None:
        self._db.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", (row, outcome, _text(faults)))

    def outcomes(self) -> Counter[str]:
        """How many rows ended how."""
        return Counter(dict(self._db.execute("SELECT outcome, count(*) FROM answers GROUP BY outcome").fetchall()))

    def codes(self) -> Counter[str]:
        """How often each fault code was stated about a row that was not taken."""
        found: Counter[str] = Counter()
        for text in self._db.execute("SELECT faults FROM answers WHERE outcome IN ('REFUSED', ?)", (NOT_SENT,)):
            found.update({fault[0] for fault in json.loads(text[0] or "[]")})
        return found

    def notes(self) -> Counter[str]:
        """How often each note was made about a row that was taken."""
        found: Counter[str] = Counter()
        for text in self._db.execute("SELECT faults FROM answers WHERE outcome = 'ACCEPTED' AND faults <> ''"):
            found.update({fault[0] for fault in json.loads(text[0])})
        return found

    def answer(self, row: int) -> Answer:
        """What is known of one row."""
        found = self._db.execute("SELECT outcome, faults FROM answers WHERE row = ?", (row,)).fetchone()
        if found is None:
            return Answer(UNANSWERED, ())
        return Answer(found[0], tuple(CellFault(*fault) for fault in json.loads(found[1] or "[]")))


def _text(faults: Iterable[CellFault]) -> str:
    listed = list(faults)
    return json.dumps(listed, ensure_ascii=False) if listed else ""


def _short(text: str) -> bytes:
    return blake2b(text.encode(errors="surrogatepass"), digest_size=12).digest()
