"""What several lanes tell of one thing in no order ends as it stands, whatever came last."""

from __future__ import annotations

from itertools import permutations

from services.cli.demo.seen import Seen

TASK = {"task_id": "t1", "department": "420000-gsj", "record_id": b"R" * 16}
TASKS = [TASK | {"change": change, "task_version": n} for n, change in enumerate(("OPENED", "CLOSED", "LIFTED"), 1)]
EXCHANGES = [
    {"exchange_id": b"R" * 16, "version": version, "attempt": attempt, "state": state}
    for version, attempt, state in (
        (1, 1, "ACKNOWLEDGED"), (2, 1, "PENDING"), (2, 1, "RETRYING"), (2, 2, "PENDING"), (2, 1, "REFUSED"),
    )
]  # fmt: skip


def test_a_task_stands_by_its_highest_version() -> None:
    for order in permutations(TASKS):
        seen = Seen()
        for record in order:
            seen.hear_task(record)
        assert seen.tasks["t1"].change == "LIFTED"


def test_tasks_that_were_not_counted_stand_by_what_came_last_and_are_older_than_counted_ones() -> None:
    seen = Seen()
    for change in ("OPENED", "CLOSED"):
        seen.hear_task(TASK | {"change": change})
    assert seen.tasks["t1"].change == "CLOSED"
    seen.hear_task(TASKS[2])
    seen.hear_task(TASK | {"change": "OPENED", "task_version": None})
    assert seen.tasks["t1"].change == "LIFTED"


def test_an_exchange_whose_link_changed_stands_by_the_last_change() -> None:
    lost = EXCHANGES[1] | {"link_no": 14, "version": 1}
    found = EXCHANGES[0] | {"link_no": 15}
    for order in permutations([EXCHANGES[0] | {"state": "REFUSED", "link_no": 0}, lost, found]):
        seen = Seen()
        for record in order:
            seen.hear_exchange(record)
        assert (seen.exchanges[b"R" * 16].number, seen.exchanges[b"R" * 16].state) == (16, "ACKNOWLEDGED")


def test_an_exchange_stands_by_version_final_answer_and_attempt() -> None:
    for order in permutations(EXCHANGES):
        seen = Seen()
        for record in order:
            seen.hear_exchange(record)
        assert (seen.exchanges[b"R" * 16].version, seen.exchanges[b"R" * 16].state) == (2, "REFUSED")
    for order in permutations(EXCHANGES[:4]):
        seen = Seen()
        for record in order:
            seen.hear_exchange(record)
        assert (seen.exchanges[b"R" * 16].attempt, seen.exchanges[b"R" * 16].state) == (2, "PENDING")
