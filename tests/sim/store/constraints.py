"""What the tables refuse: missing values, values outside a closed set, references to nothing. Held to the real tables
by the contract suite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import asyncpg

# Columns that may be null, by table, then by service where two services have a table of that name.
NULLABLE: dict[str, frozenset[str]] = {
    "parked": frozenset(("value", "released_at", "discarded_at", "discarded_by")),
    "aliases": frozenset(("subject_id",)),
    "reviews": frozenset(
        ("alias_id", "accepted", "settled_at", "claimed_by", "claimed_until", "proposed_by", "proposed")
    ),
    "subjects": frozenset(("name", "merged_into")),
    "person_keys": frozenset(("wrapped", "kek_id")),
    "disclosed_records": frozenset(("subject_code", "subject_name")),
    "listings": frozenset(("subject_id", "subject_code", "subject_name")),
    "tasks": frozenset(("subject_code", "subject_name", "due_on")),
    "feedback_answers": frozenset(("task_version",)),
    "exchanges": frozenset(("submission",)),
    "agencies": frozenset(("expected_since",)),
    "item_lives": frozenset(("retired_at",)),
    "feeds": frozenset(("earliest_decided",)),
    "decisions": frozenset(("subject_id",)),
    "answered": frozenset(("detail",)),
    "relations": frozenset(("name_digest", "person_id", "ended_as", "ended_by", "ended_at")),
}
ONE_OF: dict[str, dict[str, tuple[str, ...]]] = {
    "orders": {"kind": ("release", "discard")},
    "subjects": {"kind": ("org", "sole_trader")},
    "relations": {"role": ("LEGAL_REPRESENTATIVE", "HEAD", "OWNER", "RESPONSIBLE_PERSON")},
    "reviews": {"state": ("WAITING", "LINKED", "SUPERSEDED", "REJECTED")},
    "listings": {"standing": ("UNKNOWN", "LISTED", "LIFTED", "REFUSED")},
    "tasks": {"status": ("OPENED", "CLOSED", "LIFTED")},
    "exchanges": {"action": ("put", "delete"), "state": ("UNKNOWN", "PENDING", "ACKNOWLEDGED", "REFUSED", "RETRYING")},
}
# Column -> the table whose key it is, and whether that key is a tuple here.
REFERENCES: dict[str, dict[str, tuple[str, bool]]] = {
    "parked": {"discarded_by": ("orders", True)},
    "discarded": {"command_id": ("orders", True)},
    "tasks": {"record_id": ("listings", False)},
    "feedback_answers": {"task_id": ("tasks", False)},
}
NONE: frozenset[str] = frozenset()


def check(tx: Any, table: str, row: Mapping[str, Any]) -> None:
    """Raises the driver's error for a row that the table refuses."""
    nullable = NULLABLE.get(table, NONE)
    for name, value in row.items():
        if value is None and name not in nullable:
            raise asyncpg.NotNullViolationError(f"null value in column {name} of {table}")
    for name, allowed in ONE_OF.get(table, {}).items():
        if row[name] not in allowed:
            raise asyncpg.CheckViolationError(f"{name} of {table}")
    if table == "disclosed_records" and not row["in_government"]:  # whatever the public may see, the government may
        raise asyncpg.CheckViolationError("nobody may see it, or the public alone")
    if table == "relations" and row["ended_as"] is None and (row["name_digest"] is None) == (row["person_id"] is None):
        raise asyncpg.CheckViolationError("nobody, or a name and a person")
    for name, (other, as_tuple) in REFERENCES.get(table, {}).items():
        key = row[name]
        if key is not None and tx.get(other, (key,) if as_tuple else key) is None:
            raise asyncpg.ForeignKeyViolationError(f"{name} of {table}")
