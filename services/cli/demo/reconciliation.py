"""The equations of a run: what came in must be what came out, hop by hop. Pure; both sides are counted from outside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from services.cli.catalogue import Item
from services.cli.demo.plan import Planned
from services.cli.demo.seen import GOVERNMENT, PUBLIC, Linked, Seen, VersionId

CHANGES = {"report": "ADDED", "correct": "CORRECTED", "withdraw": "WITHDRAWN"}
LISTING = "court-defaulter"  # the item that the one memorandum names


class Equation(NamedTuple):
    """`left` must be equal to the sum of `right`."""

    what: str
    left: int
    right: Mapping[str, int]

    @property
    def unexplained(self) -> int:
        """The difference."""
        return abs(self.left - sum(self.right.values()))


class Outside(NamedTuple):
    """What only a question tells: gRPC and the simulator's own pages."""

    in_review: int  # versions that identity holds back, more than before the run
    listed_tasks: Mapping[str, str]  # task id -> status, by gRPC
    national: frozenset[bytes]  # records of this run that the simulator holds
    shown: Mapping[bytes, frozenset[bytes]]  # sampled subject -> record ids that gRPC shows of it


def name_of(planned: Planned) -> str:
    """Under which name the observer files the receipt of a planned message."""
    if planned.record is None:
        return f"credit.receipts.{planned.agency}.v1 {planned.key}"
    return str(planned.record["submission_id"])


def arrived(seen: Seen, items: Mapping[str, Item], published: int, in_review: int) -> bool:
    """Whether nothing more is to be expected, feedback apart."""
    accepted = sum(r.outcome == "ACCEPTED" for each in seen.receipts.values() for r in each)
    return (
        sum(map(len, seen.receipts.values())) >= published
        and len(seen.linked) + in_review >= accepted
        and all(len(seen.changes[feed]) >= len(expected_on(feed, seen)) for feed in (PUBLIC, GOVERNMENT))
        and lifted_or_told(seen)
        and exchanges_final(seen, items)
    )


def expected_on(feed: str, seen: Seen) -> dict[VersionId, str]:
    """The change that each linked version must make on a feed."""
    manners = ("public",) if feed == PUBLIC else ("public", "government")
    return {at: CHANGES[one.action] for at, one in seen.linked.items() if one.disclosure in manners}


def standing(seen: Seen) -> dict[bytes, tuple[int, Linked]]:
    """The newest linked version of each record."""
    newest: dict[bytes, tuple[int, Linked]] = {}
    for (record_id, version), one in seen.linked.items():
        if version >= newest.get(record_id, (0, one))[0]:
            newest[record_id] = version, one
    return newest


def lifted_or_told(seen: Seen) -> bool:
    """Whether every listing has its tasks, and those of every withdrawn one are lifted."""
    listings = {i: one.action for i, (_, one) in standing(seen).items() if one.item == LISTING}
    told = {task.record_id for task in seen.tasks.values()}
    lifted = all(t.change == "LIFTED" for t in seen.tasks.values() if listings.get(t.record_id) == "withdraw")
    return set(listings) == told and lifted


def national_records(seen: Seen, items: Mapping[str, Item]) -> dict[bytes, tuple[int, Linked]]:
    """Records of items that the nation collects, with their newest version."""
    wanted = {code for code, item in items.items() if item.dataset}
    return {i: newest for i, newest in standing(seen).items() if newest[1].item in wanted}


def exchanges_final(seen: Seen, items: Mapping[str, Item]) -> bool:
    """Whether the newest version of each has its final answer."""
    answered = {i: at.version for i, at in seen.exchanges.items() if at.final}
    return all(answered.get(i) == version for i, (version, _) in national_records(seen, items).items())


def equations(
    planned: Sequence[Planned], published: int, seen: Seen, items: Mapping[str, Item], outside: Outside
) -> list[Equation]:
    """Everything that must hold at the end."""
    return [
        *_receipts(planned, published, seen),
        *_identity(seen, outside),
        *_feeds(seen),
        *_sanctions(seen, outside),
        *_national(seen, items, outside),
    ]


def _receipts(planned: Sequence[Planned], published: int, seen: Seen) -> Iterable[Equation]:
    counted = Counter(receipt.outcome.lower() for each in seen.receipts.values() for receipt in each)
    counted["waiting"] = published - sum(map(len, seen.receipts.values()))
    yield Equation("messages on the submit topics = published", published, {"published": len(planned)})
    yield Equation("submitted = accepted + duplicate + refused + waiting", published, counted)
    yield Equation("submissions with exactly one final receipt", len(planned), {"found": _answered_once(planned, seen)})
    yield Equation("receipts as the content demands", len(planned), {"found": _as_expected(planned, seen)})


def _answered_once(planned: Iterable[Planned], seen: Seen) -> int:
    return sum(len(seen.receipts.get(name_of(p), ())) == 1 for p in planned)


def _as_expected(planned: Iterable[Planned], seen: Seen) -> int:
    right = 0
    for one in planned:
        for receipt in seen.receipts.get(name_of(one), ()):
            right += receipt.outcome == one.expect and (one.expect != "REFUSED" or receipt.codes == one.codes)
    return right


def _identity(seen: Seen, outside: Outside) -> Iterable[Equation]:
    accepted = sum(r.outcome == "ACCEPTED" for each in seen.receipts.values() for r in each)
    sides = {"linked": len(seen.linked), "in review": outside.in_review}
    yield Equation("accepted = linked + in review", accepted, sides)
    yield Equation("facts said twice", 0, {"found": seen.twice})


def _feeds(seen: Seen) -> Iterable[Equation]:
    for feed, name in ((PUBLIC, "public"), (GOVERNMENT, "government")):
        wanted, told = expected_on(feed, seen), seen.changes[feed]
        right = Counter(
            told[at].change.lower() for at, change in wanted.items() if at in told and told[at].change == change
        )
        yield Equation(f"linked and {name} = changes on the {name} feed", len(wanted), right)
        yield Equation(
            f"changes on the {name} feed without a linked version", 0, {"found": len(told.keys() - wanted.keys())}
        )
        yield Equation(f"gaps in subject_seq on the {name} feed", 0, {"found": _gaps(seen, feed)})


def _gaps(seen: Seen, feed: str) -> int:
    """Numbers missing between the first and the last that each subject had in this run."""
    numbers: dict[bytes, set[int]] = {}
    for change in seen.changes[feed].values():
        numbers.setdefault(change.subject_id, set()).add(change.subject_seq)
    return sum(max(found) - min(found) + 1 - len(found) for found in numbers.values())


def disclosed(seen: Seen, feed: str) -> dict[bytes, bytes]:
    """Record id -> subject id of what stands on a feed after this run."""
    newest = standing(seen)
    return {
        record_id: change.subject_id
        for (record_id, version), change in seen.changes[feed].items()
        if change.change != "WITHDRAWN" and record_id in newest and version == newest[record_id][0]
    }


def _shown_rightly(seen: Seen, outside: Outside) -> int:
    stands: dict[bytes, set[bytes]] = {}
    for record_id, subject_id in disclosed(seen, PUBLIC).items():
        stands.setdefault(subject_id, set()).add(record_id)
    return sum(stands.get(subject_id, set()) <= shown for subject_id, shown in outside.shown.items())


def _sanctions(seen: Seen, outside: Outside) -> Iterable[Equation]:
    listings = {i for i, (_, one) in standing(seen).items() if one.item == LISTING}
    tasks = Counter(task.record_id for task in seen.tasks.values())
    each = max(tasks.values(), default=0)
    states = Counter(task.change.lower() for task in seen.tasks.values())
    same = sum(outside.listed_tasks.get(task_id) == task.change for task_id, task in seen.tasks.items())
    yield Equation("listings that made tasks", len(listings), {"found": len(listings & tasks.keys())})
    yield Equation(f"listings × {each} measures = tasks", len(listings) * each, {"tasks": sum(tasks.values())})
    yield Equation("tasks = closed by feedback + lifted", len(seen.tasks), {k: states[k] for k in ("closed", "lifted")})
    yield Equation("tasks whose state is the same by gRPC", len(seen.tasks), {"same": same})
    yield Equation(
        "sampled subjects whose public records gRPC shows", len(outside.shown), {"right": _shown_rightly(seen, outside)}
    )


def _national(seen: Seen, items: Mapping[str, Item], outside: Outside) -> Iterable[Equation]:
    wanted = national_records(seen, items)
    states = Counter(seen.exchanges[i].state.lower() if i in seen.exchanges else "missing" for i in wanted)
    sides = {"acknowledged": states["acknowledged"], "refused": states["refused"]}
    yield Equation("records the nation collects = acknowledged + refused", len(wanted), sides)
    held = frozenset(
        i for i, version in seen.acknowledged.items() if i in wanted and seen.linked[i, version].action != "withdraw"
    )
    yield Equation(
        "acknowledged and not withdrawn = held by the national platform", len(held), {"held": len(outside.national)}
    )
    yield Equation("records held by one side only", 0, {"found": len(held ^ outside.national)})
