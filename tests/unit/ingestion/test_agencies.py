"""The register of 2017 that is shipped, and what a registration may say of an agency beside its items."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from services.ingestion.config import load_agencies
from services.ingestion.contracts.reference import CommandReader, ReferenceSpeaker
from services.ingestion.domain.agency import NOBODY, decide, evolve, read_register
from services.ingestion.domain.tiers import tier_of
from services.ingestion.handlers.reference import Agencies
from services.kernel import regions
from tests.support.local_schemas import LocalSchemas
from tests.unit.ingestion import samples
from tests.unit.ingestion.test_commands import command, register

SHIPPED = {agency.code: agency for agency in load_agencies()}
COUNTY: dict[str, Any] = {
    "code": "420102-xyb",
    "name_zh": "演示区信用主管部门",
    "items": ["credit-commitment"],
    "kind": "credit_authority",
    "tier": "county",
    "parent": "420100-xyb",
    "expected_since": "2017-06-30",
    "roles": {"chief": "演示办公室", "business": "演示信用科", "technical": "演示信息中心"},
}


def test_the_units_of_items_3_and_4_of_the_notice_are_there() -> None:
    counted = Counter(agency.group for agency in SHIPPED.values())
    assert counted == {"started": 40, "to_start": 10, "pilot": 1, "prefecture": 17, "county": 99}
    assert {agency.expected_since for agency in SHIPPED.values() if agency.group == "started"} == {"2017-03-31"}


def test_every_county_of_2017_has_its_unit_under_the_code_it_had_then() -> None:
    """103 of GB/T 2260; four of them report as prefectures. Neither what ended before nor what came after is there."""
    codes = {code for code in regions.table() if code[:2] == "42" and code[4:] != "00" and regions.in_force(code, 2017)}
    counties = {
        code for code in codes if (regions.in_force(code, 2017) or regions.Region("", "", 0, 0)).name != "市辖区"
    }
    units = {code[:6] for code, agency in SHIPPED.items() if agency.tier != "province"}
    assert len(counties) == 103
    assert counties == {region for region in units if not region.endswith("00")}
    assert {"420821-xyb", "421023-xyb"} <= SHIPPED.keys()
    assert not {"420321-xyb", "420882-xyb", "421088-xyb"} & SHIPPED.keys()


def test_what_became_of_a_unit_is_marked_as_not_looked_up() -> None:
    for agency in SHIPPED.values():
        assert (agency.source == "unverified") == bool(agency.to_year or agency.later), agency.code


def test_a_parent_is_listed_and_of_a_higher_tier() -> None:
    order = ("province", "prefecture", "county")
    for agency in SHIPPED.values():
        assert agency.tier == tier_of(agency.code[:6])
        assert not agency.parent or order.index(SHIPPED[agency.parent].tier) < order.index(agency.tier)


WRONG = [
    ({"kind": "shop"}, ("COMMAND_ARGUMENTS", "kind")),
    ({"tier": "prefecture"}, ("COMMAND_ARGUMENTS", "tier")),
    ({"parent": "nobody"}, ("COMMAND_ARGUMENTS", "parent")),
    ({"parent": "420102-gsj"}, ("PARENT_TIER", "parent")),
    ({"parent": "420200-xyb"}, ("PARENT_TIER", "parent")),
    ({"parent": "420222-xyb"}, ("PARENT_TIER", "parent")),
    ({"expected_since": "soon"}, ("COMMAND_ARGUMENTS", "expected_since")),
    ({"expected_since": 5}, ("COMMAND_ARGUMENTS", "expected_since")),
    ({"code": "420304-xyb", "parent": "", "expected_since": "2013-06-30"}, ("REGION_NOT_IN_FORCE", "expected_since")),
    ({"code": "420321-xyb", "parent": "", "expected_since": "2017-06-30"}, ("REGION_NOT_IN_FORCE", "expected_since")),
    ({"roles": ["演示科"]}, ("COMMAND_ARGUMENTS", "roles")),
    ({"roles": {"boss": "演示科"}}, ("COMMAND_ARGUMENTS", "roles")),
    ({"roles": {"chief": "演示某"}}, ("ROLE_NO_OFFICE", "roles.chief")),
    ({"roles": {"chief": "演示科02787654321科"}}, ("ROLE_NO_OFFICE", "roles.chief")),
    ({"roles": {"technical": "someone@example.org 科"}}, ("ROLE_NO_OFFICE", "roles.technical")),
    ({"roles": {"business": 7}}, ("ROLE_NO_OFFICE", "roles.business")),
]


@pytest.mark.parametrize(("changes", "expected"), WRONG, ids=str)
def test_a_wrong_profile_is_refused_with_its_field(changes: dict[str, Any], expected: tuple[str, str]) -> None:
    found = read_register("c1", COUNTY | changes).faults
    assert [(fault.code, fault.field) for fault in found] == [expected]


@pytest.mark.parametrize(("parent", "code"), [("420000-fgw", "429004-xyb"), ("420000-fgw", "420102-xyb")])
def test_the_province_is_above_everybody(parent: str, code: str) -> None:
    assert read_register("c1", {"code": code, "name_zh": "演示", "items": [], "parent": parent}).faults == ()


def test_the_first_form_of_the_command_takes_nothing_of_the_profile_away() -> None:
    state = NOBODY
    old = {name: COUNTY[name] for name in ("code", "name_zh")} | {"items": []}
    for number, arguments in enumerate((COUNTY, old)):
        for event in decide(state, read_register(f"c{number}", arguments)):
            state = evolve(state, event)
    assert (state.items, state.profile.parent, state.profile.roles[1]) == ((), "420100-xyb", "演示信用科")


def test_the_second_edition_tells_the_profile_and_nobody_who_answers() -> None:
    ((event, answer),) = register(command("c1", "register_agency", COUNTY))
    told = {name: event[1][name] for name in ("kind", "tier", "parent")}
    assert told == {"kind": "credit_authority", "tier": "county", "parent": "420100-xyb"}
    assert event[1]["expected_since"].isoformat() == "2017-06-30"
    said = json.dumps([event, answer], ensure_ascii=False, default=str)
    assert not any(office in said for office in COUNTY["roles"].values())


def test_no_role_is_in_the_bytes_of_any_topic() -> None:
    codec = LocalSchemas()
    given = CommandReader(codec).register_agency(command("c1", "register_agency", COUNTY), samples.NOW)
    agencies = Agencies(ReferenceSpeaker(codec))
    (event,) = agencies.decide(NOBODY, given)
    for message in agencies.announce(event, given):
        assert "演示信用科".encode() not in message.value
