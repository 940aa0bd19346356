"""What the shipped catalogue holds, and what the notice and the law say it must and must not."""

from __future__ import annotations

import json

import pytest

from services.cli.catalogue_words import SAID
from services.ingestion.domain import terms
from services.ingestion.domain.definition import parse
from services.ingestion.domain.wishes import canonical
from tests.unit.ingestion.samples import ITEMS, OF_PERSONS, SHIPPED
from tests.unit.ingestion.seed_editions import DEFINITIONS, SCHEMAS, digest_of, locked, name_of

ACTS = ("permit", "penalty", "compulsion", "collection", "benefit", "inspection", "confirmation", "award", "ruling")
PROFESSIONS = (  # notice item 24, in its order
    "公务员", "企业法定代表人及相关责任人", "律师", "教师", "医师", "执业药师", "评估师", "税务师", "注册消防工程师",
    "会计审计人员", "房地产中介从业人员", "认证人员", "金融从业人员", "导游",
)  # fmt: skip
REGISTERS = (
    "enterprise", "sole-trader", "cooperative", "public-institution", "social-organisation", "private-non-enterprise",
    "foundation", "law-firm",
)  # fmt: skip
EVERY = pytest.mark.parametrize("code", sorted(SHIPPED))


def categories(code: str) -> str:
    return SHIPPED[code].item.standing.category


def test_the_ten_kinds_of_administrative_act() -> None:
    assert {f"org-{act}" for act in ACTS} | {"org-other-act"} <= SHIPPED.keys()
    assert all(categories(f"org-{act}") == "administrative" for act in ACTS)


def test_every_kind_of_subject_has_its_register() -> None:
    assert {f"{kind}-registration" for kind in REGISTERS} <= SHIPPED.keys()
    assert "code-mapping" in SHIPPED


def test_the_fourteen_professions_of_the_notice() -> None:
    found = [
        s.item.name_zh.removesuffix("信用记录") for s in SHIPPED.values() if s.item.standing.category == "profession"
    ]
    assert sorted(found) == sorted(PROFESSIONS)


def test_lists_of_the_main_domains() -> None:
    black = {
        "tax",
        "environment",
        "work-safety",
        "food-drug",
        "customs",
        "bidding",
        "procurement",
        "transport",
        "quality",
    }
    assert {f"black-list-{domain}" for domain in black} | {"court-defaulter", "abnormal-operation"} <= SHIPPED.keys()
    red = {"tax-a", "environment", "work-safety", "customs", "transport", "quality"}
    assert {f"red-list-{domain}" for domain in red} <= SHIPPED.keys()
    assert {
        f"class-{who}" for who in ("tax", "market", "environment", "quality", "customs", "food-drug")
    } <= SHIPPED.keys()


@EVERY
def test_what_concerns_persons_is_never_public_and_shared_where_it_is_open(code: str) -> None:
    item = SHIPPED[code].item
    if "person" in item.subject_kinds:
        told = (item.disclosure, item.standing.intake)
        assert told == (("government", "open") if code in OF_PERSONS else ("authorised", "closed"))
        assert item.subject_kinds == ("person",)
        assert item.standing.display.period == "not_shown"
    else:
        assert item.standing.intake == "open"


@EVERY
def test_no_class_or_grade_is_given_to_anybody_but_an_organisation(code: str) -> None:
    item = SHIPPED[code].item
    if item.standing.category == "evaluation" or any(field.name_zh == "评价等级" for field in item.fields):
        assert item.subject_kinds == ("org",)


@EVERY
def test_names_of_persons_are_tagged(code: str) -> None:
    words = ("法定代表人", "负责人", "经营者", "姓名")
    for field in SHIPPED[code].item.fields:
        if field.name_zh.startswith(words) and not field.same_as.startswith("subject_name"):
            assert field.sensitivity == "person_name", field.code
    if SHIPPED[code].item.subject_kinds == ("person",):
        assert [f.sensitivity for f in SHIPPED[code].item.fields if f.same_as == "subject_name"] == ["person_name"]


@EVERY
def test_a_definition_is_the_same_after_it_has_travelled_as_json(code: str) -> None:
    shipped = SHIPPED[code]
    assert parse(json.loads(canonical(shipped.definition))) == (shipped.item, ())


@EVERY
def test_the_seals_are_units_that_the_item_makes_responsible(code: str) -> None:
    standing = SHIPPED[code].item.standing
    assert set(standing.seals) <= {unit for level in standing.responsible for unit in level}


@EVERY
def test_a_published_definition_is_never_edited(code: str) -> None:
    """Nor by a change of a block: raise the version, then `python -m tests.unit.ingestion.seed_editions`."""
    shipped = SHIPPED[code]
    assert locked(DEFINITIONS).get(name_of(shipped)) == digest_of(shipped)


def test_the_locks_hold_a_schema_for_every_definition() -> None:
    schemas = {name.removeprefix("avro/items/").removesuffix(".avsc") for name in locked(SCHEMAS) if "/items/" in name}
    assert schemas == locked(DEFINITIONS).keys()


def test_an_item_of_later_has_its_day() -> None:
    assert "black-list-wages" not in ITEMS
    assert SHIPPED["black-list-wages"].definition["in_force_from"] == "2018-01-01"


def test_what_is_law_but_was_not_read_says_so() -> None:
    notice = "鄂信用文〔2017〕1号"
    for shipped in SHIPPED.values():
        for basis in shipped.item.legal_basis:
            assert (basis.verification == "seed") == (basis.document == notice), (shipped.item.code, basis)


@pytest.mark.parametrize(
    ("words", "codes"),
    [
        ("category", terms.CATEGORIES), ("class", terms.CLASSES), ("disclosure", terms.DISCLOSURES),
        ("subject_kinds", terms.SUBJECT_KINDS), ("frequency", terms.FREQUENCIES), ("unit", terms.UNITS),
        ("sharing", terms.SHARINGS), ("sensitivity", terms.SENSITIVITIES), ("verification", terms.VERIFICATIONS),
        ("level", terms.LEVELS), ("state", (*terms.INTAKES, "retired")),
    ],
)  # fmt: skip
def test_every_code_has_its_words_in_both_languages(words: str, codes: tuple[str, ...]) -> None:
    assert set(codes) == SAID[words].keys() - {""}
