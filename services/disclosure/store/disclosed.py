"""What is shown of records, by subject."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.chassis.bulk import Rows, columns
from services.chassis.handling import Transaction
from services.disclosure.contracts.fields import EncodedFields, encoded
from services.disclosure.domain.events import RecordStands, Shown, Standing
from services.disclosure.store.writing import exactly

HIDE = """
DELETE FROM disclosed_records AS d USING unnest($1::bytea[], $2::bytea[]) AS gone (subject_id, record_id)
WHERE d.subject_id = gone.subject_id AND d.record_id = gone.record_id
"""
SHOWN = {
    "subject_id": "bytea", "record_id": "bytea", "version": "bigint", "in_public": "boolean",
    "in_government": "boolean", "item": "text", "item_version": "int", "agency": "text", "submission_id": "text",
    "subject_code": "text", "subject_name": "text", "decided_on": "date", "accepted_at": "bigint", "fields": "bytea",
    "changed_at": "bigint",
}  # fmt: skip
NEW_SHOWN = Rows("disclosed_records", SHOWN)
CHANGE_SHOWN = f"""
UPDATE disclosed_records AS old SET {", ".join(f"{name} = new.{name}" for name in [*SHOWN][2:])}
FROM unnest({", ".join(f"${n}::{kind}[]" for n, kind in enumerate(SHOWN.values(), 1))}) AS new ({", ".join(SHOWN)})
WHERE old.subject_id = new.subject_id AND old.record_id = new.record_id
"""  # noqa: S608 - constants above


def shown_in(row: Mapping[str, Any]) -> Shown:
    """What a row of the table shows."""
    return Shown(
        row["item"],
        row["item_version"],
        row["agency"],
        row["submission_id"],
        row["subject_code"],
        row["subject_name"],
        row["decided_on"],
        row["accepted_at"],
        EncodedFields(row["fields"]),
    )


async def save_shown(tx: Transaction, moved: Mapping[bytes, tuple[Standing | None, RecordStands]]) -> None:
    """Write what is shown of records that moved, and take away what is shown no more."""
    gone: list[tuple[bytes, bytes]] = []
    new: list[tuple[Any, ...]] = []
    known: list[tuple[Any, ...]] = []
    for old, event in moved.values():
        to = event.standing
        stays = old is not None and old.shown is not None and old.subject_id == to.subject_id
        if old is not None and old.shown is not None and not (stays and to.shown is not None):
            gone.append((old.subject_id, old.record_id))
        if to.shown is not None:
            (known if stays else new).append(_row(event))
    if gone:
        await tx.execute(HIDE, *columns(sorted(gone)))
    await NEW_SHOWN.insert(tx, sorted(new, key=_key))
    await exactly(tx, CHANGE_SHOWN, sorted(known, key=_key))


def _key(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return row[:2]


def _row(event: RecordStands) -> tuple[Any, ...]:
    standing, shown = event.standing, event.standing.shown
    assert shown is not None
    return (
        standing.subject_id,
        standing.record_id,
        standing.version,
        "public" in standing.feeds,
        "government" in standing.feeds,
        *shown[:7],
        shown.accepted_at_ms,
        encoded(shown.fields),
        event.at_ms,
    )
