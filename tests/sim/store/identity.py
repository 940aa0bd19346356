"""Identity's statements: subjects, aliases, links, reviews."""

from __future__ import annotations

import json
from typing import Any

from services.identity.store import (
    aliases,
    code_links,
    ledger,
    links,
    locks,
    missing,
    pepper,
    rates,
    relations,
    reviews,
    subjects,
)
from tests.sim.store.connection import new_rows, refuse
from tests.sim.store.engine import Row, Tx
from tests.sim.store.statements import columns, delete, insert_or, named, nothing, statement, update

UNCLAIMED = dict.fromkeys(("claimed_by", "claimed_until", "proposed_by", "proposed"))


@statement(pepper.MARK)
async def mark(tx: Tx) -> list[Row]:
    return [row.pick("mark") for _, row in tx.scan("pepper")]


@statement(pepper.SET_MARK)
async def set_mark(tx: Tx, mark: bytes) -> str:
    await insert_or(tx, "pepper", [(True, {"mark": mark})], refuse)
    return "INSERT 0 1"


@statement(reviews.HELD)
async def held(tx: Tx, record_ids: list[bytes], alias_ids: list[bytes]) -> list[Row]:
    waiting = [row for _, row in tx.scan("reviews") if row["state"] == "WAITING"]
    asked = set(record_ids) | {row["record_id"] for row in waiting if row["alias_id"] in set(alias_ids)}
    found = sorted((r for r in waiting if r["record_id"] in asked), key=lambda r: (r["record_id"], r["version"]))
    return [
        r.pick("record_id", "version", "reason", "alias_id", "item", "agency", "accepted", "link_no") for r in found
    ]


@statement(locks.TOGETHER)
async def together(tx: Tx) -> str:
    await tx.lock("advisory", 20170904, shared=True)
    return "SELECT 1"


@statement(locks.ALONE)
async def by_itself(tx: Tx) -> str:
    await tx.lock("advisory", 20170904)
    return "SELECT 1"


@statement(ledger.NUMBER)
async def number(tx: Tx) -> list[Row]:
    return [tx.get("link_number", ()) or Row(number=0)]


@statement(ledger.COUNT)
async def count(tx: Tx, number: int) -> str:
    await tx.lock("link_number", ())
    tx.put("link_number", (), {"number": number})
    return "UPDATE 1"


@statement(ledger.MAPPINGS)
async def mappings(tx: Tx, records: list[bytes], codes: list[bytes]) -> list[Row]:
    rows = [row for _, row in tx.scan("mappings")]
    wanted = {row["alias_id"] for row in rows if row["record_id"] in records} | set(codes)
    return [
        row.pick("record_id", "alias_id", "subject_id", "kind", "code") for row in rows if row["alias_id"] in wanted
    ]


@statement(ledger.MAP)
async def map_(tx: Tx, *arrays: list[Any]) -> str:
    rows = columns("record_id alias_id subject_id kind code", *arrays)
    written = await insert_or(tx, "mappings", [(row["record_id"], row) for row in rows], lambda old, new: new)
    return f"INSERT 0 {len(written)}"


async def _gone(tx: Tx, table: str, keys: list[bytes]) -> str:
    gone = 0
    for key in keys:
        await tx.lock(table, key)
        if tx.get(table, key) is not None:
            tx.put(table, key, None)
            gone += 1
    return f"DELETE {gone}"


@statement(ledger.UNMAP)
async def unmap(tx: Tx, ids: list[bytes]) -> str:
    return await _gone(tx, "mappings", ids)


@statement(ledger.WHOLE)
async def whole(tx: Tx) -> str:
    return "SET"


@statement(ledger.TREES)
async def trees(tx: Tx, ids: list[bytes]) -> list[Row]:
    found, rows = list(dict.fromkeys(ids)), [row for _, row in tx.scan("subjects")]
    for one in found:  # it grows meanwhile
        below = (row["subject_id"] for row in rows if row["merged_into"] == one)
        found += [subject_id for subject_id in below if subject_id not in found]
    return [Row(subject_id=one) for one in found]


@statement(ledger.MEMBERS)
async def members(tx: Tx, ids: list[bytes]) -> list[Row]:
    return [row.pick("subject_id", "record_id") for _, row in tx.scan("record_links") if row["subject_id"] in ids]


@statement(ledger.JUDGEMENTS)
async def judgements(tx: Tx, ids: list[bytes]) -> list[Row]:
    rows = [row for _, row in sorted(tx.scan("judgements"))]
    return [row for row in rows if row["one"] in ids or row["other"] in ids]


@statement(ledger.JUDGE)
async def judge(tx: Tx, *arrays: list[Any]) -> str:
    rows = columns("number verdict one other issued_by reason judged_at", *arrays)
    await insert_or(tx, "judgements", [(row["number"], row) for row in rows], refuse)
    return f"INSERT 0 {len(rows)}"


@statement(ledger.ANSWERED)
async def answered(tx: Tx, ids: list[str]) -> list[Row]:
    return [row for key, row in sorted(tx.scan("answered")) if key in ids]


@statement(ledger.ANSWER)
async def answer(tx: Tx, *values: Any) -> str:
    row = named("command_id faults detail", values)
    await insert_or(tx, "answered", [(row["command_id"], row)], refuse)
    return "INSERT 0 1"


@statement(ledger.CLAIMS)
async def claims(tx: Tx, ids: list[bytes]) -> list[Row]:
    rows = [row for _, row in sorted(tx.scan("reviews")) if row["state"] == "WAITING" and row["record_id"] in ids]
    names = ("record_id", "version", "claimed_by", "claimed_until", "proposed_by", "proposed")
    return [row.pick(*names) for row in rows]


@statement(ledger.CLAIM)
async def claim(tx: Tx, *values: Any) -> str:
    row = named("record_id version claimed_by claimed_until proposed_by proposed", values)
    place = row["record_id"], row["version"]
    return await update(tx, "reviews", {place: row}, lambda old, new: old["state"] == "WAITING")


@statement(ledger.DECIDE)
async def decide(tx: Tx, *values: Any) -> str:
    names = "command_id record_id version decision subject_id carried_out issued_by reason decided_at"
    row = named(names, values)
    await insert_or(tx, "decisions", [(row["command_id"], row)], refuse)
    return "INSERT 0 1"


@statement(rates.ADD)
async def add_rates(tx: Tx, *arrays: list[Any]) -> str:
    rows = columns("agency month shard checked unmapped wrong duplicate", *arrays)

    def added(old: Row, new: dict[str, Any]) -> dict[str, Any]:
        return {**new, **{name: old[name] + new[name] for name in ("checked", "unmapped", "wrong", "duplicate")}}

    keyed = [((row["agency"], row["month"], row["shard"]), row) for row in rows]
    return f"INSERT 0 {len(await insert_or(tx, 'code_rates', keyed, added))}"


@statement(links.UNLINK)
async def unlink(tx: Tx, ids: list[bytes]) -> str:
    return await _gone(tx, "record_links", ids)


@statement(code_links.FORGET)
async def forget(tx: Tx, ids: list[bytes]) -> str:
    return await _gone(tx, "code_links", ids)


@statement(code_links.KEEP)
async def keep(tx: Tx, *arrays: list[Any]) -> str:
    rows = columns("record_id alias_id version accepted", *arrays)
    written = await insert_or(tx, "code_links", [(row["record_id"], row) for row in rows], lambda old, new: new)
    return f"INSERT 0 {len(written)}"


@statement(reviews.REOPEN)
async def reopen(tx: Tx, *arrays: list[Any]) -> str:
    """The key of the table holds the state; here it is left out, and what waits again takes the place of what was."""
    keys = [(row["record_id"], row["version"]) for row in columns("record_id version", *arrays)]
    settled = [key for key in keys if (row := tx.get("reviews", key)) is not None and row["state"] != "WAITING"]
    return await _gone(tx, "reviews", settled)  # pyright: ignore[reportArgumentType] - keys of any kind


@statement(code_links.LINKED_BY)
async def linked_by(tx: Tx, codes: list[bytes]) -> list[Row]:
    found = sorted(tx.scan("code_links"), key=lambda found: found[0])
    return [row.pick("record_id", "accepted") for _, row in found if row["alias_id"] in codes]


@statement(code_links.LINKED_AS)
async def linked_as(tx: Tx, ids: list[bytes]) -> list[Row]:
    found = sorted(tx.scan("code_links"), key=lambda found: found[0])
    return [row.pick("record_id", "accepted") for key, row in found if key in ids]


@statement(reviews.REJECTED)
async def rejected(tx: Tx, ids: list[bytes]) -> list[Row]:
    rows = [row for _, row in sorted(tx.scan("reviews")) if row["state"] == "REJECTED" and row["record_id"] in ids]
    last = {row["record_id"]: row for row in rows}
    return [row.pick("record_id", "version", "link_no") for row in last.values()]


@statement(aliases.PLACE_ALIASES)
async def place_aliases(tx: Tx, ids: list[bytes], kinds: list[str]) -> str:
    rows = columns("alias_id kind", ids, kinds)
    rows.sort(key=lambda row: row["alias_id"])
    empty = {"subject_id": None, "source": "", "contested": False}
    written = await insert_or(tx, "aliases", [(row["alias_id"], row | empty) for row in rows], nothing)
    return f"INSERT 0 {len(written)}"


async def _locked(tx: Tx, table: str, ids: list[bytes], names: str) -> list[Row]:
    found: list[Row] = []
    for one in sorted(set(ids)):
        if tx.get(table, one) is not None:
            await tx.lock(table, one)
            found.append((tx.get(table, one) or Row()).pick(*names.split()))
    return found


@statement(aliases.LOCK_ALIASES)
async def lock_aliases(tx: Tx, ids: list[bytes]) -> list[Row]:
    return await _locked(tx, "aliases", ids, "alias_id kind subject_id source contested")


@statement(subjects.PLACE_SUBJECTS)
async def place_subjects(tx: Tx, ids: list[bytes]) -> str:
    empty: dict[str, Any] = {"kind": "org", "name": None, "named_at": 0, "version": 0, "codes": "[]"}
    empty["merged_into"] = None
    rows = [(one, {"subject_id": one} | empty) for one in sorted(ids)]
    return f"INSERT 0 {len(await insert_or(tx, 'subjects', rows, nothing))}"


@statement(subjects.LOCK_SUBJECTS)
async def lock_subjects(tx: Tx, ids: list[bytes]) -> list[Row]:
    return await _locked(tx, "subjects", ids, "subject_id kind name named_at version codes merged_into")


@statement(subjects.KNOWN_SUBJECTS)
async def known_subjects(tx: Tx, ids: list[bytes]) -> list[Row]:
    rows = [tx.get("subjects", one) for one in sorted(set(ids))]
    names = ("subject_id", "kind", "name", "named_at", "version", "codes", "merged_into")
    return [row.pick(*names) for row in rows if row is not None and row["version"] > 0]


@statement(links.LINKS)
async def known_links(tx: Tx, ids: list[bytes]) -> list[Row]:
    asked = set(ids)
    names = ("record_id", "subject_id", "version", "rule", "evidence", "link_no")
    return [row.pick(*names) for key, row in tx.scan("record_links") if key in asked]


@statement(missing.MISSING)
async def missing_versions(tx: Tx, ids: list[bytes]) -> list[Row]:
    found = sorted(tx.scan("missing_versions"), key=lambda found: found[0])
    return [row.pick("record_id", "version") for _, row in found if row["record_id"] in ids]


@statement(missing.MISS)
async def miss(tx: Tx, *arrays: list[Any]) -> str:
    rows = [((row["record_id"], row["version"]), row) for row in columns("record_id version", *arrays)]
    await insert_or(tx, "missing_versions", rows, refuse)
    return f"INSERT 0 {len(rows)}"


@statement(missing.ARRIVE)
async def arrive(tx: Tx, *arrays: list[Any]) -> str:
    rows = [Row(row) for row in columns("record_id version", *arrays)]
    return f"DELETE {len(await delete(tx, 'missing_versions', ['record_id', 'version'], rows))}"


@statement(reviews.OVERTAKE)
async def overtake(tx: Tx, *arrays: list[Any]) -> str:
    rows = columns("record_id version item agency code_kind at", *arrays)
    for row in rows:
        row |= {"state": "SUPERSEDED", "reason": "OVERTAKEN", "alias_id": None, "accepted": None}
        row |= {
            **UNCLAIMED,
            "link_no": 0,
            "place": tx.database.next("reviews"),
            "held_at": row["at"],
            "settled_at": row.pop("at"),
        }
    await insert_or(tx, "reviews", [((row["record_id"], row["version"]), row) for row in rows], refuse)
    return f"INSERT 0 {len(rows)}"


@statement(subjects.SAVE_SUBJECTS)
async def save_subjects(tx: Tx, *arrays: list[Any]) -> str:
    rows = columns("subject_id kind name named_at version codes merged_into", *arrays)
    for row in rows:
        row["codes"] = json.dumps(json.loads(row["codes"]), ensure_ascii=False)
    return await update(tx, "subjects", {row["subject_id"]: row for row in rows})


@statement(aliases.SAVE_ALIASES)
async def save_aliases(tx: Tx, *arrays: list[Any]) -> str:
    rows = columns("alias_id subject_id source contested", *arrays)
    return await update(tx, "aliases", {row["alias_id"]: row for row in rows})


new_rows(links.NEW_LINKS)
new_rows(links.NEW_AGAIN)


@statement(links.MOVE_LINKS)
async def save_links(tx: Tx, *arrays: list[Any]) -> str:
    rows = columns("record_id subject_id version rule evidence linked_at link_no", *arrays)
    return await update(tx, "record_links", {row["record_id"]: row for row in rows})


@statement(reviews.HOLD)
async def hold(tx: Tx, *arrays: list[Any]) -> str:
    rows = columns("record_id version reason alias_id item agency code_kind accepted held_at link_no", *arrays)
    for row in rows:
        row |= {"state": "WAITING", "place": tx.database.next("reviews"), "settled_at": None, **UNCLAIMED}

    def again(old: Row, new: dict[str, Any]) -> dict[str, Any]:
        return {**old, "reason": new["reason"], "alias_id": new["alias_id"]}

    written = await insert_or(tx, "reviews", [((r["record_id"], r["version"]), r) for r in rows], again)
    return f"INSERT 0 {len(written)}"


@statement(reviews.SETTLE)
async def settle(tx: Tx, *arrays: list[Any]) -> str:
    """The key of the table holds the state; a version is in it once, so that here it is left out."""
    rows = columns("record_id version state settled_at", *arrays)
    changes = {(row["record_id"], row["version"]): row | {"accepted": None} for row in rows}
    return await update(tx, "reviews", changes, lambda old, new: old["state"] == "WAITING")


SAID = "record_id version organisation role name_digest person_id said_at item agency"
STANDS = dict.fromkeys(("ended_as", "ended_by", "ended_at"))


@statement(relations.OPEN)
async def open_relations(tx: Tx, ids: list[bytes]) -> list[Row]:
    rows = [row for _, row in sorted(tx.scan("relations")) if row["record_id"] in ids and row["ended_as"] is None]
    return [row.pick(*SAID.split()) for row in rows]


@statement(relations.BEGIN)
async def begin_relations(tx: Tx, *arrays: list[Any]) -> str:
    rows = [row for row in columns(SAID, *arrays) if not (row["person_id"] and tx.get("erasures", row["person_id"]))]
    keyed = [((row["record_id"], row["version"]), row | STANDS) for row in rows]

    def again(old: Row, new: dict[str, Any]) -> dict[str, Any]:
        return {**new, "item": old["item"], "agency": old["agency"]}

    return f"INSERT 0 {len(await insert_or(tx, 'relations', keyed, again))}"


@statement(relations.END)
async def end_relations(tx: Tx, *arrays: list[Any]) -> str:
    changes: dict[Any, dict[str, Any]] = {}
    for row in columns("record_id version ended_as ended_by ended_at", *arrays):
        nobody = {} if row["ended_as"] == "CORRECTED" else {"name_digest": None, "person_id": None}
        changes[row["record_id"], row["version"]] = row | nobody
    return await update(tx, "relations", changes)
