"""Writes what the events of a batch changed in joint actions, one statement per table."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from services.chassis.bulk import columns
from services.chassis.handling import Transaction
from services.sanctions.domain.events import Event, FeedbackAnswered, Held, Subject, TaskChanged
from services.sanctions.domain.joint_action import JointAction

SAVE_LISTINGS = """
UPDATE listings SET version = new.version, standing = new.standing, memorandum = new.memorandum,
    subject_id = new.subject_id, subject_code = new.subject_code, subject_name = new.subject_name,
    link_no = new.link_no, nobodys = new.nobodys
FROM unnest($1::bytea[], $2::bigint[], $3::text[], $4::text[], $5::bytea[], $6::text[], $7::text[], $8::bigint[],
            $9::boolean[])
    AS new (record_id, version, standing, memorandum, subject_id, subject_code, subject_name, link_no, nobodys)
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
        state.link_no,
        state.nobodys,
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
