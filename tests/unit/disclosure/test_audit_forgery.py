"""What somebody who can write the audit table might try."""

from __future__ import annotations

from services.disclosure.domain.audit import GENESIS, AuditRow, Head, Looked, broken_at, digest, link

CHAIN = "disclosure-0"


def looked(n: int, purpose: str = "审查") -> Looked:
    return Looked(n, "演示市信用办", "government", purpose, "GetSubject", bytes(16), "ANSWERED")


def chain() -> list[AuditRow]:
    return link(CHAIN, Head(), [looked(n) for n in range(5)])


def test_a_forged_row_whose_successor_is_made_to_point_at_it_is_found() -> None:
    rows = chain()
    forged = looked(2, "另一目的")
    rows[2] = rows[2]._replace(looked=forged, hash=digest(CHAIN, 3, rows[2].prev_hash, forged))
    rows[3] = rows[3]._replace(prev_hash=rows[2].hash)
    assert broken_at(rows) == 4


def test_a_row_whose_number_alone_was_changed_is_found() -> None:
    rows = chain()
    rows[2] = rows[2]._replace(seq=7)
    assert broken_at(rows) == 7


def test_a_row_whose_link_alone_was_changed_is_found() -> None:
    rows = chain()
    rows[2] = rows[2]._replace(prev_hash=GENESIS)
    assert broken_at(rows) == 3


def test_where_one_text_ends_and_the_next_begins_counts() -> None:
    one, other = looked(0)._replace(caller="ab", purpose="c"), looked(0)._replace(caller="a", purpose="bc")
    assert digest(CHAIN, 1, GENESIS, one) != digest(CHAIN, 1, GENESIS, other)
