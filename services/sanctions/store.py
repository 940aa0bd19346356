"""Loads and saves joint actions, many at a time, inside the caller's transaction."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from services.chassis.bulk import columns
from services.chassis.handling import Transaction
from services.sanctions.domain.department import Department
from services.sanctions.domain.events import Event, Fault, FeedbackAnswered, Held, Subject, Task, TaskChanged
from services.sanctions.domain.joint_action import FirstAnswer, JointAction

FIND = "SELECT task_id, record_id FROM tasks WHERE task_id = ANY($1::text[])"

# A record that changed its subject comes in two partitions: the empty row makes the second wait for the first.
TAKE_PLACE = """
INSERT INTO listings (record_id) SELECT id FROM unnest($1::bytea[]) AS id ORDER BY id ON CONFLICT DO NOTHING
"""
# A record and feedback on its tasks come in two lanes, perhaps at once: who holds the listing's row counts the versions
# of all its tasks, and the other one, who waits here, finds them counted on when it loads them.
LISTINGS = """
SELECT record_id, version, standing, memorandum, subject_id, subject_code, subject_name
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

# A task that opens while its department is being registered must be seen by one of the two.
OPENING = "SELECT pg_advisory_xact_lock_shared(20170903)"
REGISTERING = "SELECT pg_advisory_xact_lock(20170903)"
KNOWN = "SELECT code FROM departments"
UNTOLD = """
SELECT task_id, record_id, memorandum, measure, measure_text, article, department, subject_id, subject_code,
       subject_name, due_on, status, version
FROM tasks WHERE department = ANY($1::text[]) AND NOT told AND status = 'OPENED' ORDER BY task_id
"""
SAVE_DEPARTMENTS = "INSERT INTO departments SELECT unnest($1::text[])"
SAVE_TOLD = "UPDATE tasks SET told = true WHERE department = ANY($1::text[]) AND NOT told"

SAVE_LISTINGS = """
UPDATE listings SET version = new.version, standing = new.standing, memorandum = new.memorandum,
    subject_id = new.subject_id, subject_code = new.subject_code, subject_name = new.subject_name
FROM unnest($1::bytea[], $2::bigint[], $3::text[], $4::text[], $5::bytea[], $6::text[], $7::text[])
    AS new (record_id, version, standing, memorandum, subject_id, subject_code, subject_name)
WHERE listings.record_id = new.record_id
"""
SAVE_TASKS = """
INSERT INTO tasks SELECT * FROM unnest($1::text[], $2::bytea[], $3::text[], $4::text[], $5::text[], $6::text[],
    $7::text[], $8::bytea[], $9::text[], $10::text[], $11::date[], $12::text[], $13::boolean[], $14::timestamptz[],
    $15::bigint[])
ON CONFLICT (task_id) DO UPDATE SET memorandum = excluded.memorandum, measure_text = excluded.measure_text,
    article = excluded.article, subject_id = excluded.subject_id, subject_code = excluded.subject_code,
    subject_name = excluded.subject_name, due_on = excluded.due_on, status = excluded.status,
    told = tasks.told OR excluded.told, changed_at = excluded.changed_at, version = excluded.version
"""
SAVE_ANSWERS = """
INSERT INTO feedback_answers
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::jsonb[], $5::timestamptz[], $6::bigint[])
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
        tasks[row["record_id"]][row["task_id"]] = _held(row)
    answers: dict[bytes, dict[tuple[str, str], FirstAnswer]] = defaultdict(dict)
    for row in await tx.fetch(ANSWERS, keys):
        answers[row["record_id"]][row["task_id"], row["feedback_id"]] = _answer(row)
    return {r["record_id"]: _state(r, tasks[r["record_id"]], answers[r["record_id"]]) for r in listings}


def _state(row: Mapping[str, Any], tasks: dict[str, Held], answers: dict[tuple[str, str], FirstAnswer]) -> JointAction:
    return JointAction(
        row["record_id"],
        row["version"],
        row["standing"],
        None if row["subject_id"] is None else _subject(row),
        row["memorandum"],
        MappingProxyType(tasks),
        MappingProxyType(answers),
    )


def _subject(row: Mapping[str, Any]) -> Subject:
    return Subject(row["subject_id"], row["subject_code"], row["subject_name"])


def _held(row: Mapping[str, Any]) -> Held:
    texts = (row["memorandum"], row["measure"], row["measure_text"], row["article"], row["department"])
    task = Task(row["task_id"], row["record_id"], *texts, _subject(row), row["due_on"])
    return Held(task, row["status"], row["version"])


def _answer(row: Mapping[str, Any]) -> FirstAnswer:
    faults = tuple(Fault(**fault) for fault in json.loads(row["faults"]))
    return FirstAnswer(row["change"], faults, round(row["answered_at"].timestamp() * 1000), row["task_version"])


async def known_departments(tx: Transaction) -> frozenset[str]:
    """Who can be told; it cannot become more before this transaction ends."""
    await tx.execute(OPENING)
    return frozenset(row["code"] for row in await tx.fetch(KNOWN))


async def load_departments(tx: Transaction, codes: Collection[str]) -> dict[str, Department]:
    """States of departments; no task opens before this transaction ends."""
    await tx.execute(REGISTERING)
    known = {row["code"] for row in await tx.fetch(KNOWN)}
    untold: dict[str, list[Held]] = defaultdict(list)
    for row in await tx.fetch(UNTOLD, sorted(set(codes) - known)):
        untold[row["department"]].append(_held(row))
    return {code: Department(code, code in known, tuple(untold[code])) for code in codes}


async def save_departments(tx: Transaction, codes: Collection[str]) -> None:
    """The departments are known, and all their tasks are told from here on."""
    await tx.execute(SAVE_DEPARTMENTS, sorted(codes))
    await tx.execute(SAVE_TOLD, sorted(codes))


async def save(
    tx: Transaction,
    after: Mapping[bytes, JointAction],
    events: Sequence[tuple[bytes, Event]],
    departments: Collection[str],
) -> None:
    """Write the listings, the tasks that changed (as they stand now) and the first answers."""
    known = {key: state for key, state in after.items() if key}
    if known:
        await tx.execute(SAVE_LISTINGS, *columns(_listing(state) for state in known.values()))
    changed: dict[str, tuple[bytes, int]] = {}
    first: list[FeedbackAnswered] = []
    for key, event in events:
        if isinstance(event, TaskChanged):
            changed[event.task.task_id] = (key, event.at_ms)
        elif isinstance(event, FeedbackAnswered) and event.task is not None and not event.repeated:
            first.append(event)
            if event.change == "CLOSED":
                changed[event.task_id] = (key, event.at_ms)
    rows = [_task(known[key].tasks[task_id], at_ms, departments) for task_id, (key, at_ms) in sorted(changed.items())]
    if rows:
        await tx.execute(SAVE_TASKS, *columns(rows))
    if first:
        await tx.execute(SAVE_ANSWERS, *columns(_first(event) for event in first))


def _listing(state: JointAction) -> tuple[Any, ...]:
    subject = state.subject or Subject(b"", None, None)
    subject_id = subject.subject_id or None
    return (
        state.record_id,
        state.version,
        state.standing,
        state.memorandum,
        subject_id,
        subject.code,
        subject.name,
    )


def _task(held: Held, at_ms: int, departments: Collection[str]) -> tuple[Any, ...]:
    task, subject = held.task, held.task.subject
    texts = (task.memorandum, task.measure, task.measure_text, task.article, task.department)
    who = (subject.subject_id, subject.code, subject.name)
    return (
        task.task_id,
        task.record_id,
        *texts,
        *who,
        task.due_on,
        held.status,
        task.department in departments,
        _time(at_ms),
        held.version,
    )


def _first(event: FeedbackAnswered) -> tuple[Any, ...]:
    faults = json.dumps([fault._asdict() for fault in event.faults], ensure_ascii=False)
    return event.task_id, event.feedback_id, event.change, faults, _time(event.at_ms), event.version


def _time(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
