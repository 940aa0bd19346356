"""The traps of the field that concern collection, one named test each, all at the door: file row -> Avro -> reader.

Numbers are those of the list of twenty. 10 to 15 and 20 concern what is shown, shared and sanctioned, not the door.
"""

from __future__ import annotations

import copy
from datetime import date
from typing import Any

import pytest

from services.cli.intake.faults import RowFault
from services.ingestion.domain.agency import read_register
from services.ingestion.domain.definition import parse
from services.ingestion.domain.submission import Submission
from services.kernel import document_number, organisation_code, regions, uscc
from tests.unit.cli import intake_items as rows
from tests.unit.ingestion import samples

EPOCH = date(1970, 1, 1).toordinal()
PLACEHOLDER = "00000000000000000X"


def through(code: str, row: dict[str, str], **changed: str) -> Submission:
    """What ingestion makes of a row that came by the file door."""
    record = rows.record(code, row | changed) | {"agency": samples.AGENCIES[code]}
    return samples.reader().read(samples.sent(record), samples.NOW)


def registered(**changed: str) -> Submission:
    return through("enterprise-registration", rows.REGISTRATION, **changed)


def penalised(**changed: str) -> Submission:
    return through("org-penalty", rows.PENALTY_2018 | {"CF_JDRQ": "2017-09-28", "CF_YXQ": "2018-09-28"}, **changed)


def codes(given: Submission) -> tuple[set[str], set[str]]:
    """Faults and notes."""
    return {fault.code for fault in given.faults}, {note.code for note in given.notes}


def complete(head: str, body: str) -> str:
    return uscc.complete(head + body + organisation_code.check_character(body))


def test_trap_01_a_placeholder_never_resolves() -> None:
    assert codes(registered(统一社会信用代码=PLACEHOLDER)) == ({"SUBJECT_CODE_PLACEHOLDER"}, set())
    by_number = penalised(CF_XDR_SHXYM=PLACEHOLDER, CF_XDR_ZZJG="", CF_XDR_GSZC="420106600123454", CF_XDR_LB="")
    assert codes(by_number) == (set(), set())
    assert PLACEHOLDER.encode() not in by_number.value


@pytest.mark.parametrize("code", ["N2420111MF1234567E", complete("A1420000", "MB123456"), complete("Y1420000", "MB1234567"[:8])])  # fmt: skip # noqa: E501
def test_trap_02_codes_that_begin_with_n_a_or_y_are_accepted(code: str) -> None:
    assert codes(registered(统一社会信用代码=code)) == (set(), set())


@pytest.mark.parametrize(
    "written", ["91420100ma4klm0n5h", "９１４２０１００ＭＡ４ＫＬＭ０Ｎ５Ｈ", "91420100Ma4KLM0N5h"]
)
def test_trap_03_lower_case_and_full_width_codes_are_repaired_and_the_receipt_says_so(written: str) -> None:
    assert codes(registered(统一社会信用代码=written)) == (set(), {"SUBJECT_CODE_REPAIRED"})


def test_trap_04_letters_count_in_base_36_in_the_organisation_code_and_by_the_31_table_outside() -> None:
    body = "MJ12345Q"  # J and Q: 19 and 26 in base 36, 18 and 24 in the table of 31
    inner = body + organisation_code.check_character(body)
    whole = uscc.complete("52420100" + inner)
    assert codes(penalised(CF_XDR_SHXYM=whole, CF_XDR_ZZJG=inner, CF_XDR_GSZC="")) == (set(), set())
    values = [uscc.ALPHABET.index(letter) for letter in body]
    by_the_other = "0X987654321"[sum(map(int.__mul__, values, organisation_code.WEIGHTS)) % 11]
    assert by_the_other != inner[8]
    with pytest.raises(RowFault, match="check digit"):
        penalised(CF_XDR_SHXYM=whole, CF_XDR_ZZJG=body + by_the_other, CF_XDR_GSZC="")


@pytest.mark.parametrize(
    ("shape", "second", "third"), [("2016", rows.ORG_CODE, rows.REG_NO), ("2018", rows.REG_NO, rows.ORG_CODE)]
)
def test_trap_05_columns_of_codes_mean_what_their_vintage_says_and_a_swap_is_told(
    shape: str, second: str, third: str
) -> None:
    dropped = {"CF_XDR_GSZC", "CF_XDR_ZZJG", "CF_XDR_LB"}
    row = {name: text for name, text in rows.PENALTY_2018.items() if name not in dropped}
    good = rows.record("org-penalty", row | {"代码_2": second, "代码_3": third}, shape)["payload"]
    assert (good["CF_XDR_ZZJG"], good["CF_XDR_GSZC"]) == (rows.ORG_CODE, rows.REG_NO)
    with pytest.raises(RowFault) as caught:
        rows.record("org-penalty", row | {"代码_2": third, "代码_3": second}, shape)
    assert [(fault.code, fault.field) for fault in caught.value.faults] == [
        ("CODES_SWAPPED", "代码_2" if shape == "2016" else "代码_3"),
        ("CODES_SWAPPED", "代码_3" if shape == "2016" else "代码_2"),
    ]


@pytest.mark.parametrize(
    ("column", "amount"), [("CF_NR_FK", "0.2"), ("罚款金额（元）", "2000"), ("罚款金额（分）", "200000")]
)
def test_trap_06_a_fine_of_2000_yuan_is_one_amount_in_every_unit(column: str, amount: str) -> None:
    row = {name: text for name, text in rows.PENALTY_2018.items() if name != "CF_NR_FK"} | {column: amount}
    assert rows.record("org-penalty", row)["payload"]["CF_NR_FK"] == "0.2"


def test_trap_07_days_are_calendar_days_or_working_days_as_the_item_says() -> None:
    seven_working = penalised(CF_JDRQ="2017-09-27", CF_YXQ="2018-09-28").due_on
    two_calendar = registered(注册日期="2017-09-27").due_on
    assert seven_working is not None and date.fromordinal(seven_working + EPOCH) == date(2017, 10, 12)
    assert two_calendar is not None and date.fromordinal(two_calendar + EPOCH) == date(2017, 9, 29)


def test_trap_08_a_region_that_exists_only_in_history_is_valid() -> None:
    assert regions.in_force("420821", 2017) and not regions.in_force("420821", 2020)
    assert codes(registered(统一社会信用代码=complete("91420821", "MA4KLM0N"))) == (set(), set())
    arguments = {"code": "420821-gsj", "name_zh": "演示县工商局", "items": ["enterprise-registration"]}
    assert read_register("c", arguments).faults == ()
    assert read_register("c", arguments | {"code": "420999-gsj"}).faults[0].code == "REGION_UNKNOWN"


def test_trap_09_beyond_the_calendar_no_deadline_is_guessed() -> None:
    old = penalised(CF_JDRQ="1990-05-01", CF_YXQ="1991-05-01")
    assert (old.due_on, codes(old)) == (None, (set(), {"DUE_ON_UNKNOWN"}))


def test_trap_16_a_penalty_on_a_person_by_simple_procedure_is_refused_at_intake() -> None:
    person = dict.fromkeys(("CF_XDR_SHXYM", "CF_XDR_ZZJG", "CF_XDR_GSZC"), "") | {
        "CF_XDR_LB": "自然人", "CF_XDR_ZJHM": rows.PERSON, "处罚程序": "简易程序",
    }  # fmt: skip
    with pytest.raises(RowFault) as caught:
        penalised(**person)
    assert {fault.code for fault in caught.value.faults} == {"SIMPLE_PROCEDURE_PERSON", "SUBJECT_KIND_NOT_ALLOWED"}
    by_topic = samples.record(subject_kind="person", subject_code_kind="resident_id", subject_code=rows.PERSON)
    assert "SUBJECT_KIND_NOT_ALLOWED" in codes(samples.read(by_topic))[0]
    assert codes(samples.read(samples.of_person()))[0] == set()
    assert codes(samples.read(samples.of_person(payload_changes={"cx": "简易程序"})))[0] == {"NOT_COLLECTED"}


UNLISTED = {"USCC_CATEGORY_UNLISTED"}


@pytest.mark.parametrize(
    ("head", "notes"),
    [
        ("99", UNLISTED),  # two of 137,972 real codes; 市场监管 has no 其他
        ("94", UNLISTED),
        ("19", set[str]()),  # 机构编制, 其他
        ("59", set[str]()),  # 民政, 其他
        ("Y1", set[str]()),
        ("Y9", UNLISTED),
        ("B1", UNLISTED),  # no department
        ("01", UNLISTED),
    ],
)
def test_trap_17_a_code_that_begins_with_99_is_only_worth_a_note(head: str, notes: set[str]) -> None:
    code = complete(head + "420100", "MA4KLM0N")
    assert codes(registered(统一社会信用代码=code)) == (set(), notes)
    small = {"SUBJECT_CODE_REPAIRED"} if code != code.lower() else set[str]()
    assert codes(registered(统一社会信用代码=code.lower())) == (set(), notes | small)


@pytest.mark.parametrize("written", ["2099-12-31", "2099/12/31", "长期", "9999-12-31"])
def test_trap_18_without_end_is_2099_12_31(written: str) -> None:
    given = rows.record("org-permit", rows.PERMIT_2018 | {"有效期至": written})
    assert given["payload"]["XK_YXQZI"] == date(2099, 12, 31)


def test_trap_19_forbidden_attributes_are_refused_in_the_schema_and_in_the_content() -> None:
    definition: Any = copy.deepcopy(dict(samples.SHIPPED["enterprise-registration"].definition))
    definition["fields"][1]["name_zh"] = "民族"
    assert {fault.code for fault in parse(definition)[1]} == {"ATTRIBUTE_FORBIDDEN"}
    assert codes(penalised(CF_SY=f"当事人{rows.PERSON}"))[0] == {"FORBIDDEN_CONTENT"}


def test_a_document_number_is_one_in_whatever_brackets() -> None:
    written = [
        "鄂环罚〔2017〕12号",
        "鄂环罚[2017]12号",
        "鄂环罚【2017】12号",
        "鄂环罚(2017) 12号",
        "鄂环罚（２０１７）１２号",
    ]
    assert len({document_number.normalise(text) for text in written}) == 1


def test_a_decision_of_tomorrow_is_refused() -> None:
    assert codes(penalised(CF_JDRQ="2017-09-30", CF_YXQ="2018-09-30"))[0] == {"DECIDED_ON_FUTURE"}


@pytest.mark.parametrize(
    ("changed", "missing"),
    [
        ({"CF_CFLB": "罚款", "CF_NR_FK": ""}, "CF_NR_FK"),
        ({"CF_CFLB": "没收非法财物"}, "CF_NR_WFFF"),
        ({"CF_CFLB": "暂扣或者吊销执照"}, "CF_NR_ZKDX"),
        ({"CF_FRDB": ""}, "CF_FRDB"),
    ],
)
def test_a_field_is_required_where_its_condition_holds(changed: dict[str, str], missing: str) -> None:
    assert [(fault.code, fault.field) for fault in penalised(**changed).faults] == [("FIELD_MISSING", missing)]
