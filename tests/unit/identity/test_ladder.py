"""The resolution ladder: which code links by which rule, and which reason is given when none does."""

from __future__ import annotations

import pytest

from services.identity.domain.events import Event, RecordHeld, RecordLinked
from services.identity.domain.neighbours import alias_kinds, subject_ids
from services.identity.domain.records import RecordSeen
from services.identity.domain.subject_events import AliasBound, AliasContested
from tests.unit.identity.samples import (
    JIA,
    REG_NO,
    YI,
    mapping,
    record,
    refer,
    registration,
    sealed,
    subject_id,
    tell,
)

TAX_NO = "420100MA4KLM0N5"
SAME_ORG_CODE = "93420100MA4KLM0N5B"  # another USCC around JIA's organisation code


def outcome(event: Event) -> tuple[object, ...]:
    if isinstance(event, RecordLinked):
        return "LINKED", event.link.subject_id, event.link.rule, event.link.evidence
    assert isinstance(event, RecordHeld)
    return "HELD", event.held.reason


USCC = ("LINKED", subject_id(JIA), "USCC", ("uscc",))
TABLE: dict[str, tuple[list[RecordSeen], RecordSeen, tuple[object, ...]]] = {
    "a USCC links exactly": ([], record(), USCC),
    "lower case is dirt": ([], record(JIA.lower(), number=9), USCC),
    "full width is dirt": ([], record("９１420100MA4KLM0N5H", number=9), USCC),
    "a wrong check digit": ([], record(JIA[:-1] + "J"), ("HELD", "CODE_MALFORMED")),
    "the placeholder stands for many": ([], record("00000000000000000X"), ("HELD", "CODE_PLACEHOLDER")),
    "the placeholder, lower case": ([], record("00000000000000000x"), ("HELD", "CODE_PLACEHOLDER")),
    "a kind that is no organisation's": (
        [],
        record("420106190003070015", "resident_id"),
        ("HELD", "CODE_KIND_UNKNOWN"),
    ),
    "a person": ([], record(subject_kind="person"), ("HELD", "PERSON_NOT_SUPPORTED_YET")),
    "a person, sealed": ([], sealed("01"), ("LINKED", b"\x01" * 16, "SUBJECT_ID", ("subject_id",))),
    "another person, corrected": ([sealed("01")], sealed("02", version=2), ("HELD", "SUBJECT_CHANGED")),
    "a sealed person without an id": ([], sealed("xy"), ("HELD", "CODE_MALFORMED")),
    "an organisation code nobody brought": ([], record("MA4KLM0N5", "org_code", number=9), ("HELD", "CODE_UNKNOWN")),
    "a record under the USCC brings no organisation code": (
        [record()],
        record("MA4KLM0N5", "org_code", number=9),
        ("HELD", "CODE_UNKNOWN"),
    ),
    "a registration brings its organisation code": (
        [registration()],
        record("MA4KLM0N-5", "org_code", number=9),
        ("LINKED", subject_id(JIA), "ORG_CODE", ("org_code", "enterprise-registration")),
    ),
    "a mapping brings a registration number": (
        [mapping()],
        record(REG_NO, "reg_no", number=9),
        ("LINKED", subject_id(JIA), "REG_NO", ("reg_no", "code-mapping")),
    ),
    "a number of one kind is not one of another": (
        [mapping()],
        record(REG_NO, "tax_no", number=9),
        ("HELD", "CODE_UNKNOWN"),
    ),
    "another register's number and an equal name": (
        [registration(name="演示電子(湖北)有限公司"), mapping(old_kind="tax_no", old=TAX_NO, number=4)],
        record(TAX_NO, "tax_no", number=9, name="演示电子（湖北） 有限公司"),
        ("LINKED", subject_id(JIA), "TAX_NO_AND_NAME", ("tax_no", "code-mapping", "name")),
    ),
    "another register's number and another legal form": (
        [registration(name="演示有限公司"), mapping(old_kind="tax_no", old=TAX_NO, number=4)],
        record(TAX_NO, "tax_no", number=9, name="演示股份有限公司"),
        ("HELD", "NAME_DIFFERS"),
    ),
    "another register's number without a registered name": (
        [mapping(old_kind="tax_no", old=TAX_NO, number=4)],
        record(TAX_NO, "tax_no", number=9),
        ("HELD", "NAME_UNKNOWN"),
    ),
    "another register's number that nobody mapped, and an equal name": (
        [registration()],
        record(TAX_NO, "tax_no", number=9),
        ("HELD", "CODE_UNKNOWN"),
    ),
    "a wrong registration number": ([], record("420100000000015", "reg_no"), ("HELD", "CODE_MALFORMED")),
    "private use is never a subject": ([], record("PDY000019", "org_code"), ("HELD", "CODE_MALFORMED")),
    "a mapping of another's code": (
        [mapping()],
        mapping(YI, number=9),
        ("HELD", "ALIAS_CONFLICT"),
    ),
    "a repeated mapping": ([mapping()], mapping(number=9), USCC),
    "an organisation code in two registrations": (
        [registration(), registration(SAME_ORG_CODE, number=2)],
        record("MA4KLM0N5", "org_code", number=9),
        ("HELD", "CODE_AMBIGUOUS"),
    ),
    "a withdrawal follows the link": (
        [mapping(), record(REG_NO, "reg_no", number=9)],
        record(YI, number=9, version=2, action="withdraw"),
        ("LINKED", subject_id(JIA), "REG_NO", ("reg_no", "code-mapping")),
    ),
    "a correction that stays": ([record(number=9)], record(number=9, version=2, action="correct"), USCC),
    "a correction to another subject": (
        [record(number=9)],
        record(YI, number=9, version=2, action="correct"),
        ("HELD", "SUBJECT_CHANGED"),
    ),
}


@pytest.mark.parametrize(("before", "given", "expected"), TABLE.values(), ids=TABLE.keys())
def test_ladder(before: list[RecordSeen], given: RecordSeen, expected: tuple[object, ...]) -> None:
    cluster, _ = tell(*before)
    _, said = tell(given, cluster=cluster)
    assert [outcome(e) for e in said if isinstance(e, RecordLinked | RecordHeld)] == [expected]


def test_a_name_alone_decides_nothing() -> None:
    cluster, _ = tell(registration(name="演示甲有限公司"))
    _, said = tell(record("123456", "reg_no", number=9, name="演示甲有限公司"), cluster=cluster)
    assert [type(e) for e in said] == [RecordHeld]


def test_a_code_that_has_a_subject_is_never_given_to_another() -> None:
    cluster, _ = tell(registration(), mapping(number=4))
    _, said = tell(registration(SAME_ORG_CODE, number=2), mapping(YI, number=3), cluster=cluster)
    assert not [e for e in said if isinstance(e, AliasBound)]
    assert [e.alias_id for e in said if isinstance(e, AliasContested)] == [refer("org_code", "MA4KLM0N5").id]


def test_what_is_not_understood_is_not_kept() -> None:
    assert refer("resident_id", "420106190003070015") == ("", "", b"", "CODE_KIND_UNKNOWN")
    assert refer("uscc", "420106190003070015") == ("uscc", "", b"", "CODE_MALFORMED")


@pytest.mark.parametrize("tax_no", ["42010619000307001512", "420106190003070015", "420106050307001", "420106600123459"])
def test_a_tax_number_that_may_be_a_persons_links_but_is_never_told(tax_no: str) -> None:
    cluster, said = tell(mapping(old_kind="tax_no", old=tax_no))
    assert [code.kind for code in cluster.subject(subject_id(JIA)).codes] == ["uscc"]
    assert tax_no not in repr(said)
    cluster, _ = tell(registration(number=8), cluster=cluster)
    _, said = tell(record(tax_no, "tax_no", number=9), cluster=cluster)
    assert [outcome(e)[2] for e in said] == ["TAX_NO_AND_NAME"]


def test_an_organisations_tax_number_is_told() -> None:
    cluster, _ = tell(mapping(old_kind="tax_no", old="420100MA4KLM0N5"))
    assert [code.code for code in cluster.subject(subject_id(JIA)).codes] == [JIA, "420100MA4KLM0N5"]


def test_of_a_person_no_subject_is_told_and_no_code_is_looked_up() -> None:
    given = sealed("01")
    _, said = tell(given)
    assert [type(event) for event in said] == [RecordLinked]
    assert (alias_kinds([given]), subject_ids([given])) == ({}, set())


def test_a_withdrawal_of_a_persons_record_follows_its_link() -> None:
    _, said = tell(sealed("01"), sealed("02", version=2, action="withdraw"))
    assert [outcome(event)[1] for event in said] == [b"\x01" * 16] * 2
