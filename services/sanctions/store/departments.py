"""Who can be told of tasks, and what waits until then."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from services.chassis.handling import Transaction
from services.sanctions.domain.department import Department
from services.sanctions.domain.events import Held
from services.sanctions.store.rows import held

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
        untold[row["department"]].append(held(row))
    return {code: Department(code, code in known, tuple(untold[code])) for code in codes}


async def save_departments(tx: Transaction, codes: Collection[str]) -> None:
    """The departments are known, and all their tasks are told from here on."""
    await tx.execute(SAVE_DEPARTMENTS, sorted(codes))
    await tx.execute(SAVE_TOLD, sorted(codes))
