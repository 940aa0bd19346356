"""What is made from a catalogue item at the shell: the page, the lines of list and show, the spreadsheet."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from services.cli import template
from services.cli.catalogue import Item
from services.cli.catalogue_app import facts, field_rule, summary, whole
from services.cli.catalogue_page import page_of
from tests.unit.ingestion.samples import SHIPPED

TOLD = {
    "document_number": "鄂信用文〔2017〕1号",
    "published_by": "operator",
    "published_at": datetime(2017, 5, 1, tzinfo=UTC),
    "confirmed_by": ["420000-gsj"],
    "retired_at": None,
    "consumers": [{"name": "tax-bureau", "fields": ["rq"]}],
    "schema_id": 7,
}


def item(code: str, told: Any = TOLD, **changes: Any) -> Item:
    shipped = SHIPPED[code]
    return Item(code, shipped.item.version, dict(shipped.definition) | changes, told)


EVERY = [item(code) for code in SHIPPED]


class Page(HTMLParser):
    """Tags that are open, ids, links, and the text."""

    VOID = frozenset({"meta", "br"})
    LOOSE = frozenset({"li"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.open += [tag] if tag not in self.VOID | self.LOOSE else []
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_holds_every_item_and_needs_nothing_else() -> None:
    text = page_of(EVERY)
    page = Page(text)
    assert page.open == []
    assert sorted(page.ids) == sorted(SHIPPED)
    assert sorted(page.links) == sorted(f"#{code}" for code in SHIPPED)
    assert not page.tags & {"script", "link", "img", "iframe", "form"}
    assert "url(" not in text
    assert "@import" not in text


@pytest.mark.parametrize("code", ["org-penalty", "black-list-tax", "professional-teacher", "code-mapping"])
def test_the_page_says_of_an_item_what_its_definition_says(code: str) -> None:
    page, shipped = Page(page_of([item(code)])).text, SHIPPED[code].item
    said = [shipped.name_zh, shipped.name_en, code, "鄂信用文〔2017〕1号", "tax-bureau", shipped.standing.retention]
    said += [basis.document for basis in shipped.legal_basis]
    said += [text for field in shipped.fields for text in (field.code, field.name_zh, field.name_en, *field.code_list)]
    assert [text for text in said if text not in page] == []


def test_page_notes_and_command_say_what_the_law_keeps_out_of_an_item(tmp_path: Path) -> None:
    found = item("person-penalty")
    file = tmp_path / "t.xlsx"
    template._write(found.definition, file)
    notes = [str(row[1].value) for row in load_workbook(file)["说明 notes"].iter_rows()]
    for rule in found.definition["not_collected"]:
        for told in (Page(page_of([found])).text, "\n".join(notes), "\n".join(text for _, text in facts(found))):
            assert all(rule[name] in told for name in ("zh", "en", "document", "article"))
    assert "第十三条（未核实 not verified）" in Page(page_of([found])).text
    assert "kept out" not in dict(facts(item("org-penalty")))


def test_what_a_definition_says_is_text_and_no_markup() -> None:
    page = Page(page_of([item("org-penalty", name_zh="<b>粗</b> & <script>")]))
    assert not page.tags & {"b", "script"}
    assert "<b>粗</b> & <script>" in page.text


def test_items_from_before_the_full_form_are_on_the_page_too() -> None:
    keep = ("code", "name_zh", "version", "class", "disclosure", "subject_kinds", "agencies", "legal_basis", "deadline")
    old = {name: SHIPPED["org-penalty"].definition[name] for name in keep}
    old["fields"] = [{"code": "a", "name_zh": "甲", "name_en": "one", "type": "date", "required": "conditional:b"}]
    page = Page(page_of([Item("org-penalty", 1, old)]))
    assert page.ids == ["org-penalty"]
    assert "42????-*" in page.text


@pytest.mark.parametrize(
    ("told", "intake", "state"),
    [
        ({}, "open", "open"),
        ({}, "closed", "closed"),
        ({"retired_at": datetime(2018, 1, 1, tzinfo=UTC)}, "open", "retired"),
    ],
)
def test_an_agency_is_given_the_items_that_take_reports(told: Any, intake: str, state: str) -> None:
    found = item("org-penalty", told, intake=intake)
    assert (found.state, found.is_of("420000-hbt")) == (state, state == "open")


def test_an_item_in_one_line_and_whole() -> None:
    found = item("org-penalty")
    assert summary(found)["document_number"] == "鄂信用文〔2017〕1号"
    assert json.loads(json.dumps(whole(found)))["published_at"] == "2017-05-01T00:00:00+00:00"
    labels = dict(facts(found))
    assert labels["deadline"] == "7 working 工作日"
    assert labels["county"] == "42????-*"
    assert labels["reader"] == "tax-bureau: rq"
    (kind,) = [field for field in found.definition["fields"] if field["code"] == "CF_CFLB"]
    assert field_rule(kind).startswith("string; <= 200; mandatory; 警告|罚款|")


def rules(file: Path) -> dict[str, str]:
    """The drop-downs of a spreadsheet: column -> where its values come from."""
    sheet = load_workbook(file).worksheets[0]
    return {str(rule.sqref).split(":")[0].rstrip("2"): rule.formula1 for rule in sheet.data_validations.dataValidation}


def listed(*entries: str) -> dict[str, Any]:
    """A definition whose only field has this code list."""
    field = {"code": "a", "name_zh": "甲", "name_en": "one", "type": "string", "max_length": 99}
    fields = [field | {"required": "mandatory", "code_list": list(entries)}]
    return dict(SHIPPED["org-penalty"].definition) | {"fields": fields}


def test_a_short_list_is_in_the_rule_itself(tmp_path: Path) -> None:
    template._write(listed("演示一", "演示二"), tmp_path / "t.xlsx")
    assert list(rules(tmp_path / "t.xlsx").values()) == ['"演示一,演示二"']


@pytest.mark.parametrize("entries", [[f"演示第{n}种情形" for n in range(60)], ["演示一,二", "演示三"]])
def test_a_list_that_no_rule_can_hold_stands_on_a_sheet(tmp_path: Path, entries: list[str]) -> None:
    file = tmp_path / "t.xlsx"
    template._write(listed(*entries), file)
    ((column, source),) = rules(file).items()
    sheet, _, cells = source.partition("!")
    values = load_workbook(file)[sheet.strip("'")][cells.replace("$", "")]
    assert [row[0].value for row in values] == entries
    assert cells == f"${column}$1:${column}${len(entries)}"


def test_where_other_values_are_right_too_nothing_is_offered(tmp_path: Path) -> None:
    template._write(listed("演示一", "其他*"), tmp_path / "t.xlsx")
    assert rules(tmp_path / "t.xlsx") == {}


@pytest.mark.parametrize("code", sorted(SHIPPED))
def test_every_item_has_its_spreadsheet(tmp_path: Path, code: str) -> None:
    """Each column once; what the envelope takes from a column is there."""
    file, definition = tmp_path / "t.xlsx", SHIPPED[code].definition
    template._write(definition, file)
    book = load_workbook(file)
    names = [cell.value for cell in book.worksheets[0][1]]
    assert len(set(names)) == len(names)
    columns: Any = definition["envelope_columns"]
    assert set(columns.values()) <= set(names)
    notes = [row[0].value for row in book["说明 notes"].iter_rows()]
    assert set(names) <= set(notes)
