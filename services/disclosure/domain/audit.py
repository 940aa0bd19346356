"""The audit chain: each row holds the hash of the one before, so that a row changed or left out shows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from json.encoder import encode_basestring_ascii as quoted
from typing import NamedTuple

GENESIS = bytes(32)


class Looked(NamedTuple):
    """Somebody looked: who, by which door, what for, at whom (None: at nobody we know)."""

    at_ms: int
    caller: str
    channel: str
    purpose: str
    method: str
    subject_id: bytes | None
    outcome: str


class Head(NamedTuple):
    """The end of a chain."""

    seq: int = 0
    hash: bytes = GENESIS


class AuditRow(NamedTuple):
    """One link."""

    chain: str
    seq: int
    prev_hash: bytes
    hash: bytes
    looked: Looked


def digest(chain: str, seq: int, prev_hash: bytes, looked: Looked) -> bytes:
    """SHA-256 of the row in one form only: a JSON array, ids and hashes in hexadecimal.

    Written out, because `json.dumps` takes four times as long; a test holds the two equal.
    """
    at_ms, caller, channel, purpose, method, subject_id, outcome = looked
    subject = f'"{subject_id.hex()}"' if subject_id is not None else "null"
    texts = f"{quoted(caller)},{quoted(channel)},{quoted(purpose)},{quoted(method)},{subject},{quoted(outcome)}"
    return hashlib.sha256(f'[{quoted(chain)},{seq},"{prev_hash.hex()}",{at_ms},{texts}]'.encode()).digest()


def link(chain: str, head: Head, looks: Iterable[Looked]) -> list[AuditRow]:
    """The rows that continue a chain."""
    rows: list[AuditRow] = []
    for looked in looks:
        seq = head.seq + 1
        row = AuditRow(chain, seq, head.hash, digest(chain, seq, head.hash, looked), looked)
        rows.append(row)
        head = Head(seq, row.hash)
    return rows


def broken_at(rows: Sequence[AuditRow]) -> int | None:
    """The first `seq` that does not follow from the rows before it; None: the chain holds."""
    head = Head()
    for row in rows:
        expected = digest(row.chain, head.seq + 1, head.hash, row.looked)
        if (row.seq, row.prev_hash, row.hash) != (head.seq + 1, head.hash, expected):
            return row.seq
        head = Head(row.seq, row.hash)
    return None
