"""Submissions of every item, valid and broken in all the ways a payload can be."""

from __future__ import annotations

from datetime import date
from typing import Any

from hypothesis import strategies as st

from services.ingestion.domain.definition import Field, Item
from tests.unit.ingestion import samples

TEXTS = st.one_of(
    st.text(alphabet="演示甲乙丙0123456789Xx ;；\t　\n", max_size=30),
    st.text(max_size=20),
    st.sampled_from(
        ["", " ", "　", "a\x00b", "420106190003070015", "警告;罚款", "其他（注明）", "x" * 5000, "2,000(万元)"]
    ),
)
CODES = st.sampled_from(
    [samples.USCC, samples.USCC.lower(), "91420100MA4KLM0N5A", "MA4KLM0N5", "420100000000014", "", "X"]
)
DATES = st.dates(date(1890, 1, 1), date(2210, 1, 1)) | st.just(samples.DECIDED)
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.integers(-5, 5000)
DECIMALS = st.from_regex(r"-?\d{0,13}(\.\d{0,7})?", fullmatch=True) | st.sampled_from(["0.2", "１.5", "1,000", ""])


def broken_value(field: Field) -> st.SearchStrategy[Any]:
    """Some value Avro can carry in this field."""
    by_type: dict[str, st.SearchStrategy[Any]] = {
        "string": TEXTS | CODES | st.sampled_from(field.code_list or ("",)),
        "decimal": DECIMALS,
        "date": DATES,
        "bool": st.booleans(),
    }
    value = by_type.get(field.type, NUMBERS)
    return value if field.required == "mandatory" else st.none() | value


@st.composite
def payloads(draw: st.DrawFn, item: Item) -> dict[str, Any]:
    """Mostly good, with up to three fields that may be anything."""
    values = samples.payload(item.code)
    for field in draw(st.lists(st.sampled_from(item.fields), max_size=3, unique_by=lambda f: f.code)):
        values[field.code] = draw(broken_value(field))
    for field in item.fields:
        if field.required != "mandatory" and draw(st.integers(0, 9)) == 0:
            values[field.code] = None
    return values


@st.composite
def submissions(draw: st.DrawFn) -> dict[str, Any]:
    """A whole submission of any item."""
    item = samples.ITEMS[draw(st.sampled_from(sorted(samples.ITEMS)))]
    return samples.record(
        item.code,
        submission_id=draw(st.sampled_from(["s-1", "s-2", "编号三"])),
        subject_kind=draw(st.sampled_from(item.subject_kinds)),
        subject_code_kind=draw(st.sampled_from(["uscc", "uscc", "reg_no", "org_code"])),
        payload=draw(payloads(item)),
    )


TELLING = st.sampled_from(
    ["简易程序", "当场处罚", "普通程序", "演示", samples.PERSON_NAME, f"对{samples.PERSON_NAME}作出", ""]
)


@st.composite
def of_persons(draw: st.DrawFn) -> dict[str, Any]:
    """A submission about a natural person; its texts may say what the law keeps out, or any other thing."""
    item = samples.OF_PERSONS[draw(st.sampled_from(sorted(samples.OF_PERSONS)))]
    changed: dict[str, Any] = {}
    for field in draw(st.lists(st.sampled_from(item.fields), max_size=3, unique_by=lambda f: f.code)):
        changed[field.code] = draw(TELLING | broken_value(field) if field.type == "string" else broken_value(field))
    name = draw(st.sampled_from([samples.PERSON_NAME, "演", "演示", "普通程序"]))
    return samples.of_person(item.code, payload_changes={"xm": name} | changed, subject_name=name)
