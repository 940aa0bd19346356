"""The audit chain: a row that was changed, left out or put in shows."""

from __future__ import annotations

from typing import Any

import pytest

from services.disclosure.domain.audit import GENESIS, AuditRow, Head, Looked, broken_at, digest, link
from tests.unit.disclosure.samples import AT_MS, JIA, YI

CHAIN = "disclosure-0"


def looked(n: int, **more: Any) -> Looked:
    return Looked(AT_MS + n, "演示市信用办", "government", "审查", "GetSubject", JIA, "ANSWERED")._replace(**more)


def chain(length: int = 5) -> list[AuditRow]:
    return link(CHAIN, Head(), [looked(n) for n in range(length)])


def test_a_chain_as_it_was_written_holds() -> None:
    rows = chain()
    assert [row.seq for row in rows] == [1, 2, 3, 4, 5]
    assert [row.prev_hash for row in rows] == [GENESIS, *(row.hash for row in rows[:-1])]
    assert broken_at(rows) is None
    assert broken_at([]) is None


def test_a_chain_that_is_continued_is_the_chain_written_at_once() -> None:
    first = chain(2)
    later = link(CHAIN, Head(2, first[-1].hash), [looked(n) for n in range(2, 5)])
    assert [*first, *later] == chain(5)


@pytest.mark.parametrize(
    "change",
    [
        {"at_ms": AT_MS},
        {"caller": "another"},
        {"channel": "public"},
        {"purpose": "another"},
        {"method": "ListRecords"},
        {"subject_id": YI},
        {"subject_id": None},
        {"outcome": "SUBJECT_UNKNOWN"},
    ],
    ids=str,
)
def test_a_changed_row_is_found(change: dict[str, Any]) -> None:
    rows = chain()
    rows[2] = rows[2]._replace(looked=rows[2].looked._replace(**change))
    assert broken_at(rows) == 3


def test_a_changed_row_with_a_hash_that_fits_breaks_the_next_one() -> None:
    rows = chain()
    forged = looked(2, purpose="another")
    rows[2] = rows[2]._replace(looked=forged, hash=digest(CHAIN, 3, rows[2].prev_hash, forged))
    assert broken_at(rows) == 4


@pytest.mark.parametrize("at", range(4))
def test_an_omission_is_found_at_the_row_behind_it(at: int) -> None:
    rows = chain()
    del rows[at]
    assert broken_at(rows) == at + 2


def test_an_omission_that_is_numbered_over_is_found() -> None:
    rows = chain()
    del rows[1]
    assert broken_at([row._replace(seq=n) for n, row in enumerate(rows, 1)]) == 2


def test_rows_in_another_order_and_rows_put_in_are_found() -> None:
    rows = chain()
    assert broken_at([rows[1], rows[0], *rows[2:]]) == 2
    assert broken_at([*rows[:2], rows[1], *rows[2:]]) == 2


def test_a_row_of_another_chain_is_found() -> None:
    rows = chain()
    rows[0] = rows[0]._replace(chain="disclosure-1")
    assert broken_at(rows) == 1


def test_rows_missing_at_the_end_do_not_show() -> None:
    """The stated limit: who holds no later head cannot see that the end was cut off."""
    assert broken_at(chain()[:3]) is None


def test_nobody_and_somebody_do_not_hash_alike() -> None:
    assert digest(CHAIN, 1, GENESIS, looked(0, subject_id=None)) != digest(CHAIN, 1, GENESIS, looked(0, subject_id=b""))
