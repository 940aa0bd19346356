"""Rows about natural persons leave the sender's machine for an open item about persons, and for nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from services.cli.catalogue import Item
from services.cli.intake import rows as intake
from services.cli.intake.faults import RowFault
from services.cli.intake.header import understand
from services.cli.intake.journal import run_of
from tests.unit.cli import intake_items as rows
from tests.unit.cli.intake_items import PERSON, USCC
from tests.unit.ingestion import samples

NAME = "演示某甲"
SAID = {"person-penalty": {"cx": "普通程序", "zt": "1"}, "person-permit": {"yj": "演示条例第一条"}}
COLUMNS = {  # who it is about, in each vintage
    ("permit", "2016"): {"XK_XDR": NAME, "XK_XDR_SFZ": PERSON},
    ("permit", "2018"): {"行政相对人名称": NAME, "行政相对人类别": "自然人", "证件号码": PERSON, "证件类型": "身份证"},
    ("permit", "hubei"): {"fdmchxm": NAME, "hj_ztlb": "0", "zjhm": PERSON, "zjlx": "01", "yj": "演示条例第一条"},
    ("penalty", "2016"): {"CF_XDR_MC": NAME, "CF_XDR_SFZ": PERSON, "CF_CFLB1": "罚款", "CF_CFLB2": ""},
    ("penalty", "2018"): {"CF_XDR_MC": NAME, "CF_XDR_LB": "自然人", "CF_XDR_ZJHM": PERSON, "CF_CFLB": "罚款"},
    ("penalty", "hubei"): {"fdmchxm": NAME, "hj_ztlb": "0", "zjhm": PERSON},
}
ORG_COLUMNS = ("SHXYM", "ZDM", "GSDJ", "GSZC", "ZZJG", "代码_1", "代码_2", "代码_3", "tyshxydm", "zzjgdm", "gsdjzch")
ORG_COLUMN = {"2016": "XK_XDR_SHXYM", "2018": "行政相对人代码_1", "hubei": "tyshxydm"}
EVERY = pytest.mark.parametrize(("kind", "shape"), COLUMNS, ids=str)


def row(kind: str, shape: str, **changed: str) -> dict[str, str]:
    """The shipped row of that vintage, about a person."""
    plain = rows.VINTAGES[f"org-{kind}", shape]
    nobody = {name: "" for name in plain if name.endswith(ORG_COLUMNS)}
    return {**plain, **nobody, **COLUMNS[kind, shape], **changed}


def made(code: str, cells: Mapping[str, str], shape: str = "", **constants: str) -> dict[str, Any]:
    found: Item = rows.item(code)
    sender = intake.Sender(samples.AGENCIES[code], "run", 1_500_000_000_000)
    constants = SAID.get(code, {}) | constants
    return intake.Maker(found, understand(found, tuple(cells), shape), sender, constants).make(
        2, tuple(cells.values())
    ).record  # fmt: skip


def faults(code: str, cells: Mapping[str, str], **constants: str) -> set[tuple[str, str]]:
    with pytest.raises(RowFault) as caught:
        made(code, cells, **constants)
    assert PERSON not in str(caught.value.faults) and NAME not in str(caught.value.faults)
    return {(fault.code, fault.field) for fault in caught.value.faults}


@EVERY
def test_a_row_of_each_vintage_fills_the_item_and_is_taken_by_ingestion(kind: str, shape: str) -> None:
    code, early = f"person-{kind}", {"2018-09-28": "2017-09-28"}
    cells = {name: early.get(text, text) for name, text in row(kind, shape).items()}
    assert understand(rows.item(code), tuple(cells)).ignored == ()
    record = made(code, cells)
    assert (record["subject_kind"], record["subject_code_kind"]) == ("person", "resident_id")
    assert (record["subject_code"], record["subject_name"]) == (PERSON, NAME)
    assert record["payload"]["xm"] == NAME
    assert record["decided_on"] == record["payload"]["rq"]
    assert samples.read(record).faults == ()
    if kind == "penalty":
        assert (record["payload"]["fkje"], record["payload"]["lb"]) == ("0.2", "罚款")


@EVERY
def test_nothing_but_the_subject_and_the_name_of_the_row_says_who_it_is(kind: str, shape: str) -> None:
    record = made(f"person-{kind}", row(kind, shape))
    others = {name: value for name, value in record.items() if name not in ("subject_code", "subject_name", "payload")}
    others |= {name: value for name, value in record["payload"].items() if name != "xm"}
    assert PERSON not in str(others) and NAME not in str(others)


@EVERY
def test_the_number_of_a_record_is_the_same_whoever_it_is_about(kind: str, shape: str) -> None:
    """So nobody can try out a person's number or name against it."""
    first, other = row(kind, shape), row(kind, shape)
    other |= {name: "420101190112311007" for name, text in first.items() if text == PERSON}
    assert made(f"person-{kind}", first)["record_no"] == made(f"person-{kind}", other)["record_no"]
    late = {name: text.replace("1号", "2号") for name, text in first.items()}
    assert made(f"person-{kind}", first)["record_no"] != made(f"person-{kind}", late)["record_no"]
    bare = {name: "" if text == rows.OFFICE else text for name, text in first.items()}
    seen = {made(f"person-{kind}", bare | {name: number for name, text in bare.items() if text == PERSON})["record_no"]
            for number in (PERSON, "420101190112311007")}  # fmt: skip
    assert len(seen) == 1


@EVERY
def test_to_an_item_about_organisations_it_is_not_sent(kind: str, shape: str) -> None:
    assert ("SUBJECT_KIND_NOT_ALLOWED", "subject_kind") in faults(f"org-{kind}", row(kind, shape))


@EVERY
def test_a_row_about_an_organisation_is_not_sent_to_an_item_about_persons(kind: str, shape: str) -> None:
    told = faults(f"person-{kind}", rows.VINTAGES[f"org-{kind}", shape])
    assert told == {("SUBJECT_KIND_NOT_ALLOWED", "subject_kind")}


@pytest.mark.parametrize("shape", ["2016", "2018", "hubei"])
def test_a_sole_trader_is_not_taken_for_the_owner(shape: str) -> None:
    """Whose number stands beside the trader's code: the record is about the trader."""
    cells = row("permit", shape, **{ORG_COLUMN[shape]: USCC})
    assert faults("person-permit", cells) == {("SUBJECT_KIND_NOT_ALLOWED", "subject_kind")}


@pytest.mark.parametrize("column", ["代码_1", "行政相对人代码_1", "统一社会信用代码", "组织机构代码"])
def test_nor_in_a_file_of_no_vintage(column: str) -> None:
    cells = {"姓名": NAME, "证件号码": PERSON, "决定日期": "2017-03-29"}
    assert made("person-permit", cells)["subject_code"] == PERSON
    told = faults("person-permit", cells | {column: USCC})
    assert told == {("SUBJECT_KIND_NOT_ALLOWED", "subject_kind")}


@pytest.mark.parametrize(
    ("number", "code"),
    [("", "FIELD_MISSING"), *((number, "CODE_CHECK_DIGIT") for number in (PERSON[:-1] + "0", USCC, "E12345678"))],
)
def test_a_person_without_a_right_number_is_nobody(number: str, code: str) -> None:
    assert faults("person-permit", row("permit", "2016", XK_XDR_SFZ=number)) == {(code, "XK_XDR_SFZ")}


@pytest.mark.parametrize("number", ["42010619000307001５", f" {PERSON} ", "420106050307001"])
def test_a_number_in_another_dress_is_taken(number: str) -> None:
    record = made("person-permit", row("permit", "2016", XK_XDR_SFZ=number))
    assert samples.read(record).faults == ()


@pytest.mark.parametrize(("scope", "taken"), [("0", True), ("1", True), ("2", False), ("仅可授权查询", False)])
def test_a_scope_that_does_not_let_the_government_have_it_keeps_the_row_here(scope: str, taken: bool) -> None:
    for kind, column in (("permit", "XK_SYFW"), ("penalty", "CF_SYFW")):
        cells = row(kind, "2016", **{column: scope})
        if taken:
            assert made(f"person-{kind}", cells)["subject_code"] == PERSON
        else:
            assert faults(f"person-{kind}", cells) == {("USE_RESTRICTED", column)}


@pytest.mark.parametrize(
    ("column", "text", "code"),
    [
        ("处罚程序", "简易程序", "NOT_COLLECTED"),
        ("CF_CFCX", "当场处罚", "NOT_COLLECTED"),
        ("决定书类型", "当场行政处罚决定书", "SIMPLE_PROCEDURE_PERSON"),
        ("CF_WFXW", f"{NAME}的演示行为", "NOT_COLLECTED"),
    ],
)
def test_what_the_law_keeps_out_does_not_leave_this_machine(column: str, text: str, code: str) -> None:
    assert faults("person-penalty", row("penalty", "2018") | {column: text}) == {(code, column)}


def test_what_no_column_says_the_sender_has_to_say() -> None:
    """Nobody invents for an agency that a penalty was by the ordinary procedure."""
    record = made("person-penalty", row("penalty", "2018"), cx="", zt="")
    record["decided_on"] = record["payload"]["rq"] = record["payload"]["jzq"] = date(2017, 9, 28)
    told = samples.read(record).faults
    assert {(fault.code, fault.field) for fault in told} == {("FIELD_MISSING", "cx"), ("FIELD_MISSING", "zt")}


@pytest.mark.parametrize("code", samples.OF_PERSONS)
def test_a_filled_template_is_read_back(tmp_path: Path, code: str) -> None:
    from services.cli import template

    definition = rows.item(code).definition
    names = [column["name"] for column in template.columns(definition)]
    (rule,) = [c["rule"] for c in template.columns(definition) if c["name"] == "证件号码"]
    assert rule == template.NUMBER
    values = {"姓名": NAME, "证件号码": PERSON, "类别": "罚款", "处罚程序": "普通程序", "罚款金额（万元）": "0.2"}
    values |= {"类别": "罚款" if code == "person-penalty" else "普通", "状态": "1", "机关统一社会信用代码": rows.OFFICE}
    cells = dict.fromkeys(names, "") | {"决定日期": "2017-03-29"}
    cells |= dict.fromkeys(("文号", "名称", "内容", "依据", "结果", "机关"), "演示内容")
    record = made(code, cells | {name: text for name, text in values.items() if name in names}, cx="", zt="")
    assert samples.read(record).faults == ()


def test_the_name_of_a_run_says_nothing_that_can_be_tried_out() -> None:
    """It is in every receipt; of a file with one row all but the number may be known."""
    digest = hashlib.sha256(PERSON.encode()).hexdigest()
    runs = {run_of(digest, "420000-hbt", "person-permit", {}, secret) for secret in (b"", b"one", b"two")}
    assert len(runs) == 3
