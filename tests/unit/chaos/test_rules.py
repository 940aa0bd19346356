"""Every planted loss, double, misorder and deleted row is found and named; a whole tape has no finding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from services.ingestion.domain.codes import CODES
from tests.chaos import rules, stores
from tests.chaos.heard import EXCHANGE, GOVERNMENT, LINKED, PUBLIC, RECORD, SUBJECT, Heard
from tests.chaos.reading import Lane, front
from tests.unit.chaos.tapes import (
    AGENCY,
    IN,
    LINK,
    R1,
    R2,
    RECEIPTS,
    S1,
    SUBMIT,
    TASKS,
    Tape,
    change,
    exchanged,
    find,
    heard,
    plus,
    receipt,
    said,
    submitted,
    task,
    version,
    whole,
    without,
)


def test_a_whole_tape_has_no_finding() -> None:
    assert find(whole()) == []


def test_what_is_published_again_is_dropped_and_harmless() -> None:
    tape = whole()
    assert find([*tape, *(m for m in tape if "origin" in m.headers)]) == []


def test_what_is_submitted_in_two_partitions_is_answered_in_both() -> None:
    again = submitted(5, "s3")._replace(partition=1, key=b"k3")
    answer = receipt(9, "s3", "REFUSED", None, "FIELD_MISSING")
    assert find([*whole(), again, answer._replace(partition=1)]) == []
    assert "under another key or partition" in find([*whole(), again, answer._replace(partition=2)])[0]


def test_a_broken_submission_may_go_by_the_name_that_can_be_read() -> None:
    broken = submitted(5, "s5")._replace(record=front(b"\0\0\0\0\x01\x04s5"))
    answer = receipt(9, "s5", "REFUSED", None, "UNDECODABLE")
    assert find([*whole(), broken, answer]) == []
    assert front(b"\0\0\0\0\x01\x09s5") is None


def swapped(topic: str) -> Callable[[Tape], Tape]:
    """The first two records of a topic change places, each with the other's position."""

    def swap(tape: Tape) -> Tape:
        first, second = [n for n, m in enumerate(tape) if m.topic == topic][:2]
        tape[first], tape[second] = (
            tape[first]._replace(record=tape[second].record),
            tape[second]._replace(record=tape[first].record),
        )
        return tape

    return swap


PLANTED = {
    "a receipt lost": (without(RECEIPTS, 7), f"I1 0 final receipts for 1 submissions: {AGENCY}/k3"),
    "the receipt of bytes lost": (without(RECEIPTS, 8), f"I1 0 final receipts for 1 submissions: {AGENCY}/k4"),
    "a submission answered twice": (plus(receipt(9, "s3", "REFUSED", None, "FIELD_MISSING")), "I2 2 final receipts"),
    "an answer to nobody": (plus(receipt(9, "s9", "REFUSED", None, "FIELD_MISSING")), "for what nobody submitted"),
    "an unpublished code": (
        lambda tape: [*without(RECEIPTS, 7)(tape), receipt(9, "s3", "REFUSED", None, "BECAUSE")],
        f"not from the published list: {AGENCY}/k3",
    ),
    "an answer under another key": (
        lambda tape: [*without(RECEIPTS, 7)(tape), receipt(9, "s3", "REFUSED", None, "FIELD_MISSING", key=b"k0")],
        f"I4 answered under another key or partition: {AGENCY}/k3",
    ),
    "an accepted record lost": (without(RECORD, 3), f"I1 1 ACCEPTED, 0 versions on {RECORD}"),
    "a record accepted twice": (
        plus(version(RECORD, IN, 9, R2, 1, "s1")),
        f"I2 told twice on {RECORD}: record {R2.hex()}",
    ),
    "a version skipped": (without(RECORD, 1), f"I3 version 2 follows 0: record {R1.hex()}"),
    "a linked record lost": (
        without(LINKED, 2),
        f"I1 accepted, yet neither on {LINKED} nor in review: record {R2.hex()}",
    ),
    "linked, never accepted": (plus(version(LINKED, LINK, 9, b"9" * 16, 1, "s9")), "I2 linked, but never accepted"),
    "a change lost": (without(GOVERNMENT, 4), f"I1 missing on {GOVERNMENT}: record {R2.hex()}"),
    "a change doubled": (plus(change(PUBLIC, 9, R2, 1, 4)), f"I2 one too many on {PUBLIC}: record {R2.hex()}"),
    "changes out of order": (swapped(PUBLIC), f"I3 out of order on {PUBLIC}"),
    "a gap in subject_seq": (
        lambda tape: [*without(PUBLIC, 5)(tape), change(PUBLIC, 9, R1, 2, 4)],
        "I3 subject_seq 4 where 3 was due",
    ),
    "a task opened twice": (
        plus(task("t1", 9, "OPENED", 2)),
        "I2 a task's life",
    ),
    "a task opened again after it was lifted": (plus(task("t2", 9, "OPENED", 4)), "I2 a task's life"),
    "a version of a task skipped": (plus(task("t1", 9, "LIFTED", 3)), "I3 the versions told of a task are [1, 3]"),
    "a version of a task used twice": (
        plus(task("t2", 9, "LIFTED", 2)),
        "I3 the versions told of a task are [1, 2, 2, 3]",
    ),
    "a final exchange lost": (without(EXCHANGE, 2), f"I1 no final answer of the national platform: record {R2.hex()}"),
    "an exchange ended twice": (
        plus(exchanged(R2, 1, "REFUSED", 1, 9)),
        "I2 two final answers",
    ),
    "a position after a higher one": (
        lambda tape: [*without(LINKED, 2)(tape), *(m for m in tape if m.topic == LINKED and m.offset == 2)],
        "I3 a position comes after a higher one",
    ),
    "a position used again": (
        plus(said(LINKED, LINK, 2, {}, digest=1)),
        "I3 a position was used again for something else",
    ),
    "said without a position": (plus(Heard(LINKED, 0, 9, b"", {}, None)), "I3 said without origin and position"),
}


@pytest.mark.parametrize("name", PLANTED)
def test_what_is_planted_is_found_and_named(name: str) -> None:
    plant, words = PLANTED[name]
    found = find(plant(whole()))
    assert any(words in each for each in found), found


def erased(position: int = 5) -> Heard:
    told = {"subject_id": S1, "subject_version": 1, "change": "ERASED", "subject_kind": "person"}
    return said(SUBJECT, LINK, position, told)


def withdrawn(feed: str, position: int, record_id: bytes, number: int, seq: int, **was: Any) -> Heard:
    line = change(feed, position, record_id, number, seq, "WITHDRAWN")
    blank: dict[str, Any] = {"reason": "SUBJECT_ERASED", "item": "", "agency": "", "fields_changed": []}
    blank |= dict.fromkeys(("subject_code", "subject_name", "before", "after"))
    return line._replace(record={**(line.record or {}), **blank, **was})


def of_the_erased() -> Tape:
    """The one subject of the tape is erased; its last version came afterwards, and is told to nobody."""
    tape = [m for m in whole() if m.topic not in (PUBLIC, GOVERNMENT)]
    for n, feed in enumerate((PUBLIC, GOVERNMENT)):
        tape += [change(feed, 10 + n, R1, 1, 1), change(feed, 12 + n, R2, 1, 2)]
        tape += [withdrawn(feed, 20 + n, R2, 1, 3), withdrawn(feed, 22 + n, R1, 1, 4)]
    return [*tape, erased()]


def test_of_who_was_erased_all_is_withdrawn_and_what_was_never_told_is_not_missed() -> None:
    assert find(of_the_erased()) == []


@pytest.mark.parametrize(
    ("plant", "words"),
    [
        (plus(erased()), f"I7 still on {PUBLIC}, though its subject was erased: record {R1.hex()}"),
        (lambda _: without(GOVERNMENT, 23)(of_the_erased()), f"I7 still on {GOVERNMENT}"),
        (lambda _: [*of_the_erased(), change(PUBLIC, 30, R1, 2, 5)], f"I7 still on {PUBLIC}"),
        (lambda _: without(PUBLIC, 20)(of_the_erased()), "I3 subject_seq 4 where 3 was due"),
        (
            lambda _: [
                *without(PUBLIC, 22)(of_the_erased()),
                withdrawn(PUBLIC, 24, R1, 1, 4, before={"CF_NR_FK": "0.1"}),
            ],
            f"I7 said again on the public feed of somebody who was erased: record {R1.hex()}",
        ),
    ],
)
def test_what_is_still_shown_or_said_again_of_the_erased_is_found(plant: Callable[[Tape], Tape], words: str) -> None:
    found = find(plant(whole()))
    assert any(words in each for each in found), found


def test_an_erased_person_has_no_card() -> None:
    other = erased()._replace(record={**(erased().record or {}), "subject_id": b"p" * 16})
    assert list(stores.compared(heard([*whole(), other]), rows())) == []


def rows() -> dict[str, list[Any]]:
    """Stores that agree with the whole tape."""
    records = [{"record_id": R1, "version": 2}, {"record_id": R2, "version": 1}]
    flags = {"in_public": True, "in_government": True}
    return {
        "records": records, "links": [r | {"subject_id": S1} for r in records], "merged": [],
        "standing": [r | {"subject_id": S1, "withdrawn": False} for r in records], "reviews": [],
        "shown": [r | flags for r in records],
        "files": [{"subject_id": S1, "public_seq": 3, "government_seq": 3}],
        "cards": [{"subject_id": S1, "version": 1}], "listings": [], "parked": [],
        "tasks": [{"task_id": "t2", "record_id": R1, "status": "LIFTED", "version": 3, "told": True},
                  {"task_id": "t1", "record_id": R2, "status": "OPENED", "version": 1, "told": True}],
        "exchanges": [r | {"state": "ACKNOWLEDGED", "link_no": 0, "held": True} for r in records],
    }  # fmt: skip


def test_stores_that_agree_have_no_finding() -> None:
    assert list(stores.compared(heard(whole()), rows())) == []


def test_a_change_of_a_task_that_its_topic_lacks_is_found() -> None:
    found = [str(finding) for finding in stores.compared(heard(without(TASKS, 3)(whole())), rows())]
    assert any("I7 (3, 'LIFTED') in sanctions.tasks" in each and "task t2" in each for each in found), found


@pytest.mark.parametrize("table", ["records", "links", "standing", "shown", "files", "cards", "tasks", "exchanges"])
def test_a_deleted_row_is_found_in_every_store(table: str) -> None:
    held = rows()
    gone = held[table].pop()
    found = [str(finding) for finding in stores.compared(heard(whole()), held)]
    name = next(v.hex() if isinstance(v, bytes) else v for v in gone.values())
    assert any("no row in" in each and name in each for each in found), found


def test_a_nation_that_lacks_what_it_should_hold_is_found() -> None:
    held = rows()
    held["exchanges"][0]["held"] = False
    found = [str(finding) for finding in stores.compared(heard(whole()), held)]
    assert found == [f"I7 the nation is said to hold it: False; it should: True: record {R1.hex()}"]


def test_a_doubled_row_is_found() -> None:
    held = rows()
    held["standing"] = [*held["standing"], held["standing"][0]]
    assert any("two rows in disclosure.record_standing" in str(f) for f in stores.compared(heard(whole()), held))


LANE = (SUBMIT, 0)


@pytest.mark.parametrize(
    ("lane", "before", "words"),
    [
        (Lane(5, 8, 8), Lane(5, 8, 8), ""),
        (Lane(4, 8, 8), Lane(-1, 0, 0), "I5 next_offset 4, the topic ends at 5"),
        (Lane(5, 8, 8), Lane(6, 8, 8), "I5 went back"),
        (Lane(5, 9, 8), Lane(5, 8, 8), "I5 said 9 events, 8 are on the topics; missing or doubled: 9"),
    ],
)
def test_lanes_read_to_the_end_never_go_back_and_what_they_said_is_there(lane: Lane, before: Lane, words: str) -> None:
    found = stores.lanes(heard(whole()), {"ingestion": {LANE: lane}}, {LANE: 5}, {"ingestion": {LANE: before}})
    text = "\n".join(map(str, found))
    assert words in text
    assert bool(text) == bool(words)


def test_the_published_list_of_codes_is_what_ingestion_states() -> None:
    assert CODES.keys() == rules.PUBLISHED_CODES
