"""What must be true of tasks and of exchanges with the nation; imports nothing of ours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from tests.chaos import links
from tests.chaos.facts import Facts
from tests.chaos.heard import Finding, TaskTold, version_named


def tasks(facts: Facts) -> Iterator[Finding]:
    """I2, I3: a task is opened once, first, and closed or lifted at most once; its versions count without a gap.

    One of a record whose link changed is lifted then, and may be opened again for whom the record is about since.
    """
    about = links.whose(facts)
    for task_id, told in facts.tasks.items():
        states, numbers = [each.change for each in told], [each.version for each in told if each.version]
        if numbers != list(range(min(numbers, default=1), min(numbers, default=1) + len(numbers))):
            yield Finding("I3", f"the versions told of a task are {numbers}", f"task {task_id}")
        record_id = facts.task_of[task_id][1] if task_id in facts.task_of else b""
        lives = list(_split(states)) if record_id in facts.links else [states]
        if any(life[:1] != ["OPENED"] or life.count("OPENED") > 1 for life in lives):
            yield Finding("I2", f"a task's life is {states}", f"task {task_id}")
        if any(life.count(end) > 1 for life in lives for end in ("CLOSED", "LIFTED")):
            yield Finding("I2", f"a task ended twice: {states}", f"task {task_id}")
        yield from _of_its_subject(task_id, told[-1], record_id, about)


def _split(states: Sequence[str]) -> Iterator[list[str]]:
    """A life ends where the task is lifted."""
    life: list[str] = []
    for state in states:
        if state == "OPENED" and life[-1:] == ["LIFTED"]:
            yield life
            life = []
        life.append(state)
    yield life


def _of_its_subject(
    task_id: str, told: TaskTold, record_id: bytes, about: Mapping[bytes, bytes | None]
) -> Iterator[Finding]:
    """I7: what is under way is about whom its record is about."""
    if told.change != "LIFTED" and record_id in about and told.subject_id not in (None, about[record_id]):
        yield Finding("I7", "a task under way about another than its record is about", f"task {task_id}")


def exchanged(facts: Facts) -> Iterator[Finding]:
    """I1, I2, I7: the newest version of each record the nation collects has its one final answer, and so has the last
    time that its link was lost or found."""
    newest = links.newest([at for at, one in facts.linked.items() if facts.national.get(one.item)])
    for record_id, version in newest.items():
        ends = Counter(one.number for one in facts.exchanges.get(record_id, ()) if one.final)
        if not ends[version + links.pushed_with(facts, record_id)]:
            yield Finding("I1", "no final answer of the national platform", version_named(record_id, version))
        if any(n > 1 for n in ends.values()):
            yield Finding("I2", "two final answers of the national platform", version_named(record_id, version))
    for record_id in facts.exchanges.keys() - newest.keys():
        yield Finding("I2", "exchanged, but not a record the nation collects", f"record {record_id.hex()}")
