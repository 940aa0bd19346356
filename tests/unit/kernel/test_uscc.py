"""The unified social credit code: vectors, repairs, and a second opinion."""

from __future__ import annotations

import pytest
from stdnum.cn import uscc as other

from services.kernel import uscc

VALID = [
    "91420100MA4KLM0N5H",
    "93420111MA4XYK1279",
    "92420106MA4ABCD17H",
    "11420000011043217X",
    "1242000042000012XY",
    "51420000500112340H",
    "52420100MJ1234561M",
    "N2420111MF1234567E",
]


@pytest.mark.parametrize("code", VALID)
def test_a_right_code_has_neither_fault_nor_note(code: str) -> None:
    assert uscc.check(code) == uscc.Checked(code, "", ())


@pytest.mark.parametrize(
    ("text", "fault", "notes"),
    [
        ("91420100ma4klm0n5h", "", ("REPAIRED",)),
        ("９１420100MA4KLM0N5H", "", ("REPAIRED",)),
        (" 91420100MA4KLM0N5H", "", ("REPAIRED",)),
        ("91420100MA4KLM0N5J", "CHECK_DIGIT", ()),
        ("91420100MA4KLM0N5", "LENGTH", ()),
        ("91420100MA4KLM0I5H", "ALPHABET", ()),
        ("00000000000000000X", "PLACEHOLDER", ()),
        ("00000000000000000x", "PLACEHOLDER", ("REPAIRED",)),
        ("000000000000000000", "PLACEHOLDER", ()),
        ("91420100MA4KLM0N五H", "ALPHABET", ()),
        ("91420100MA4KLM0N\ud800H", "ALPHABET", ()),
        (uscc.complete("99420100MA4KLM0N5"), "", ("UNKNOWN_CATEGORY",)),
        (uscc.complete("91420100MA4KLM0N6"), "", ("ORG_CODE_DIGIT",)),
    ],
)
def test_what_is_repaired_what_is_noted_what_is_refused(text: str, fault: str, notes: tuple[str, ...]) -> None:
    found = uscc.check(text)
    assert (found.fault, found.notes) == (fault, notes)


@pytest.mark.parametrize("code", VALID)
def test_another_library_agrees_where_it_is_right(code: str) -> None:
    """python-stdnum wants eight digits first, and so rejects every A, N and Y code; ours must not."""
    assert other.is_valid(code) == code[:8].isdigit()
    assert other.calc_check_digit(code) == code[17]


def test_every_published_kind_of_body_goes_without_a_note() -> None:
    for kind in uscc.KINDS:
        assert uscc.check(uscc.complete(kind + "420100MA4KLM0N5")).notes == ()


def test_two_readings_of_one_letter() -> None:
    """J is 18 in the credit code and 19 in the organisation code within it; both must be right."""
    assert uscc.is_valid("52420100MJ1234561M")
    assert uscc.organisation_part("52420100MJ1234561M") == "MJ1234561"
