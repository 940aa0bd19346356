"""Laws of persons' ids: dirt does not split a person, and nothing but type, number and country tells them apart."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from services.identity.domain.persons import Document, refer_to_person
from services.kernel.resident_id import check_character
from tests.unit.identity.samples import PEPPER

FULL_WIDTH = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")
# Nobody who lives holds one of these.
bodies = st.builds(
    lambda region, day, number: f"{region}{day:%Y%m%d}{number:03d}",
    st.sampled_from(["420106", "110101", "429999", "810000"]),
    st.dates(date(1880, 1, 1), date(1905, 12, 31)),
    st.integers(0, 995),
)
numbers = bodies.map(lambda body: body + check_character(body))
dirt = st.sampled_from([str, str.lower, lambda n: n.translate(FULL_WIDTH), lambda n: f"\u3000{n} ", lambda n: f"{n}\n"])


def named(number: str, kind: str = "resident_id") -> bytes:
    return refer_to_person(PEPPER, Document(kind, number)).id


@given(numbers, dirt, dirt)
def test_dirt_does_not_split_a_person(number: str, one: object, other: object) -> None:
    assert callable(one) and callable(other)
    assert named(one(number)) == named(other(number)) != b""


@given(numbers.filter(lambda n: n[6:8] == "19" and n[:2] != "81"))
def test_the_old_number_is_the_same_person(number: str) -> None:
    assert named(number[:6] + number[8:17]) == named(number)


@given(numbers, numbers)
def test_two_numbers_are_two_persons(one: str, other: str) -> None:
    assert (named(one) == named(other)) == (one == other)


@given(numbers, st.integers(0, 17), st.sampled_from("0123456789X"))
def test_one_wrong_character_names_nobody_or_somebody_else(number: str, at: int, wrong: str) -> None:
    changed = number[:at] + wrong + number[at + 1 :]
    if changed != number:
        assert named(changed) == b""  # MOD 11-2 sees every single error
