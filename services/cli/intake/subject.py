"""Whom a row is about: by USCC, else organisation code, else registration number, each confirmed by its check digit.

A natural person by the resident identity number alone, where the item takes persons; elsewhere the row is not sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.cli.catalogue import Item
from services.cli.intake import cells, codes
from services.cli.intake.faults import CellFault, CellProblem, cell_fault
from services.cli.intake.header import Columns
from services.kernel import resident_id, uscc
from services.kernel.text import narrowed

PERSON, RESIDENT_ID = "person", "resident_id"
KINDS = {PERSON: ("自然人", "natural persons"), "org": ("法人及非法人组织、个体工商户", "organisations")}
SOLE_TRADER = "92"  # the first two characters of a sole trader's (个体工商户) code
CODE_KINDS = {18: "uscc", 15: "reg_no", 13: "reg_no", 9: "org_code", 10: "org_code"}
Texts = dict[str, str]


class Who:
    """The ladder of one file."""

    def __init__(self, item: Item, columns: Columns) -> None:
        self._columns = columns
        self._vintages: Mapping[str, Any] = item.definition.get("vintages", {})
        self._allowed: list[str] = list(item.definition["subject_kinds"])

    def find(self, texts: Texts, row: Sequence[str], faults: list[CellFault]) -> tuple[str, str]:
        """Kind of subject and of code; `texts` gets the code that counts and the word for the kind."""
        code_kind = texts["subject_code_kind"] or self._ladder(texts, faults)
        kind = texts["subject_kind"] or self._kind(texts)
        code = texts["subject_code"]
        number = _first(row, self._columns.person)
        if kind == PERSON or (number and not code) or (not kind and self._allowed == [PERSON]):
            return self._person(kind, texts, row, faults)
        found = kind or kind_of(code, self._allowed)
        if found not in self._allowed and self._allowed == [PERSON]:
            faults.append(_not_allowed(found))
        self._name_kind(texts, found)
        return found, code_kind or CODE_KINDS.get(len(code), "uscc")

    def _person(self, kind: str, texts: Texts, row: Sequence[str], faults: list[CellFault]) -> tuple[str, str]:
        """By document alone. Who has a code of an organisation beside it is one: its owner is not whom it is about."""
        self._simple_procedure(row, faults)
        if PERSON not in self._allowed:
            faults.append(_not_allowed(PERSON))
        elif kind not in ("", PERSON) or _first(row, self._columns.organisation):
            faults.append(_not_allowed("org"))
        else:
            texts["subject_code"] = narrowed(texts["subject_code"] or _first(row, self._columns.person))
            self._confirm_number(texts["subject_code"], faults)
        return PERSON, texts["subject_code_kind"] or RESIDENT_ID

    def _confirm_number(self, number: str, faults: list[CellFault]) -> None:
        column = self._columns.document or self._columns.name("subject_code")
        if not number:
            faults.append(cell_fault("FIELD_MISSING", column))
        elif not resident_id.is_valid(resident_id.normalise(number)):
            faults.append(cell_fault("CODE_CHECK_DIGIT", column, wanted=codes.NAMES[RESIDENT_ID]))

    def _ladder(self, texts: Texts, faults: list[CellFault]) -> str:
        """USCC, else organisation code, else registration number; each in its own column, confirmed by check digit."""
        fields: Mapping[str, str] = self._vintages.get("codes", {})
        for kind in ("org_code", "reg_no"):
            if texts.get(fields.get(kind, "")):
                self._confirm(kind, fields[kind], texts, faults)
        whole = narrowed(texts["subject_code"])
        if whole and whole not in uscc.NOBODY:
            return ""
        for kind in ("org_code", "reg_no"):
            if code := texts.get(fields.get(kind, "")):
                texts["subject_code"] = code
                if "uscc" in fields:
                    texts[fields["uscc"]] = ""  # a placeholder names nobody
                if whole and not texts["subject_kind"]:
                    texts["subject_kind"] = "sole_trader"  # only they are sent with a placeholder
                return kind
        return ""

    def _confirm(self, kind: str, field: str, texts: Texts, faults: list[CellFault]) -> None:
        try:
            texts[field] = codes.confirmed(kind, texts[field], texts["subject_code"], self._columns.shape)
        except CellProblem as problem:
            faults.append(cell_fault(problem.code, self._columns.name(field), **problem.values))

    def _kind(self, texts: Texts) -> str:
        said = texts.get(self._vintages.get("kind_field", ""), "")
        kinds: Mapping[str, Sequence[str]] = self._vintages.get("kinds", {})
        return next((kind for kind, words in kinds.items() if said in words), "")

    def _name_kind(self, texts: Texts, kind: str) -> None:
        field = self._vintages.get("kind_field", "")
        words = self._vintages.get("kinds", {}).get(kind, ())
        if field and words and (not texts[field] or texts[field] in words):
            texts[field] = words[0]

    def _simple_procedure(self, row: Sequence[str], faults: list[CellFault]) -> None:
        words = self._vintages.get("simple_procedure", {}).get("words", ())
        for source in self._columns.procedure:
            if source.at < len(row) and any(word in row[source.at] for word in words):
                faults.append(cell_fault("SIMPLE_PROCEDURE_PERSON", source.column))


def _first(row: Sequence[str], places: Iterable[int]) -> str:
    """What the first filled one of these cells says."""
    return next((text for at in places if at < len(row) and (text := cells.filled(row[at]))), "")


def _not_allowed(kind: str) -> CellFault:
    zh, en = KINDS[kind if kind == PERSON else "org"]
    return cell_fault("SUBJECT_KIND_NOT_ALLOWED", "subject_kind", zh=zh, en=en)


def kind_of(code: str, allowed: Iterable[str]) -> str:
    """A sole trader's code begins with 92; everybody else with a code is an organisation."""
    sole = narrowed(code).startswith(SOLE_TRADER) and "sole_trader" in allowed
    return "sole_trader" if sole else "org"
