"""Organisation codes, registration numbers and resident IDs (birth years 1880 to 1905 only: nobody living)."""

from __future__ import annotations

from datetime import date

import pytest
from stdnum.cn import ric

from services.kernel import organisation_code, registration_number, resident_id


@pytest.mark.parametrize("code", ["MA4KLM0N5", "011043217", "42000012X", "500112340"])
def test_a_right_organisation_code(code: str) -> None:
    assert organisation_code.is_valid(code)
    assert organisation_code.normalise(f"{code[:8].lower()}-{code[8]}") == code


@pytest.mark.parametrize("code", ["MA4KLM0N6", "PDY00001X", "01104321", "", "000000000"])
def test_a_wrong_organisation_code(code: str) -> None:
    assert not organisation_code.is_valid(code)


def test_letters_of_an_organisation_code_count_as_in_base_36() -> None:
    """By the 31-letter table of the USCC, J would be 18 and this code wrong."""
    assert organisation_code.check_character("MJ123456") == "1"


@pytest.mark.parametrize("number", ["420100000000014", "420000000012349", "420106600123454", "4201001234567"])
def test_a_right_registration_number(number: str) -> None:
    assert registration_number.is_valid(number)


@pytest.mark.parametrize("number", ["420100000000015", "", "91420100MA4KLM0N5H", "000000000000000"])
def test_a_wrong_registration_number(number: str) -> None:
    assert not registration_number.is_valid(number)


@pytest.mark.parametrize(
    "number",
    ["420106190003070015", "420101190112311007", "810000190001010018", "83000019000101002X", "440524188001010014"],
)
def test_a_right_resident_id(number: str) -> None:
    assert resident_id.is_valid(number)


@pytest.mark.parametrize("number", ["420106190302290018", "420106190003070016", "42010619000307001", ""])
def test_a_wrong_resident_id(number: str) -> None:
    assert not resident_id.is_valid(number)


def test_a_short_resident_id_is_extended() -> None:
    assert resident_id.normalise("420106050307001") == "420106190503070011"
    assert resident_id.normalise("42010605030799６")[6:8] == "18"  # a centenarian's sequence number


def test_private_use_organisation_codes_are_nobody_whatever_their_check() -> None:
    body = "PDY00001"
    assert not organisation_code.is_valid(body + organisation_code.check_character(body))


def test_a_birth_after_the_record_is_refused() -> None:
    assert resident_id.is_valid("420106190003070015", date(1900, 3, 7))
    assert not resident_id.is_valid("420106190003070015", date(1900, 3, 6))


def test_dirt_on_a_resident_id_is_put_right() -> None:
    assert resident_id.normalise(" ８3000019000101002x") == "83000019000101002X"


@pytest.mark.parametrize("number", ["420106190003070015", "420101190112311007", "440524188001010014"])
def test_another_library_computes_the_same_check(number: str) -> None:
    """python-stdnum also ties a region to the birth year and knows no 82/83 permits: only its check digit is asked."""
    assert ric.calc_check_digit(number) == number[17]


def test_nothing_is_read_from_a_resident_id_but_its_validity() -> None:
    """Neither sex nor birthplace may be derived from the number."""
    offered = {name for name in vars(resident_id) if name.islower() and callable(getattr(resident_id, name))}
    assert offered == {"check_character", "normalise", "is_valid", "date", "narrowed"}
