"""Subjects that share a record of the batch are decided as one file, all others apart."""

from __future__ import annotations

from services.disclosure.domain.events import Standing
from services.disclosure.domain.feed_changes import Seqs
from services.disclosure.domain.grouping import group
from services.disclosure.domain.subject_file import EMPTY, SubjectFile

ONE, TWO, THREE, FOUR = (bytes([n]) * 16 for n in range(1, 5))
R1, R2 = b"r" * 16, b"q" * 16


def test_subjects_without_a_common_record_stay_apart() -> None:
    keys, files = group([(R1, ONE), (R2, TWO)], {}, {})
    assert keys == {ONE: ONE, TWO: TWO}
    assert files == {ONE: EMPTY, TWO: EMPTY}


def test_subjects_meet_through_records_and_through_each_other() -> None:
    keys, files = group([(R2, FOUR), (R1, THREE), (R2, TWO), (R1, TWO), (b"p" * 16, ONE)], {}, {})
    assert {keys[TWO], keys[THREE], keys[FOUR]} == {TWO}
    assert keys[ONE] == ONE
    assert files.keys() == {ONE, TWO}


def test_a_file_holds_what_stands_and_the_counts_of_all_its_subjects_and_of_no_other() -> None:
    standings = {R1: Standing(R1, 3, TWO), R2: Standing(R2, 1, FOUR)}
    counts: dict[bytes, Seqs] = {s: (0, s[0]) for s in (ONE, TWO, FOUR)}
    keys, files = group([(R1, ONE), (R1, TWO), (R2, FOUR)], standings, counts)
    assert keys[TWO] == ONE
    assert files[ONE] == SubjectFile({ONE: (0, 1), TWO: (0, 2)}, {R1: standings[R1]})
    assert files[FOUR] == SubjectFile({FOUR: (0, 4)}, {R2: standings[R2]})
