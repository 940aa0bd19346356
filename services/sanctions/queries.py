"""SQL for reading."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.chassis.handling import Transaction

PAGE_LIMIT = 500
PAGE = 100

TASKS = """
SELECT task_id, status, memorandum, measure, measure_text, article, department, record_id, subject_id, subject_code,
       subject_name, due_on, changed_at, version
FROM tasks WHERE department = $1 AND task_id > $2 AND ($3 = '' OR status = $3) ORDER BY task_id LIMIT $4
"""


async def tasks(tx: Transaction, department: str, status: str, size: int, after: str) -> Sequence[Any]:
    """One page of a department's tasks, in the order of their ids, after the id given."""
    return await tx.fetch(TASKS, department, after, status, min(size, PAGE_LIMIT) if size > 0 else PAGE)


# What reconciliation compares (chassis/digest.py): version 0 is only a lock. `$1` names items, of which all here are.
DIGESTS = {"listings": "SELECT record_id, version FROM listings WHERE version > 0 AND $1::text[] IS NULL"}
