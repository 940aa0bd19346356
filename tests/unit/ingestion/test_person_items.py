"""The shipped items about natural persons that take records: what they take, and what the law keeps out of them."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

import pytest

from services.ingestion.contracts.register import Register
from services.ingestion.contracts.sealing import Unsealed, is_sealed
from services.ingestion.contracts.submissions import SubmissionReader
from services.ingestion.domain.definition import parse
from services.ingestion.domain.faults import Fault
from services.ingestion.domain.reference import AgencyRow, EditionRow, Reference
from services.ingestion.domain.wishes import canonical
from tests.unit.ingestion import samples

PENALTY = "person-penalty"
LAW = "河南省社会信用条例第十三条 (unverified)"


def faults(item: str = PENALTY, /, **changed: Any) -> tuple[Fault, ...]:
    return samples.read(samples.of_person(item, payload_changes=changed)).faults


@pytest.mark.parametrize("item", samples.OF_PERSONS)
def test_a_right_record_about_a_person_is_taken_and_waits_to_be_sealed(item: str) -> None:
    given = samples.read(samples.of_person(item))
    assert given.faults == ()
    assert isinstance(given.ahead, Unsealed)
    assert given.due_on is not None


def test_permits_and_penalties_are_open_and_nothing_else_about_persons_is() -> None:
    about = {code for code, shipped in samples.SHIPPED.items() if "person" in shipped.item.subject_kinds}
    assert set(samples.OF_PERSONS) == {"person-permit", "person-penalty"}
    assert len(about) == 18


@pytest.mark.parametrize("kind", ["org", "sole_trader"])
def test_an_organisation_is_no_person(kind: str) -> None:
    of_org = {"subject_kind": kind, "subject_code_kind": "uscc", "subject_code": samples.USCC}
    given = samples.read(samples.of_person(**of_org))
    assert "SUBJECT_KIND_NOT_ALLOWED" in {fault.code for fault in given.faults}


@pytest.mark.parametrize(
    ("field", "value", "example"),
    [
        ("cx", "简易程序", "普通程序"),
        ("cx", "当场处罚", "普通程序"),
        ("mc", "演示当场行政处罚决定书", "演示内容"),
        ("wh", "演罚（简易程序）〔2017〕1号", "演示内容"),
        ("jieguo", "当场处罚，罚款五十元", "演示内容"),
    ],
)
def test_a_penalty_by_the_simple_procedure_is_refused_and_the_receipt_says_by_which_rule(
    field: str, value: str, example: str
) -> None:
    (told,) = faults(**{field: value})
    assert (told.code, told.field, told.example) == ("NOT_COLLECTED", field, example)
    assert told.clause == f"person-penalty/2 {field}; {LAW}"
    assert "简易程序" in told.message_zh and "simple procedure" in told.message_en
    assert told.rule == "a penalty on a natural person by the simple procedure (on the spot)"


@pytest.mark.parametrize("value", ["普通程序", "一般程序", "听证程序"])
def test_every_other_procedure_is_taken(value: str) -> None:
    assert faults(cx=value) == ()


def test_a_procedure_that_is_none_is_not_taken_for_the_simple_one() -> None:
    assert [(fault.code, fault.field) for fault in faults(cx="演示程序")] == [("FIELD_CODE_LIST", "cx")]
    assert [(fault.code, fault.field) for fault in faults(cx="")] == [("FIELD_MISSING", "cx")]


@pytest.mark.parametrize("action", ["report", "correct"])
def test_a_correction_does_not_bring_it_in_either(action: str) -> None:
    given = samples.of_person(payload_changes={"cx": "简易程序"}, action=action)
    assert [fault.code for fault in samples.read(given).faults] == ["NOT_COLLECTED"]


def test_on_an_organisation_the_simple_procedure_is_no_matter() -> None:
    assert samples.read(samples.record(payload_changes={"CF_NR": "简易程序，罚款"})).faults == ()


@pytest.mark.parametrize(("item", "field"), [(PENALTY, "jieguo"), (PENALTY, "mc"), ("person-permit", "nr")])
def test_a_text_that_is_shown_does_not_name_the_person(item: str, field: str) -> None:
    (told,) = faults(item, **{field: f"对{samples.PERSON_NAME}作出"})
    assert (told.code, told.field) == ("NOT_COLLECTED", field)
    assert "当事人" in told.example
    assert samples.PERSON_NAME not in str(told)
    assert told.clause.endswith("中华人民共和国个人信息保护法第六条")


@pytest.mark.parametrize("item", samples.OF_PERSONS)
def test_every_text_of_a_persons_record_is_sealed_or_looked_through_or_says_who_acted(item: str) -> None:
    definition = samples.OF_PERSONS[item]
    looked_at = {code for rule in definition.not_collected if rule.holds for code in rule.fields}
    free = [f for f in definition.fields if f.type == "string" and not (f.code_list or f.format or is_sealed(f))]
    assert {field.code for field in free} - looked_at == {"jg", "lydw"}


def test_the_facts_of_a_penalty_may_name_people_and_are_sealed() -> None:
    assert faults(nr=f"{samples.PERSON_NAME}与演示某乙") == ()
    assert {f.code for f in samples.OF_PERSONS[PENALTY].fields if is_sealed(f)} == {"xm", "nr", "bz", "zkdx"}


def test_an_edition_that_took_nothing_takes_nothing_after_a_later_one_has_opened_the_item() -> None:
    """Else what the new edition keeps out would come in by the schema of the old one."""
    old = samples.SHIPPED[PENALTY].definition | {"version": 1, "intake": "closed", "not_collected": []}
    new = canonical(samples.SHIPPED[PENALTY].definition)
    known, agency = Register(), samples.AGENCIES[PENALTY]
    number = samples.SCHEMA_IDS[PENALTY]
    editions = (EditionRow(PENALTY, 1, canonical(old), number), EditionRow(PENALTY, 2, new, 999))
    known.fill(Reference(1, (AgencyRow(agency, (PENALTY,)),), editions))
    for action in ("report", "correct"):
        given = samples.sent(samples.of_person(action=action))
        found = SubmissionReader(known, 600_000).read(given, samples.NOW)
        assert [fault.code for fault in found.faults] == ["ITEM_NOT_IN_FORCE"]


def broken(**changed: Any) -> set[str]:
    definition: Any = copy.deepcopy(dict(samples.SHIPPED[PENALTY].definition))
    definition["not_collected"][0] |= changed
    _, found = parse(definition)
    return {fault.field for fault in found}


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"fields": ["no_such"]}, "not_collected"),
        ({"fields": ["rq"]}, "not_collected"),
        ({"fields": []}, "not_collected[0].fields"),
        ({"words": []}, "not_collected[0].words"),
        ({"words": [""]}, "not_collected[0].words"),
        ({"holds": "subject_code"}, "not_collected[0].holds"),
        ({"document": ""}, "not_collected[0].document"),
        ({"article": ""}, "not_collected[0].article"),
        ({"verification": "believed"}, "not_collected[0].verification"),
        ({"zh": ""}, "not_collected[0].zh"),
        ({"en": 5}, "not_collected[0].en"),
    ],
)
def test_a_rule_without_fields_words_or_law_is_no_rule(changed: dict[str, Any], where: str) -> None:
    assert broken() == set()
    assert broken(**changed) == {where}


def test_a_decision_of_tomorrow_about_a_person_is_refused_as_any_other() -> None:
    day = samples.DECIDED + timedelta(days=2)
    given = samples.of_person(decided_on=day, payload_changes={"rq": day, "jzq": day})
    assert [fault.code for fault in samples.read(given).faults] == ["DECIDED_ON_FUTURE"]
