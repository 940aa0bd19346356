"""What rows of several statements are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.sanctions.domain.events import Held, Subject, Task


def held(row: Mapping[str, Any]) -> Held:
    """A task and where it stands."""
    texts = (row["memorandum"], row["measure"], row["measure_text"], row["article"], row["department"])
    task = Task(row["task_id"], row["record_id"], *texts, subject(row), row["due_on"])
    return Held(task, row["status"], row["version"])


def subject(row: Mapping[str, Any]) -> Subject:
    """Who is listed."""
    return Subject(row["subject_id"], row["subject_code"], row["subject_name"])
