"""The departments do their part: each open task is answered on the department's own feedback topic."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from deploy.local.layout import Layout
from services.cli.demo.seen import Task
from services.cli.outsider import Registry, producer

SCHEMA = "credit.feedback.v1-value"


def answer_open_tasks(layout: Layout, registry: Registry, tasks: Mapping[str, Task]) -> int:
    """Every third task does not apply, the others were carried out; returns how many were answered."""
    encode, doors = registry.serializer(SCHEMA), dict[str, Any]()
    opened = sorted((task_id, task.department) for task_id, task in tasks.items() if task.change == "OPENED")
    for number, (task_id, department) in enumerate(opened):
        door = doors.setdefault(department, producer(layout, department))
        topic = f"credit.feedback.{department}.v1"
        door.produce(topic, encode(_feedback(number, task_id, department), topic), task_id)
    for door in doors.values():
        door.flush(30)
    return len(opened)


def _feedback(number: int, task_id: str, department: str) -> dict[str, Any]:
    now_ms = time.time_ns() // 1_000_000
    return {
        "feedback_id": f"fb-{task_id}",
        "task_id": task_id,
        "agency": department,
        "outcome": "not_applicable" if number % 3 == 0 else "executed",
        "executed_on": datetime.fromtimestamp(now_ms / 1000, UTC).date(),
        "note": "演示反馈",
        "produced_at": now_ms,
    }
