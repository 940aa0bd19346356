"""The statements of sanctions: listings, tasks, answers, departments."""

from __future__ import annotations

import json
from typing import Any

from services.sanctions.store import departments, loading, saving
from tests.sim.store.connection import refuse
from tests.sim.store.engine import Row, Tx
from tests.sim.store.statements import columns, insert_or, nothing, statement, update

LISTING = "record_id version standing memorandum subject_id subject_code subject_name link_no nobodys"
TASK = (
    "task_id record_id memorandum measure measure_text article department subject_id subject_code subject_name due_on "
    "status"
)
LOADED = f"{TASK} version"


@statement(loading.FIND)
async def find(tx: Tx, ids: list[str]) -> list[Row]:
    rows = [tx.get("tasks", one) for one in sorted(set(ids))]
    return [row.pick("task_id", "record_id") for row in rows if row is not None]


@statement(loading.TAKE_PLACE)
async def take_place(tx: Tx, ids: list[bytes]) -> str:
    empty: dict[str, Any] = {"version": 0, "standing": "UNKNOWN", "memorandum": "", "link_no": 0, "nobodys": False}
    unknown = dict.fromkeys(("subject_id", "subject_code", "subject_name"))
    rows = [(one, {"record_id": one, **empty, **unknown}) for one in sorted(ids)]
    return f"INSERT 0 {len(await insert_or(tx, 'listings', rows, nothing))}"


@statement(loading.LISTINGS)
async def listings(tx: Tx, ids: list[bytes]) -> list[Row]:
    found: list[Row] = []
    for one in sorted(set(ids)):
        if tx.get("listings", one) is not None:
            await tx.lock("listings", one)
            found.append((tx.get("listings", one) or Row()).pick(*LISTING.split()))
    return found


@statement(loading.TASKS)
async def tasks(tx: Tx, ids: list[bytes]) -> list[Row]:
    return [row.pick(*LOADED.split()) for _, row in sorted(tx.scan("tasks")) if row["record_id"] in ids]


@statement(loading.ANSWERS)
async def answers(tx: Tx, ids: list[bytes]) -> list[Row]:
    found: list[Row] = []
    for _, row in sorted(tx.scan("feedback_answers")):
        task = tx.get("tasks", row["task_id"])
        if task is not None and task["record_id"] in ids:
            found.append(Row({"record_id": task["record_id"], **dict(row.items())}))
    return found


@statement(departments.OPENING)
async def opening(tx: Tx) -> str:
    await tx.lock("advisory", 20170903, shared=True)
    return "SELECT 1"


@statement(departments.REGISTERING)
async def registering(tx: Tx) -> str:
    await tx.lock("advisory", 20170903)
    return "SELECT 1"


@statement(departments.KNOWN)
async def known(tx: Tx) -> list[Row]:
    return [row for _, row in sorted(tx.scan("departments"))]


@statement(departments.UNTOLD)
async def untold(tx: Tx, codes: list[str]) -> list[Row]:
    rows = [row for _, row in sorted(tx.scan("tasks")) if row["department"] in codes]
    return [row.pick(*LOADED.split()) for row in rows if not row["told"] and row["status"] == "OPENED"]


@statement(departments.SAVE_DEPARTMENTS)
async def save_departments(tx: Tx, codes: list[str]) -> str:
    await insert_or(tx, "departments", [(code, {"code": code}) for code in codes], refuse)
    return f"INSERT 0 {len(codes)}"


@statement(departments.SAVE_TOLD)
async def save_told(tx: Tx, codes: list[str]) -> str:
    rows = {key: {"told": True} for key, row in sorted(tx.scan("tasks")) if row["department"] in codes}
    return await update(tx, "tasks", rows, lambda old, new: not old["told"])


@statement(saving.SAVE_LISTINGS)
async def save_listings(tx: Tx, *arrays: list[Any]) -> str:
    return await update(tx, "listings", {row["record_id"]: row for row in columns(LISTING, *arrays)})


@statement(saving.SAVE_TASKS)
async def save_tasks(tx: Tx, *arrays: list[Any]) -> str:
    rows = columns(TASK + " told changed_at version", *arrays)
    kept = ("task_id", "record_id", "measure", "department")

    def again(old: Row, new: dict[str, Any]) -> dict[str, Any]:
        return {**new, **{name: old[name] for name in kept}, "told": old["told"] or new["told"]}

    return f"INSERT 0 {len(await insert_or(tx, 'tasks', [(row['task_id'], row) for row in rows], again))}"


@statement(saving.SAVE_ANSWERS)
async def save_answers(tx: Tx, *arrays: list[Any]) -> str:
    rows = columns("task_id feedback_id change faults answered_at task_version", *arrays)
    for row in rows:
        row["faults"] = json.dumps(json.loads(row["faults"]), ensure_ascii=False)
    await insert_or(tx, "feedback_answers", [((row["task_id"], row["feedback_id"]), row) for row in rows], refuse)
    return f"INSERT 0 {len(rows)}"
