"""Whom a row is about: by USCC, else organisation code, else registration number, each confirmed by its check digit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.cli.catalogue import Item
from services.cli.intake import cells, codes
from services.cli.intake.faults import CellFault, CellProblem, cell_fault
from services.cli.intake.header import Columns
from services.kernel import uscc
from services.kernel.text import narrowed

SOLE_TRADER = "92"  # the first two characters of a sole trader's (个体工商户) code
CODE_KINDS = {18: "uscc", 15: "reg_no", 13: "reg_no", 9: "org_code", 10: "org_code"}
Texts = dict[str, str]


class Who:
    """The ladder of one file."""

    def __init__(self, item: Item, columns: Columns) -> None:
        self._columns = columns
        self._vintages: Mapping[str, Any] = item.definition.get("vintages", {})
        self._allowed: Sequence[str] = item.definition["subject_kinds"]

    def find(self, texts: Texts, row: Sequence[str], faults: list[CellFault]) -> tuple[str, str]:
        """Kind of subject and of code; `texts` gets the code that counts and the word for the kind."""
        code_kind = texts["subject_code_kind"] or self._ladder(texts, faults)
        kind = texts["subject_kind"] or self._kind(texts)
        code = texts["subject_code"]
        named = any(at < len(row) and cells.filled(row[at]) for at in self._columns.person)
        if kind == "person" or (named and not code):
            self._refuse_person(row, faults)
        found = kind or kind_of(code, self._allowed)
        self._name_kind(texts, found)
        return found, code_kind or CODE_KINDS.get(len(code), "uscc")

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

    def _refuse_person(self, row: Sequence[str], faults: list[CellFault]) -> None:
        words = self._vintages.get("simple_procedure", {}).get("words", ())
        for source in self._columns.procedure:
            if source.at < len(row) and any(word in row[source.at] for word in words):
                faults.append(cell_fault("SIMPLE_PROCEDURE_PERSON", source.column))
        if "person" not in self._allowed:
            faults.append(cell_fault("SUBJECT_KIND_NOT_ALLOWED", "subject_kind"))


def kind_of(code: str, allowed: Iterable[str]) -> str:
    """A sole trader's code begins with 92; everybody else with a code is an organisation."""
    sole = narrowed(code).startswith(SOLE_TRADER) and "sole_trader" in allowed
    return "sole_trader" if sole else "org"
