"""Every equation of the demo fails when the fact it is about is wrong: losing, doubling and misattributing show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from services.cli.catalogue import Item
from services.cli.demo.plan import Planned
from services.cli.demo.reconciliation import Outside, arrived, equations
from services.cli.demo.report import percentile
from services.cli.demo.seen import GOVERNMENT, PUBLIC, Change, Linked, Receipt, Seen, Task, exchanged

ITEMS = {
    "org-permit": Item("org-permit", 1, {"national": {"dataset": "xzxk"}}),
    "court-defaulter": Item("court-defaulter", 1, {"national": ""}),
}
PERMIT, LISTING, SUBJECT, OTHER = b"p" * 16, b"l" * 16, b"s" * 16, b"o" * 16


def planned(number: int, item: str, expect: str, *codes: str) -> Planned:
    return Planned("a", f"k{number}", item, {"submission_id": f"s{number}"}, b"", expect, frozenset(codes))


GONE, ALIEN, LATER = Change("WITHDRAWN", SUBJECT, 4, 9), Change("ADDED", OTHER, 1, 9), Change("ADDED", SUBJECT, 6, 9)
PLANNED = [
    planned(1, "org-permit", "ACCEPTED"),
    planned(2, "court-defaulter", "ACCEPTED"),
    planned(3, "org-permit", "REFUSED", "FIELD_MISSING"),
]


def receipt(outcome: str, item: str, record_id: bytes = b"", *codes: str) -> Receipt:
    return Receipt("a", outcome, frozenset(codes), item, record_id, (), 0, 5)


def whole() -> tuple[Seen, Outside]:
    """A run in which everything is right."""
    seen = Seen()
    seen.receipts = {
        "s1": [receipt("ACCEPTED", "org-permit", PERMIT)],
        "s2": [receipt("ACCEPTED", "court-defaulter", LISTING)],
        "s3": [receipt("REFUSED", "org-permit", b"", "FIELD_MISSING")],
    }
    seen.linked = {
        (PERMIT, 1): Linked("org-permit", "report", "public", SUBJECT),
        (LISTING, 1): Linked("court-defaulter", "report", "public", SUBJECT),
    }
    for feed in (PUBLIC, GOVERNMENT):
        seen.changes[feed] = {
            (PERMIT, 1): Change("ADDED", SUBJECT, 4, 9),
            (LISTING, 1): Change("ADDED", SUBJECT, 5, 9),
        }
    seen.tasks = {"t1": Task(2, "CLOSED", "a", LISTING)}
    seen.exchanges, seen.acknowledged = {PERMIT: exchanged(1, 1, "ACKNOWLEDGED")}, {PERMIT: 1}
    shown = {SUBJECT: frozenset({PERMIT, LISTING})}
    return seen, Outside(0, {"t1": "CLOSED"}, frozenset({PERMIT}), shown)


def unexplained(seen: Seen, outside: Outside, published: int = 3) -> dict[str, int]:
    return {e.what: e.unexplained for e in equations(PLANNED, published, seen, ITEMS, outside) if e.unexplained}


def test_a_whole_run_explains_itself() -> None:
    seen, outside = whole()
    assert unexplained(seen, outside) == {}
    assert arrived(seen, ITEMS, 3, 0)


BREAKS: dict[str, Callable[[Seen], Any]] = {
    "a receipt is missing": lambda seen: seen.receipts.pop("s1"),
    "a second final receipt": lambda seen: seen.receipts["s1"].append(seen.receipts["s1"][0]),
    "refused for another reason": lambda seen: seen.receipts.update(
        s3=[receipt("REFUSED", "org-permit", b"", "FIELD_LENGTH")]
    ),
    "accepted what must be refused": lambda seen: seen.receipts.update(s3=[receipt("ACCEPTED", "org-permit", OTHER)]),
    "a linked version is missing": lambda seen: seen.linked.pop((PERMIT, 1)),
    "a fact said twice": lambda seen: setattr(seen, "twice", 1),
    "a change is missing": lambda seen: seen.changes[PUBLIC].pop((PERMIT, 1)),
    "a change of the wrong kind": lambda seen: seen.changes[PUBLIC].update({(PERMIT, 1): GONE}),
    "a change that nothing explains": lambda seen: seen.changes[GOVERNMENT].update({(OTHER, 1): ALIEN}),
    "a gap in subject_seq": lambda seen: seen.changes[PUBLIC].update({(LISTING, 1): LATER}),
    "a listing without tasks": lambda seen: seen.tasks.clear(),
    "a task left open": lambda seen: seen.tasks.update(t1=Task(1, "OPENED", "a", LISTING)),
    "an exchange without answer": lambda seen: seen.exchanges.pop(PERMIT),
}  # fmt: skip


@pytest.mark.parametrize("name", BREAKS)
def test_whatever_is_wrong_is_unexplained(name: str) -> None:
    seen, outside = whole()
    BREAKS[name](seen)
    assert unexplained(seen, outside), name


@pytest.mark.parametrize(
    "changed",
    [
        {"in_review": 1},
        {"listed_tasks": {"t1": "OPENED"}},
        {"national": frozenset[bytes]()},
        {"national": frozenset({OTHER})},
        {"shown": {SUBJECT: frozenset({PERMIT})}},
    ],
    ids=["review", "tasks by gRPC", "the nation lost one", "the nation holds another", "gRPC shows too little"],
)
def test_what_the_answers_say_counts_too(changed: dict[str, Any]) -> None:
    seen, outside = whole()
    assert unexplained(seen, outside._replace(**changed))


def test_an_unpublished_submission_shows() -> None:
    assert unexplained(*whole(), published=2)


def test_percentiles_are_values_that_occurred() -> None:
    assert percentile([], 50) == 0
    assert percentile(range(1, 101), 50) == 50
    assert percentile(range(1, 101), 99) == 99
    assert percentile([7], 99) == 7
