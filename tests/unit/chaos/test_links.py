"""Links that change: every planted loss and wrong place is found and named; a whole tape of them has no finding."""

from __future__ import annotations

from typing import Any

import pytest

from tests.chaos import rules, stores
from tests.chaos.facts import Facts
from tests.chaos.heard import EXCHANGE, GOVERNMENT, LINK, LINKED, PUBLIC, RECORD, SUBJECT, Heard
from tests.unit.chaos import tapes
from tests.unit.chaos.tapes import IN, R1, R2, S1, SYNC, Tape, change, exchanged, heard, said, task, version

BY_RECORDS, BY_ORDERS = tapes.LINK, "identity/1/credit.identity.command.v1/0"
HEARD_OF = f"disclosure/1/{LINK}/0"
S2 = b"t" * 16
NOW_WAITING = (R2, 1)


def link(position: int, record_id: bytes, link_no: int, subject_id: bytes | None, again: Heard | None = None) -> Heard:
    """Whose a record is from now on; None: nobody's, who was S1's."""
    record = {"record_id": record_id, "link_no": link_no, "subject_id": subject_id or S1,
              "linked": subject_id is not None, "record": None if again is None else again.record}  # fmt: skip
    return said(LINK, BY_ORDERS if again is None else BY_RECORDS, position, record)


def subject(position: int, subject_id: bytes, number: int, into: bytes | None) -> Heard:
    record = {"subject_id": subject_id, "subject_version": number, "merged_into": into}
    return said(SUBJECT, BY_ORDERS, position, record)


def moved(feed: str, position: int, record_id: bytes, seqs: tuple[int, int], gone: bytes, come: bytes) -> Tape:
    """A feed takes a record from one subject and gives it to another."""
    return [
        change(feed, position, record_id, 1, seqs[0], "WITHDRAWN", gone),
        change(feed, position + 1, record_id, 1, seqs[1], "ADDED", come),
    ]


def merged() -> Tape:
    """R1 of S1 and R2 of S2; S1 is merged into S2, taken apart, and merged again."""
    tape = [tapes.submitted(n, f"s{n}") for n in range(2)]
    for n, (record_id, subject_id) in enumerate(((R1, S1), (R2, S2))):
        tape.append(version(RECORD, IN, 2 * n + 1, record_id, 1, f"s{n}"))
        tape.append(tapes.receipt(2 * n + 2, f"s{n}", "ACCEPTED", record_id))
        tape.append(version(LINKED, BY_RECORDS, n + 1, record_id, 1, f"s{n}", subject_id))
        tape.append(said(SUBJECT, BY_RECORDS, n + 3, {"subject_id": subject_id, "subject_version": 1}))
        for feed in (PUBLIC, GOVERNMENT):
            tape.append(change(feed, 2 * n + 1 + (feed == GOVERNMENT), record_id, 1, 1, "ADDED", subject_id))
    tape.append(task("t1", 1, "OPENED", 1))
    for n, whose in enumerate((S2, S1, S2)):
        tape.append(subject(2 * n + 1, S1, n + 2, S2 if whose == S2 else None))
        tape.append(link(2 * n + 2, R1, 2 * n + 2, whose))
        gone, come = (S1, S2) if whose == S2 else (S2, S1)
        for feed in (PUBLIC, GOVERNMENT):
            at = 10 + 4 * n + 2 * (feed == GOVERNMENT)
            tape += moved(feed, at, R1, (n + 2, n + 2), gone, come)
        tape += [task("t1", 2 * n + 2, "LIFTED", 2 * n + 2, subject_id=gone)]
        tape += [task("t1", 2 * n + 3, "OPENED", 2 * n + 3, subject_id=come)]
    return tape


def lost(found: bool) -> Tape:
    """R2 of S1 is nobody's any more, or is found again; the nation collects it."""
    catalogue = {"code": "org-permit", "definition": '{"national": {"dataset": "xzxk"}}'}
    tape = [said("credit.ingestion.catalogue.v1", "ingestion/1/credit.ingestion.command.v1/0", 1, catalogue)]
    tape += [tapes.submitted(1, "s1"), version(RECORD, IN, 1, R2, 1, "s1"), tapes.receipt(2, "s1", "ACCEPTED", R2)]
    tape += [version(LINKED, BY_RECORDS, 1, R2, 1, "s1"), change(PUBLIC, 1, R2, 1, 1), change(GOVERNMENT, 2, R2, 1, 1)]
    tape += [exchanged(R2, 1, "ACKNOWLEDGED", 1, 1), link(2, R2, 2, None)]
    tape += [change(PUBLIC, 3, R2, 1, 2, "WITHDRAWN"), change(GOVERNMENT, 4, R2, 1, 2, "WITHDRAWN")]
    tape.append(exchanged(R2, 1, "ACKNOWLEDGED", 1, 2, link_no=2))
    if found:
        again = version(LINKED, BY_RECORDS, 5, R2, 1, "s1")
        tape += [again, link(6, R2, 3, S1, again), exchanged(R2, 1, "ACKNOWLEDGED", 1, 3, link_no=3)]
        tape += [change(PUBLIC, 5, R2, 1, 3), change(GOVERNMENT, 6, R2, 1, 3)]
    return tape


def find(tape: Tape, *in_review: tuple[bytes, int]) -> list[str]:
    return [str(finding) for finding in rules.all_of(heard(tape), in_review, ())]


def test_records_that_move_and_come_back_have_no_finding() -> None:
    assert find(merged()) == []


def test_what_is_nobodys_waits_and_what_is_found_again_is_told_twice_without_a_finding() -> None:
    assert find(lost(found=False), NOW_WAITING) == []
    assert find(lost(found=True)) == []


def test_a_feed_may_lie_out_of_order_where_records_move() -> None:
    """Two lanes tell of such a subject; its numbers say what was first."""
    tape = merged()
    lines = [n for n, m in enumerate(tape) if m.topic == PUBLIC]
    for one, other in zip(lines, reversed(lines), strict=True):
        if one < other:
            positions = tape[one].headers, tape[other].headers
            tape[one], tape[other] = (
                tape[other]._replace(headers=positions[0]),
                tape[one]._replace(headers=positions[1]),
            )
    assert find(tape) == []


def gone(topic: str, position: int, origin: str = "") -> Any:
    def leave_out(tape: Tape) -> Tape:
        at = topic, b"%d" % position
        rest = [m for m in tape if (m.topic, m.headers.get("position")) != at or (
            origin and m.headers["origin"].decode() != origin)]  # fmt: skip
        assert len(rest) < len(tape)
        return rest

    return leave_out


def put(topic: str, position: int, **changes: Any) -> Any:
    def change_one(tape: Tape) -> Tape:
        at = topic, b"%d" % position
        return [
            m._replace(record={**(m.record or {}), **changes}) if (m.topic, m.headers.get("position")) == at else m
            for m in tape
        ]

    return change_one


MERGED = {
    "a move after a merge lost": (gone(LINK, 6), f"I7 about a subject for which another stands: record {R1.hex()} v1"),
    "a move to somebody who was merged himself": (
        put(LINK, 6, subject_id=S1),
        f"I7 about a subject for which another stands: record {R1.hex()} v1",
    ),
    "a move to a stranger": (
        put(LINK, 6, subject_id=b"x" * 16),
        f"I7 on the public feed for another than it is about, {S2.hex()}: record {R1.hex()} v1",
    ),
    "shown for the old subject after a merge": (
        lambda tape: gone(PUBLIC, 18)(gone(PUBLIC, 19)(tape)),
        f"I7 on the public feed for another than it is about, {S1.hex()}: record {R1.hex()} v1",
    ),
    "shown for both after a merge": (
        gone(GOVERNMENT, 20),
        f"I7 on the government feed for another than it is about, {S1.hex()}",
    ),
    "shown for nobody after a merge": (
        gone(PUBLIC, 19),
        f"I1 missing on the public feed since its link changed: record {R1.hex()} v1",
    ),
    "a number of a feed left out": (gone(PUBLIC, 14), "I3 subject_seq"),
    "a record that never moved lost beside one that did": (
        gone(PUBLIC, 3),
        f"I1 missing on {PUBLIC}: record {R2.hex()} v1",
    ),
    "added twice": (put(PUBLIC, 10, change="ADDED"), f"I2 ADDED on {PUBLIC} out of its turn"),
    "a link number used for two things": (put(LINK, 4, link_no=2), "I3 link number 2 says two things"),
    "a move told twice": (
        lambda tape: [*tape, link(9, R1, 6, S2)],
        f"I2 link number 6 told twice on {LINK}: record {R1.hex()}",
    ),
    "a task opened again before it was lifted": (gone(tapes.TASKS, 4), "I2 a task's life is"),
    "a task for the old subject": (
        put(tapes.TASKS, 7, subject_id=S1),
        "I7 a task under way about another than its record is about: task t1",
    ),
}
LOST = {
    "a lost link's event lost": (gone(LINK, 2), "I3 its link was found, but never lost, at link number 3"),
    "a found link's event lost": (gone(LINK, 6), f"I2 told twice on {LINKED}: record {R2.hex()} v1"),
    "a link lost twice": (
        lambda tape: [*gone(LINK, 6)(tape), link(7, R2, 4, None)],
        "I3 its link was lost, then changed without having been found, at link number 4",
    ),
    "found on the one topic only": (
        lambda tape: gone(LINKED, 1)(gone(LINKED, 5)(tape)),
        f"I1 told again on {LINK}, not on {LINKED}: record {R2.hex()} v1",
    ),
    "found and not shown again": (gone(PUBLIC, 5), "I1 missing on the public feed since its link changed"),
    "the nation not told": (gone(EXCHANGE, 3), f"I1 no final answer of the national platform: record {R2.hex()} v1"),
}


@pytest.mark.parametrize("name", MERGED)
def test_what_is_planted_among_moves_is_found_and_named(name: str) -> None:
    plant, words = MERGED[name]
    found = find(plant(merged()))
    assert any(words in each for each in found), found


@pytest.mark.parametrize("name", LOST)
def test_what_is_planted_among_lost_and_found_links_is_found_and_named(name: str) -> None:
    plant, words = LOST[name]
    found = find(plant(lost(found=True)))
    assert any(words in each for each in found), found


@pytest.mark.parametrize(
    ("plant", "in_review", "words"),
    [
        (lambda tape: tape, (), "I1 about nobody known any more, yet not in review"),
        (gone(PUBLIC, 3), [NOW_WAITING], "I7 on the public feed for another than it is about"),
        (gone(LINK, 2), [NOW_WAITING], "I2 linked and in review"),
        (gone(EXCHANGE, 2), [NOW_WAITING], "I1 no final answer of the national platform"),
    ],
)
def test_what_is_nobodys_must_wait_and_be_shown_nowhere(plant: Any, in_review: Any, words: str) -> None:
    found = find(plant(lost(found=False)), *in_review)
    assert any(words in each for each in found), found


# --- the stores ----------------------------------------------------------------------------------------------------


def rows() -> dict[str, list[Any]]:
    """Stores that agree with the tape of the merges."""
    both = [{"record_id": R1, "version": 1}, {"record_id": R2, "version": 1}]
    return {
        "records": both, "links": [both[0] | {"subject_id": S1}, both[1] | {"subject_id": S2}],
        "merged": [{"subject_id": S1, "merged_into": S2}],
        "standing": [r | {"subject_id": S2, "withdrawn": False} for r in both], "reviews": [],
        "shown": [r | {"in_public": True, "in_government": True} for r in both],
        "files": [{"subject_id": s, "public_seq": 4, "government_seq": 4} for s in (S1, S2)],
        "cards": [{"subject_id": S1, "version": 4}, {"subject_id": S2, "version": 1}],
        "listings": [], "parked": [], "exchanges": [],
        "tasks": [{"task_id": "t1", "record_id": R1, "status": "OPENED", "version": 7, "told": True}],
    }  # fmt: skip


def compared(facts: Facts, held: dict[str, list[Any]]) -> list[str]:
    return [str(finding) for finding in stores.compared(facts, held)]


def test_stores_that_know_of_the_merges_agree() -> None:
    assert compared(heard(merged()), rows()) == []


@pytest.mark.parametrize(
    ("table", "row", "changes", "words"),
    [
        ("links", 1, {"subject_id": b"x" * 16}, f"I7 linked to another subject in the store: record {R2.hex()}"),
        ("standing", 0, {"subject_id": S1}, f"I7 disclosure has it for another subject: record {R1.hex()}"),
        ("merged", 0, {"merged_into": b"x" * 16}, "I7 merged in the store or by the topic only"),
    ],
)
def test_a_store_that_has_a_record_for_another_is_found(table: str, row: int, changes: Any, words: str) -> None:
    held = rows()
    held[table][row] |= changes
    assert any(words in each for each in compared(heard(merged()), held))


def test_a_nation_that_still_holds_what_is_nobodys_is_found() -> None:
    facts = heard(lost(found=False))
    row = {"record_id": R2, "version": 1, "link_no": 2, "state": "ACKNOWLEDGED", "held": True}
    held = {name: list[Any]() for name in rows()} | {
        "exchanges": [row], "records": [{"record_id": R2, "version": 1}], "cards": [],
        "files": [{"subject_id": S1, "public_seq": 2, "government_seq": 2}],
    }  # fmt: skip
    words = f"I7 the nation is said to hold it: True; it should: False: record {R2.hex()}"
    assert compared(facts, held) == [words]
    row["held"] = False
    assert compared(facts, held) == []


def test_a_push_of_an_older_link_is_not_the_last() -> None:
    """The lane of links has told of the deletion before the answer to the first push was told."""
    tape = lost(found=False)
    late = exchanged(R2, 1, "RETRYING", 3, 9, origin=f"{SYNC}/late")
    assert find([*tape, late], NOW_WAITING) == []
