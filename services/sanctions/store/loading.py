"""Locks and loads joint actions: listings, their tasks and how feedback on them was answered."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

from services.chassis.handling import Transaction
from services.sanctions.domain.events import Fault, Held
from services.sanctions.domain.joint_action import FirstAnswer, JointAction
from services.sanctions.store.rows import held, subject

FIND = "SELECT task_id, record_id FROM tasks WHERE task_id = ANY($1::text[])"

# A record that changed its subject comes in two partitions: the empty row makes the second wait for the first.
TAKE_PLACE = """
INSERT INTO listings (record_id) SELECT id FROM unnest($1::bytea[]) AS id ORDER BY id ON CONFLICT DO NOTHING
"""
# A record and feedback on its tasks come in two lanes, perhaps at once: who holds the listing's row counts the versions
# of all its tasks, and the other one, who waits here, finds them counted on when it loads them.
LISTINGS = """
SELECT record_id, version, standing, memorandum, subject_id, subject_code, subject_name, link_no, nobodys
FROM listings WHERE record_id = ANY($1::bytea[]) ORDER BY record_id FOR UPDATE
"""
TASKS = """
SELECT task_id, record_id, memorandum, measure, measure_text, article, department, subject_id, subject_code,
       subject_name, due_on, status, version
FROM tasks WHERE record_id = ANY($1::bytea[]) ORDER BY task_id
"""
ANSWERS = """
SELECT t.record_id, a.task_id, a.feedback_id, a.change, a.faults, a.answered_at, a.task_version
FROM feedback_answers AS a JOIN tasks AS t USING (task_id) WHERE t.record_id = ANY($1::bytea[])
"""


async def find_records(tx: Transaction, task_ids: Collection[str]) -> dict[str, bytes]:
    """Which record each of these tasks belongs to; unknown ones are left out."""
    if not task_ids:
        return {}
    return {row["task_id"]: row["record_id"] for row in await tx.fetch(FIND, list(task_ids))}


async def load(tx: Transaction, seen: Collection[bytes], asked: Collection[bytes]) -> dict[bytes, JointAction]:
    """States FOR UPDATE in key order; of `seen` (records) the row is made if it is new, of `asked` (feedback) not."""
    if seen:
        await tx.execute(TAKE_PLACE, sorted(seen))
    keys = sorted({*seen, *asked})
    if not keys:
        return {}
    listings = await tx.fetch(LISTINGS, keys)
    tasks: dict[bytes, dict[str, Held]] = defaultdict(dict)
    for row in await tx.fetch(TASKS, keys):
        tasks[row["record_id"]][row["task_id"]] = held(row)
    answers: dict[bytes, dict[tuple[str, str], FirstAnswer]] = defaultdict(dict)
    for row in await tx.fetch(ANSWERS, keys):
        answers[row["record_id"]][row["task_id"], row["feedback_id"]] = _answer(row)
    return {r["record_id"]: _state(r, tasks[r["record_id"]], answers[r["record_id"]]) for r in listings}


def _state(row: Mapping[str, Any], tasks: dict[str, Held], answers: dict[tuple[str, str], FirstAnswer]) -> JointAction:
    return JointAction(
        row["record_id"],
        row["version"],
        row["standing"],
        None if row["subject_id"] is None else subject(row),
        row["memorandum"],
        MappingProxyType(tasks),
        MappingProxyType(answers),
        row["link_no"],
        row["nobodys"],
    )


def _answer(row: Mapping[str, Any]) -> FirstAnswer:
    faults = tuple(Fault(**fault) for fault in json.loads(row["faults"]))
    return FirstAnswer(row["change"], faults, round(row["answered_at"].timestamp() * 1000), row["task_version"])
