"""A row of a file -> a submission: texts by target, the subject by the ladder of its codes, then values by type."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from hashlib import blake2b
from typing import Any, NamedTuple

from services.cli.catalogue import Item
from services.cli.catalogue_words import SAID
from services.cli.intake import cells
from services.cli.intake.faults import CellFault, CellProblem, RowFault, cell_fault
from services.cli.intake.header import Columns, Target, plain, understand
from services.cli.intake.subject import CODE_KINDS, PERSON, Texts, Who
from services.kernel import document_number

SEPARATORS = re.compile("[;；]")
SENT_EMPTY = ("string", "decimal")  # a mandatory one that is missing is sent empty, for ingestion to explain


class Sender(NamedTuple):
    """Who submits, and the moment at which this file was sent (milliseconds since 1970)."""

    agency: str
    run: str
    at_ms: int


class Made(NamedTuple):
    """A submission as the item's schema wants it, and its business key ("" where the item or the row has none)."""

    record: dict[str, Any]
    business_key: str


class Maker:
    """Makes the submissions of one file. `constants` say once what no column does, by field code."""

    def __init__(
        self, item: Item, columns: Columns, sender: Sender, constants: Mapping[str, str] | None = None
    ) -> None:
        self._item = item
        self._sender = sender
        self._columns = columns
        self._constants = dict(constants or {})
        self._fields: list[Mapping[str, Any]] = list(item.definition["fields"])
        self._vintages: Mapping[str, Any] = item.definition.get("vintages", {})
        self._who = Who(item, columns)
        self._linked = _linked(item)
        self._key: Sequence[str] = item.definition.get("business_key", ())

    def make(self, number: int, row: Sequence[str]) -> Made:
        """The submission of one row, named by run and row number; raises `RowFault` with all that is wrong."""
        faults: list[CellFault] = []
        texts = self._texts(row, faults)
        kind, code_kind = self._who.find(texts, row, faults)
        self._permitted(row, faults)
        self._collected(texts, faults)
        payload = {field["code"]: self._value(field, texts, faults) for field in self._fields}
        decided = self._decided(texts, faults)
        key = self._business_key(texts)
        if faults:
            raise RowFault(tuple(faults))
        record = {
            "submission_id": f"{self._sender.run}-{number}",
            "item": self._item.code,
            "agency": self._sender.agency,
            "source_unit": texts["source_unit"],
            "action": texts["action"] or "report",
            "record_no": texts["record_no"] or self._record_no(number, row, key, kind),
            "subject_kind": kind,
            "subject_code_kind": code_kind,
            "subject_code": texts["subject_code"],
            "subject_name": texts["subject_name"],
            "decided_on": decided,
            "produced_at": self._sender.at_ms,
            "payload": payload,
        }
        return Made(record, key)

    # --- texts ---

    def _texts(self, row: Sequence[str], faults: list[CellFault]) -> Texts:
        if len(row) > self._columns.width and any(cells.filled(cell) for cell in row[self._columns.width :]):
            faults.append(cell_fault("COLUMNS_SHIFTED", ""))
        texts = {name: self._text(name, target, row, faults) for name, target in self._columns.targets.items()}
        for name, field in self._linked:
            texts[name] = texts[name] or texts[field]
            if name != "subject_code" or CODE_KINDS.get(len(texts[name])) == "uscc":
                texts[field] = texts[field] or texts[name]
        for name, target in self._columns.targets.items():
            if target.like and not texts[name]:
                texts[name] = texts[target.like]
        return texts

    def _text(self, name: str, target: Target, row: Sequence[str], faults: list[CellFault]) -> str:
        found = [text for at, _, _ in target.sources if at < len(row) and (text := cells.filled(row[at]))]
        if not found:
            return self._constants.get(name, "")
        if target.join:
            parts = [part.strip() for text in found for part in SEPARATORS.split(text)]
            return target.join.join(dict.fromkeys(part for part in parts if part))
        if not target.values:
            return found[0]
        if plain(found[0]) in target.values:
            return target.values[plain(found[0])]
        known = "、".join(target.values)
        faults.append(cell_fault("CELL_VALUE", target.sources[0].column, shape=self._columns.shape, known=known))
        return ""

    def _permitted(self, row: Sequence[str], faults: list[CellFault]) -> None:
        for source, values in self._columns.open_only:
            said = cells.filled(row[source.at]) if source.at < len(row) else ""
            if said and cells.narrow(said) not in values:
                zh, en = SAID["disclosure"][str(self._item.definition["disclosure"])]
                faults.append(cell_fault("USE_RESTRICTED", source.column, zh=zh, en=en))

    def _collected(self, texts: Texts, faults: list[CellFault]) -> None:
        """What ingestion would refuse because the law keeps it out does not leave this machine."""
        rules: Sequence[Mapping[str, Any]] = self._item.definition.get("not_collected", ())
        for rule in rules:
            words = [*rule.get("words", ()), *([texts["subject_name"]] if rule.get("holds") else [])]
            for code in rule["fields"]:
                if any(word in texts[code] for word in words if len(word) > 1):
                    faults.append(cell_fault("NOT_COLLECTED", self._columns.name(code), zh=rule["zh"], en=rule["en"]))

    def _record_no(self, number: int, row: Sequence[str], key: str, kind: str) -> str:
        """Of a file that gives none. Nobody must be able to try out a person's number against it."""
        if key or kind != PERSON:
            return content_no([key] if key else row)
        return content_no([self._sender.run, str(number)])

    # --- values ---

    def _value(self, field: Mapping[str, Any], texts: Texts, faults: list[CellFault]) -> Any:
        code, text = field["code"], texts[field["code"]]
        if not text:
            if field["required"] != "mandatory":
                return None
            if field["type"] in SENT_EMPTY:
                return ""
            faults.append(cell_fault("FIELD_MISSING", self._columns.name(code, field["name_zh"])))
            return None
        try:
            return self._convert(field)(self._lasting(code, text))
        except CellProblem as problem:
            faults.append(cell_fault(problem.code, self._columns.name(code), **problem.values))
            return None

    def _convert(self, field: Mapping[str, Any]) -> Callable[[str], Any]:
        if field["type"] == "string":
            return str
        sources = self._columns.targets[field["code"]].sources
        if field["type"] == "decimal":
            return cells.in_wan(sources[0].unit if sources else "wan")
        if field["type"] == "money_fen":
            return cells.in_fen(sources[0].unit if sources else "fen")
        return cells.PLAIN_TYPES[field["type"]]

    def _lasting(self, code: str, text: str) -> str:
        lasting: Mapping[str, Any] = self._vintages.get("long_term", {})
        return lasting["day"] if code in lasting.get("fields", ()) and text in lasting["words"] else text

    def _decided(self, texts: Texts, faults: list[CellFault]) -> date | None:
        column = str(self._item.definition["envelope_columns"]["decided_on"])
        if not texts["decided_on"]:
            faults.append(cell_fault("FIELD_MISSING", column))
            return None
        try:
            return cells.day(texts["decided_on"])
        except CellProblem as problem:
            if not any(fault.code == problem.code for fault in faults):
                faults.append(cell_fault(problem.code, self._columns.name("decided_on", column)))
            return None

    def _business_key(self, texts: Texts) -> str:
        parts = [document_number.normalise(texts[name]) for name in self._key]
        return "\0".join(parts) if parts and all(parts) else ""


def maker(item: Item, header: Sequence[str], sender: Sender) -> Maker:
    """For whoever has a header and no wishes."""
    return Maker(item, understand(item, header), sender)


def _linked(item: Item) -> tuple[tuple[str, str], ...]:
    """Names of the envelope with the field that says the same: either fills the other."""
    columns: Mapping[str, str] = item.definition["envelope_columns"]
    return tuple(
        (name, field["code"])
        for name, column in columns.items()
        for field in item.definition["fields"]
        if field.get("same_as") == name or field["name_zh"] == column
    )


def content_no(texts: Iterable[str]) -> str:
    """The number of a record whose file gives none: the same row has the same one, so sending it again is harmless."""
    return blake2b("\0".join(texts).encode(errors="surrogatepass"), digest_size=12).hexdigest()
