"""One run: stack, agencies, publishing, waiting, questions, equations."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rich.progress import Progress, TaskID

from deploy.local import stack
from deploy.local.layout import Layout
from services.cli import catalogue
from services.cli.catalogue import Item
from services.cli.demo import departments, plan, questions, reconciliation
from services.cli.demo.agencies import AGENCIES, onboard_all
from services.cli.demo.kills import Killer
from services.cli.demo.observer import TASKS, Observer
from services.cli.demo.plan import Planned, Run
from services.cli.demo.report import report
from services.cli.demo.seen import PUBLIC, Seen
from services.cli.outsider import Registry
from services.cli.progress import bars, console
from services.cli.publishing import Submitter

PATIENCE_S = 90.0  # without anything new
LOOK_EVERY_S = 0.5
SAMPLE = 200  # subjects asked for by gRPC
STEPS = 6  # of publishing, between which a service may be killed


class Wish(NamedTuple):
    """What was asked for on the command line."""

    data: Path | None
    generated: int
    kill: bool


def whole(layout: Layout, wish: Wish, quiet: bool) -> dict[str, Any]:
    """The report of one run."""
    began = time.monotonic()

    def tell(line: str) -> None:
        if not quiet:
            console.print(line, highlight=False)

    stack.up(layout, tell=tell)
    onboard_all(layout)
    tell(f"{len(AGENCIES)} practice agencies are registered")
    started = time.monotonic()
    items, registry, run = catalogue.read(layout), Registry(layout), _next_run(layout)
    planned = _planned(run, items, wish)
    in_review = questions.versions_in_review(layout)
    observer, killer = Observer(layout, registry), Killer(layout)
    with questions.NationalPlatform(layout).misbehaving(), bars() as progress:
        publish(layout, registry, items, planned, killer if wish.kill else None, progress)
        published = observer.submitted()
        if wish.kill:
            killer.kill_rest()
        _wait(layout, observer, items, published, in_review, progress)
        departments.answer_open_tasks(layout, registry, observer.seen.tasks)
        _wait_for_feedback(observer)
    seconds = time.monotonic() - started
    seen = observer.look()
    outside = _ask(layout, seen, items, in_review)
    found = reconciliation.equations(planned, published, seen, items, outside)
    observer.close()
    extra = {"run": run.number, "killed": killer.killed, "seconds": seconds, "all_seconds": time.monotonic() - began}
    return report(published, seen, items, found, extra)


def _next_run(layout: Layout) -> Run:
    """Runs on one stack are numbered, so that a second one makes records of its own."""
    file = layout.var / "demo" / "runs"
    file.parent.mkdir(parents=True, exist_ok=True)
    number = int(file.read_text()) + 1 if file.exists() else 1
    file.write_text(str(number))
    return Run(number, time.time_ns() // 1_000_000 - 60_000)  # drafts of one record follow each other by milliseconds


def _planned(run: Run, items: Mapping[str, Item], wish: Wish) -> list[Planned]:
    rows = plan.rows_of(wish.data, wish.generated)
    registered = plan.registered(run, items[plan.REGISTRATION], rows)
    return [*plan.synthetic(run), *plan.garbage(run), *registered]


def publish(
    layout: Layout,
    registry: Registry,
    items: Mapping[str, Item],
    planned: Sequence[Planned],
    killer: Killer | None,
    progress: Progress,
) -> None:
    """Each agency through its own door; a service is killed between steps when that was asked for."""
    doors = {code: Submitter(layout, registry, code) for code in AGENCIES}
    totals = {code: sum(p.agency == code for p in planned) for code in AGENCIES}
    tasks = {code: progress.add_task(f"publish {code}", total=total) for code, total in totals.items()}
    step = max(1, len(planned) // STEPS)
    for number, one in enumerate(planned, 1):
        _publish_one(doors[one.agency], items, one)
        progress.advance(tasks[one.agency])
        if killer is not None and number % step == 0:
            killer.kill_next()
    for door in doors.values():
        door.finish()


def _publish_one(door: Submitter, items: Mapping[str, Item], one: Planned) -> None:
    if one.record is None:
        door.publish_bytes(one.key, one.value)
    else:
        door.publish(items[one.item], one.record)


def _wait(
    layout: Layout, observer: Observer, items: Mapping[str, Item], published: int, before: int, progress: Progress
) -> None:
    """Until everything has arrived, or nothing new comes for a minute and a half."""
    shown = {
        name: progress.add_task(name, total=published) for name in ("receipts", "linked", "public feed", "national")
    }
    size, since = -1, time.monotonic()
    while time.monotonic() - since < PATIENCE_S:
        seen = observer.look()
        _show(progress, shown, seen, items)
        if sum(map(len, seen.receipts.values())) >= published:
            in_review = questions.versions_in_review(layout) - before
            if reconciliation.arrived(seen, items, published, in_review):
                return
        if _size(seen) != size:
            size, since = _size(seen), time.monotonic()
        time.sleep(LOOK_EVERY_S)


def _show(progress: Progress, shown: Mapping[str, TaskID], seen: Seen, items: Mapping[str, Item]) -> None:
    accepted = sum(r.outcome == "ACCEPTED" for each in seen.receipts.values() for r in each)
    wanted = reconciliation.national_records(seen, items)
    final = sum(seen.exchanges[i].final for i in wanted if i in seen.exchanges)
    progress.update(shown["receipts"], completed=sum(map(len, seen.receipts.values())))
    progress.update(shown["linked"], completed=len(seen.linked), total=accepted)
    expected = reconciliation.expected_on(PUBLIC, seen)
    progress.update(shown["public feed"], completed=len(seen.changes[PUBLIC]), total=len(expected))
    progress.update(shown["national"], completed=final, total=len(wanted))


def _size(seen: Seen) -> int:
    said = [len(seen.receipts), len(seen.linked), *map(len, seen.changes.values()), len(seen.tasks)]
    return sum(said) + sum(at.final for at in seen.exchanges.values())


def _wait_for_feedback(observer: Observer) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        tasks = observer.look(TASKS).tasks.values()
        if all(task.change in ("CLOSED", "LIFTED") for task in tasks):
            return
        time.sleep(LOOK_EVERY_S)


def _ask(layout: Layout, seen: Seen, items: Mapping[str, Item], before: int) -> reconciliation.Outside:
    wanted = reconciliation.national_records(seen, items)
    held = questions.NationalPlatform(layout).holds(_national_items(items))
    return reconciliation.Outside(
        questions.versions_in_review(layout) - before,
        questions.tasks(layout, AGENCIES),
        frozenset(held & wanted.keys()),
        questions.shown(layout, _sample(seen)),
    )


def _national_items(items: Mapping[str, Item]) -> Iterable[str]:
    return [code for code, item in items.items() if item.dataset]


def _sample(seen: Seen) -> list[bytes]:
    """Evenly spread over the subjects of the public feed."""
    subjects = sorted({change.subject_id for change in seen.changes[PUBLIC].values()})
    return subjects[:: max(1, len(subjects) // SAMPLE)][:SAMPLE]
