"""Rows of a file become submissions; what cannot become one is told by column, never by value."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from services.cli import template
from services.cli.intake.faults import RowFault
from services.cli.intake.tables import look_through
from tests.unit.cli.intake_items import (
    PENALTY_2016,
    PENALTY_2018,
    PERMIT_2016,
    PERSON,
    REGISTRATION,
    USCC,
    VINTAGES,
    item,
    record,
)


def made(**changed: str) -> dict[str, Any]:
    return record("enterprise-registration", {**REGISTRATION, **changed})


def faults(code: str, row: dict[str, str], **constants: str) -> set[tuple[str, str]]:
    with pytest.raises(RowFault) as caught:
        record(code, row, **constants)
    return {(fault.code, fault.field) for fault in caught.value.faults}


def test_a_row_of_the_public_register() -> None:
    found = made()
    assert found["submission_id"] == "run-2"
    assert found["decided_on"] == date(2004, 9, 23)
    assert (found["subject_code"], found["subject_name"]) == (USCC, REGISTRATION["企业名称"])
    assert found["payload"]["enterprise_type"] is None
    assert found["payload"]["registered_capital"] == "50(万元)"


@pytest.mark.parametrize(
    ("code", "kind", "code_kind"),
    [
        ("91420100MA4KLM0N5H", "org", "uscc"),
        ("92420100MA4KLM0N5H", "sole_trader", "uscc"),
        ("420000000000000", "org", "reg_no"),
        ("MA4KLM0N5", "org", "org_code"),
    ],
)
def test_who_the_code_names(code: str, kind: str, code_kind: str) -> None:
    found = made(统一社会信用代码=code)
    assert (found["subject_kind"], found["subject_code_kind"]) == (kind, code_kind)


def test_the_same_row_has_the_same_number_and_another_row_another() -> None:
    assert made()["record_no"] == made()["record_no"]
    assert made()["record_no"] != made(地区="黄石")["record_no"]
    assert made(record_no="mine")["record_no"] == "mine"


def test_a_missing_mandatory_text_is_left_for_ingestion_to_explain() -> None:
    row = {"行政相对人名称": "演示甲公司", "统一社会信用代码": "91420100MA4KLM0N5H", "处罚决定日期": "2017/03/29"}
    found = record("org-penalty", {**row, "处罚有效期": "2018-03-29"})
    assert found["payload"]["CF_SY"] == ""
    assert found["payload"]["CF_JDRQ"] == date(2017, 3, 29)


def test_a_missing_mandatory_date_is_told_since_no_message_can_hold_it() -> None:
    row = {name: text for name, text in PENALTY_2018.items() if name != "CF_YXQ"}
    assert faults("org-penalty", row) == {("FIELD_MISSING", "处罚有效期")}
    assert record("org-penalty", row, CF_YXQ="2019-09-28")["payload"]["CF_YXQ"] == date(2019, 9, 28)


def test_a_date_that_is_none_is_told_by_column_and_not_by_value() -> None:
    with pytest.raises(RowFault) as caught:
        made(注册日期="2004年9月")
    assert "注册日期" in str(caught.value)
    assert "2004年" not in str(caught.value)


@pytest.mark.parametrize("code", ["enterprise-registration", "org-penalty", "court-defaulter"])
def test_a_filled_template_is_read_back(tmp_path: Path, code: str) -> None:
    """Every column that the template has is one that `credit import` takes."""
    from openpyxl import load_workbook

    definition, file = item(code).definition, tmp_path / "t.xlsx"
    template._write(definition, file)
    book = load_workbook(file)
    names = [column["name"] for column in template.columns(definition)]
    values = {"record_no": "1", "罚款金额（万元）": "0.2", "没收违法所得、没收非法财物的金额（万元）": "0.2"}
    values |= {"工商注册号": "420100000000014", "组织机构代码": "MA4KLM0N5"}
    book.worksheets[0].append([values.get(name, "2017-03-29") for name in names])
    book.save(file)
    table = look_through(file)
    ((_, cells),) = table.lines()
    found = record(code, dict(zip(table.header, cells, strict=True)))
    assert found["record_no"] == "1"
    mandatory = [f["code"] for f in definition["fields"] if f["required"] == "mandatory"]
    assert all(found["payload"][name] for name in mandatory)


# --- the three vintages ---


@pytest.mark.parametrize(("code", "shape"), VINTAGES, ids=str)
def test_each_vintage_is_told_by_its_header_and_fills_the_one_item(code: str, shape: str) -> None:
    found = record(code, VINTAGES[code, shape])
    payload, prefix = found["payload"], "XK" if code == "org-permit" else "CF"
    assert (found["subject_kind"], found["subject_code_kind"], found["subject_code"]) == ("org", "uscc", USCC)
    assert found["subject_name"] == payload[f"{prefix}_XDR_MC"] == "演示甲公司"
    assert payload[f"{prefix}_XDR_ZZJG"] == "MA4KLM0N5"
    assert payload[f"{prefix}_XDR_GSZC"] == "420100000000014"
    assert found["decided_on"] == payload[f"{prefix}_JDRQ"]
    missing = [f["code"] for f in item(code).definition["fields"] if f["required"] == "mandatory"]
    assert [name for name in missing if payload[name] in ("", None)] == []
    if code == "org-penalty":
        assert payload["CF_NR_FK"] == "0.2"


def test_a_number_of_a_column_means_what_its_vintage_says() -> None:
    permit = dict(PERMIT_2016)
    by_number = {"XK_XDR_ZDM": "行政相对人代码_2", "XK_XDR_GSDJ": "行政相对人代码_3"}
    found = record("org-permit", {by_number.get(name, name): text for name, text in permit.items()})
    assert found["payload"]["XK_XDR_ZZJG"] == "MA4KLM0N5"
    assert found["payload"]["XK_XDR_GSZC"] == "420100000000014"


def test_swapped_code_columns_are_found_by_check_digit_and_both_are_named() -> None:
    swapped = PENALTY_2016 | {"CF_XDR_ZDM": "420100000000014", "CF_XDR_GSDJ": "MA4KLM0N5"}
    assert faults("org-penalty", swapped) == {("CODES_SWAPPED", "CF_XDR_ZDM"), ("CODES_SWAPPED", "CF_XDR_GSDJ")}


def test_a_code_with_a_wrong_check_digit_is_not_taken_for_another() -> None:
    assert faults("org-penalty", PENALTY_2016 | {"CF_XDR_ZDM": "MA4KLM0N6"}) == {("CODE_CHECK_DIGIT", "CF_XDR_ZDM")}


def test_a_registration_number_of_an_older_form_is_taken_as_it_is() -> None:
    found = record("org-penalty", PENALTY_2016 | {"CF_XDR_GSDJ": "4201001234567"})
    assert found["payload"]["CF_XDR_GSZC"] == "4201001234567"


def test_the_subject_code_repeated_in_another_column_is_no_second_code() -> None:
    assert record("org-penalty", PENALTY_2016 | {"CF_XDR_GSDJ": USCC})["payload"]["CF_XDR_GSZC"] is None


@pytest.mark.parametrize(
    ("column", "amount", "sent"),
    [
        ("CF_NR_FK", "0.2", "0.2"),
        ("罚款金额（万元）", "0.2万元", "0.2"),
        ("罚款金额(元)", "2,000", "0.2"),
        ("罚款金额（元）", "0.01", "0.000001"),
        ("罚款金额（分）", "200000", "0.2"),
    ],
)
def test_an_amount_is_converted_exactly_by_the_unit_its_column_states(column: str, amount: str, sent: str) -> None:
    row = {name: text for name, text in PENALTY_2018.items() if name != "CF_NR_FK"} | {column: amount}
    assert record("org-penalty", row)["payload"]["CF_NR_FK"] == sent


@pytest.mark.parametrize(
    ("column", "amount", "code"),
    [
        ("罚款金额（元）", "0.2万元", "CELL_AMOUNT_UNIT"),
        ("罚款金额（元）", "0.001", "CELL_AMOUNT_FRACTION"),
        ("CF_NR_FK", "0.0000001", "CELL_AMOUNT_FRACTION"),
        ("罚款金额（分）", "0.5", "CELL_AMOUNT_FRACTION"),
        ("罚款金额（元）", "3,0000000", "CELL_AMOUNT"),
        ("罚款金额（元）", "二千", "CELL_AMOUNT"),
        ("罚款金额（元）", "9" * 20, "CELL_AMOUNT"),
    ],
)
def test_an_amount_that_cannot_be_exact_is_told(column: str, amount: str, code: str) -> None:
    row = {name: text for name, text in PENALTY_2018.items() if name != "CF_NR_FK"} | {column: amount}
    assert faults("org-penalty", row) == {(code, column)}


@pytest.mark.parametrize(("old", "now"), [("0", "1"), ("1", "2"), ("正常", "1"), ("撤销", "2")])
def test_a_state_of_2016_is_read_by_the_codes_of_2016(old: str, now: str) -> None:
    assert record("org-permit", PERMIT_2016 | {"XK_ZT": old})["payload"]["XK_ZT"] == now


@pytest.mark.parametrize("old", ["2", "3"])
def test_a_state_without_a_counterpart_is_not_guessed(old: str) -> None:
    assert faults("org-permit", PERMIT_2016 | {"XK_ZT": old}) == {("CELL_VALUE", "XK_ZT")}


def test_a_row_that_was_not_meant_for_the_public_is_not_sent_to_a_public_item() -> None:
    assert faults("org-permit", PERMIT_2016 | {"XK_SYFW": "1"}) == {("USE_RESTRICTED", "XK_SYFW")}


def test_a_row_about_a_person_is_not_sent_and_nothing_of_its_number_is_told() -> None:
    row = PENALTY_2016 | dict.fromkeys(("CF_XDR_SHXYM", "CF_XDR_ZDM", "CF_XDR_GSDJ"), "") | {"CF_XDR_SFZ": PERSON}
    with pytest.raises(RowFault) as caught:
        record("org-penalty", row)
    assert [fault.code for fault in caught.value.faults] == ["SUBJECT_KIND_NOT_ALLOWED"]
    assert PERSON not in str(caught.value.faults)


def test_a_placeholder_gives_way_to_the_registration_number() -> None:
    codes = {"CF_XDR_SHXYM": "00000000000000000X", "CF_XDR_ZZJG": "", "CF_XDR_GSZC": "420106600123454"}
    found = record("org-penalty", PENALTY_2018 | codes | {"CF_XDR_LB": ""})
    assert (found["subject_kind"], found["subject_code_kind"]) == ("sole_trader", "reg_no")
    assert found["subject_code"] == "420106600123454"
    assert found["payload"]["CF_XDR_SHXYM"] is None
    assert found["payload"]["CF_XDR_LB"] == "个体工商户"


def test_one_decision_has_one_record_number_however_its_brackets_are_written() -> None:
    numbers = {record("org-penalty", PENALTY_2018 | {"CF_WSH": f"演罚{year}1号"})["record_no"]
               for year in ("〔2018〕", "[2018]", "【2018】", "（２０１８）", "(2018) ")}  # fmt: skip
    assert len(numbers) == 1
    assert record("org-penalty", PENALTY_2018 | {"CF_WSH": "演罚〔2018〕2号"})["record_no"] not in numbers


def test_cells_beyond_the_header_say_that_the_row_is_shifted() -> None:
    from services.cli.intake.rows import maker
    from tests.unit.cli.intake_items import SENDER

    found = item("enterprise-registration")
    with pytest.raises(RowFault, match="shifted"):
        maker(found, tuple(REGISTRATION), SENDER).make(2, [*REGISTRATION.values(), "多"])
