"""How persons are named (domain.md §3.6, §3.7, §3.9): one person, one id, however the number is written."""

from __future__ import annotations

import pytest

from services.identity.domain.codes import refer
from services.identity.domain.persons import Document, PersonReference, refer_to_person
from tests.unit.identity.samples import PEPPER

RESIDENT, OTHER = "420106190003070015", "420101190112311007"
PERMIT, TAIWAN = "810000190001010018", "83000019000101002X"


def person(number: str, kind: str = "resident_id", country: str = "") -> PersonReference:
    return refer_to_person(PEPPER, Document(kind, number, country))


@pytest.mark.parametrize(
    ("written", "plain", "notes"),
    [
        (RESIDENT, RESIDENT, ()),
        ("４２０１０６１９０００３０７００１５", RESIDENT, ("REPAIRED",)),  # full width
        (" 420106190003070015\n", RESIDENT, ("REPAIRED",)),
        ("83000019000101002x", TAIWAN, ("REPAIRED",)),
        ("83000019000101002ｘ", TAIWAN, ("REPAIRED",)),
        ("420106050307001", "420106190503070011", ("EXTENDED",)),
        ("440524188001010014", "440524188001010014", ()),  # the standard's example, of another province
        ("429999190001010014", "429999190001010014", ("REGION_UNKNOWN",)),  # no such county: a note, never a gate
    ],
)
def test_a_number_is_one_however_it_is_written(written: str, plain: str, notes: tuple[str, ...]) -> None:
    found = person(written)
    assert (found.fault, found.notes, found.merges) == (None, notes, True)
    assert found.id == person(plain).id
    assert len(found.id) == 16


@pytest.mark.parametrize(
    ("kind", "number", "country", "fault"),
    [
        ("resident_id", "420106190302290018", "", "CODE_MALFORMED"),  # right check, no such day
        ("resident_id", "420106190003070016", "", "CODE_MALFORMED"),
        ("resident_id", "", "", "CODE_MALFORMED"),
        ("resident_id", "000000000000000000", "", "CODE_MALFORMED"),
        ("residence_permit", RESIDENT, "", "CODE_MALFORMED"),
        ("hk_mo_permit", "A12345678", "", "CODE_MALFORMED"),
        ("tw_permit", "1234567", "", "CODE_MALFORMED"),
        ("permanent_residence", "AB1234567890123", "", "CODE_MALFORMED"),
        ("permanent_residence", "911420106190001012", "", "CODE_MALFORMED"),
        ("passport", "E00000000", "", "CODE_MALFORMED"),  # without the country it is nobody's
        ("passport", "E00000000", "China", "CODE_MALFORMED"),
        ("uscc", "91420100MA4KLM0N5H", "", "CODE_KIND_UNKNOWN"),
        ("", RESIDENT, "", "CODE_KIND_UNKNOWN"),
    ],
)
def test_what_names_nobody_has_no_id(kind: str, number: str, country: str, fault: str) -> None:
    found = person(number, kind, country)
    assert (found.fault, found.id, found.merges) == (fault, b"", False)


def test_the_number_says_that_it_is_a_residence_permit() -> None:
    assert person(PERMIT).kind == "residence_permit"
    assert person(PERMIT).id == person(PERMIT, "residence_permit").id
    assert person(PERMIT, "residence_permit").merges


@pytest.mark.parametrize(
    ("kind", "number", "country"),
    [
        ("hk_mo_permit", "H00000001", ""),
        ("hk_mo_permit", "m0000000101", ""),
        ("tw_permit", "00000001", ""),
        ("permanent_residence", "CHN110000000001", ""),
        ("permanent_residence", "911110190001010010", ""),
        ("passport", "e0000001", "fra"),
    ],
)
def test_other_documents_have_an_id_and_never_merge(kind: str, number: str, country: str) -> None:
    found = person(number, kind, country)
    assert found.fault is None
    assert found.id
    assert not found.merges


def test_the_person_key_is_type_number_and_country() -> None:
    ids = {
        person("E0000001", "passport", "FRA").id,
        person("E0000001", "passport", "DEU").id,
        person("00000001", "tw_permit").id,
        person(RESIDENT).id,
        person(OTHER).id,
        refer_to_person(b"another pepper of the tests", Document("resident_id", RESIDENT)).id,
        refer(PEPPER, "tax_no", RESIDENT).id,  # a sole trader's tax number may be its owner's: not the same subject
    }
    assert len(ids) == 7


def test_a_reference_does_not_hold_the_number() -> None:
    assert RESIDENT not in repr(person(RESIDENT))
