"""Disclosure's statements: standings, what is shown, counts, catalogue, cards."""

from __future__ import annotations

from typing import Any

from services.disclosure.store import counts, disclosed, reference, standings
from tests.sim.store.connection import new_rows
from tests.sim.store.engine import Row, Tx
from tests.sim.store.statements import columns, insert_or, named, nothing, statement, update

SHOWN = " ".join(disclosed.SHOWN)


new_rows(standings.NEW_STANDINGS)
new_rows(standings.NEW_LINKS)
new_rows(counts.NEW_COUNTS)
new_rows(counts.NEW_ERASED)
new_rows(disclosed.NEW_SHOWN)


@statement(disclosed.CHANGE_SHOWN)
async def change_shown(tx: Tx, *arrays: list[Any]) -> str:
    rows = {(row["subject_id"], row["record_id"]): row for row in columns(SHOWN, *arrays)}
    return await update(tx, "disclosed_records", rows)


@statement(standings.STANDINGS)
async def known_standings(tx: Tx, ids: list[bytes]) -> list[Row]:
    found: list[Row] = []
    for one in ids:
        row = tx.get("record_standing", one)
        if row is None:
            continue
        head = {"id": one, "standing_version": row["version"], "of_subject": row["subject_id"]}
        shown = tx.get("disclosed_records", (row["subject_id"], one))
        rest = dict.fromkeys(SHOWN.split()) if shown is None else shown
        head |= {name: row[name] for name in ("withdrawn", "link_no", "nobodys")}
        found.append(Row({**head, **dict(rest.items())}))
    return found


@statement(counts.COUNTS)
async def known_counts(tx: Tx, ids: list[bytes]) -> list[Row]:
    rows = [tx.get("subject_files", one) for one in ids]
    return [row.pick("subject_id", "public_seq", "government_seq", "erased") for row in rows if row is not None]


@statement(standings.MOVE_STANDINGS)
async def move_standings(tx: Tx, *arrays: list[Any]) -> str:
    rows = columns("record_id version subject_id withdrawn link_no nobodys version_was link_was", *arrays)

    def unmoved(old: Row, new: dict[str, Any]) -> bool:
        return (old["version"], old["link_no"]) == (new["version_was"], new["link_was"])

    return await update(tx, "record_standing", {row["record_id"]: row for row in rows}, unmoved)


async def _counts(tx: Tx, arrays: tuple[list[Any], ...], **more: Any) -> str:
    rows = columns("subject_id public_seq government_seq public_was government_was", *arrays)

    def unmoved(old: Row, new: dict[str, Any]) -> bool:
        same = (old["public_seq"], old["government_seq"]) == (new["public_was"], new["government_was"])
        return same and not old["erased"]

    return await update(tx, "subject_files", {row["subject_id"]: row | more for row in rows}, unmoved)


@statement(counts.MOVE_COUNTS)
async def move_counts(tx: Tx, *arrays: list[Any]) -> str:
    return await _counts(tx, arrays)


@statement(counts.ERASE)
async def erase(tx: Tx, *arrays: list[Any]) -> str:
    return await _counts(tx, arrays, erased=True)


@statement(standings.OF_SUBJECTS)
async def of_subjects(tx: Tx, ids: list[bytes]) -> list[Row]:
    return [row.pick("record_id") for _, row in tx.scan("disclosed_records") if row["subject_id"] in ids]


@statement(disclosed.HIDE)
async def hide(tx: Tx, subject_ids: list[bytes], record_ids: list[bytes]) -> str:
    gone = 0
    for key in zip(subject_ids, record_ids, strict=True):
        await tx.lock("disclosed_records", key)
        if tx.get("disclosed_records", key) is not None:
            tx.put("disclosed_records", key, None)
            gone += 1
    return f"DELETE {gone}"


@statement("SELECT number FROM catalogue_revision")
async def revision(tx: Tx) -> list[Row]:
    return [tx.get("catalogue_revision", ()) or Row(number=0)]


@statement(reference.RAISE)
async def raise_revision(tx: Tx) -> str:
    await tx.lock("catalogue_revision", ())
    old = tx.get("catalogue_revision", ()) or Row(number=0)
    tx.put("catalogue_revision", (), {"number": old["number"] + 1})
    return "UPDATE 1"


@statement(reference.EDITIONS)
async def editions(tx: Tx) -> list[Row]:
    return [row for _, row in sorted(tx.scan("catalogue"))]


@statement(reference.EDITIONS + " WHERE code = ANY($1::text[])")
async def editions_of(tx: Tx, codes: list[str]) -> list[Row]:
    return [row for key, row in sorted(tx.scan("catalogue")) if key[0] in codes]


@statement(reference.EDITION_UPSERT)
async def save_edition(tx: Tx, *values: Any) -> str:
    row = named("code version fields names_subject", values)
    await insert_or(tx, "catalogue", [((row["code"], row["version"]), row)], lambda old, new: new)
    return "INSERT 0 1"


@statement(reference.CARDS)
async def cards(tx: Tx, ids: list[bytes]) -> list[Row]:
    rows = [tx.get("subjects", one) for one in ids]
    names = ("subject_id", "version", "kind", "name", "code_kinds", "codes", "merged_into")
    return [row.pick(*names) for row in rows if row is not None]


@statement(reference.CARD_UPSERT)
async def save_cards(tx: Tx, *arrays: list[Any]) -> str:
    rows = columns("subject_id version kind name code_kinds codes merged_into changed_at", *arrays)
    for row in rows:
        row["code_kinds"], row["codes"] = _split(row["code_kinds"]), _split(row["codes"])
    written = await insert_or(tx, "subjects", [(row["subject_id"], row) for row in rows], lambda old, new: new)
    return f"INSERT 0 {len(written)}"


def _split(text: str) -> list[str]:
    return text.split("\n") if text else []


@statement(reference.CODES_GONE)
async def codes_gone(tx: Tx, *arrays: list[Any]) -> str:
    gone = 0
    for row in columns("kind code subject_id", *arrays):
        key = (row["code"], row["kind"], row["subject_id"])
        await tx.lock("subject_codes", key)
        if tx.get("subject_codes", key) is not None:
            tx.put("subject_codes", key, None)
            gone += 1
    return f"DELETE {gone}"


@statement(reference.CODES_NEW)
async def codes_new(tx: Tx, *arrays: list[Any]) -> str:
    rows = [((r["code"], r["kind"], r["subject_id"]), r) for r in columns("kind code subject_id", *arrays)]
    return f"INSERT 0 {len(await insert_or(tx, 'subject_codes', rows, nothing))}"
