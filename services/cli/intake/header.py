"""The header line of a file -> what each column fills: by field code, Chinese name, or the item's table of vintages."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast

from deploy.local.faults import StackFault
from services.cli.catalogue import Item
from services.cli.intake.cells import UNITS

ENVELOPE = ("source_unit", "action", "record_no", "subject_kind", "subject_code_kind", "subject_code", "subject_name")
BEHIND = re.compile(r"(.+)\(([^()]+)\)")  # a name with a remark in brackets
DEFAULT_UNITS = {"decimal": "wan", "money_fen": "fen"}
Table = Mapping[str, Any]


class Source(NamedTuple):
    """A column: its place, its name as the file writes it, and the unit of its amounts ("" where it has none)."""

    at: int
    column: str
    unit: str


class Target(NamedTuple):
    """What fills a field or a name of the envelope, first filled one first; `join` puts all of them together."""

    sources: tuple[Source, ...]
    values: Mapping[str, str]
    join: str
    like: str


class Columns(NamedTuple):
    """A header understood. `person`, `organisation`: a value there names one; `open_only`: place, permitted values.

    `document`: what the file calls the first column that names a person.
    """

    shape: str
    targets: Mapping[str, Target]
    person: tuple[int, ...]
    organisation: tuple[int, ...]
    document: str
    open_only: tuple[tuple[Source, tuple[str, ...]], ...]
    procedure: tuple[Source, ...]
    ignored: tuple[str, ...]
    width: int

    def name(self, target: str, otherwise: str = "") -> str:
        """What the file calls a target's first column."""
        sources = self.targets[target].sources
        return sources[0].column if sources else otherwise or target


def plain(name: str) -> str:
    """A column's name to compare with: one form of brackets and letters, no white space, upper case."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", name)).upper()


def understand(item: Item, header: Sequence[str], shape: str = "") -> Columns:
    """Raises `StackFault` for a header that is of no shape, of two, or of none of this item's columns."""
    names = [plain(name) for name in header]
    _once(header, names)
    table: Table = item.definition.get("vintages", {})
    chosen = _chosen(table, names, shape)
    reading = _Reading(item, chosen)
    if not chosen:
        _no_double_meaning(table, names, reading)
    found = list(zip(names, header, strict=True))
    targets = {name: reading.target(name, found) for name in (*ENVELOPE, "decided_on", *reading.fields)}
    used = {source.at for target in targets.values() for source in target.sources}
    if not used:
        raise StackFault(
            f"no column belongs to {item.code}: its columns are listed by credit template {item.code} --json"
        )
    open_only: Table = chosen.get("open_only", {})
    persons, organisations = _named(found, chosen.get("person", ())), _named(found, _organisation(table, chosen))
    procedure = _named(found, table.get("simple_procedure", {}).get("columns", ()))
    unused = (*persons, *organisations, *procedure)
    silent = {*chosen.get("unsent", ()), *open_only.get("columns", ()), *(plain(source.column) for source in unused)}
    return Columns(
        shape=chosen.get("name", ""),
        targets=targets,
        person=tuple(source.at for source in persons),
        organisation=tuple(source.at for source in organisations),
        document=persons[0].column if persons else "",
        open_only=tuple((s, tuple(open_only["values"])) for s in _named(found, open_only.get("columns", ()))),
        procedure=procedure,
        ignored=tuple(h for at, (p, h) in enumerate(found) if at not in used and p not in silent and p),
        width=len(header),
    )


def _organisation(table: Table, chosen: Table) -> Sequence[str]:
    """Columns that name an organisation; of a header that is of no shape, in whichever shape."""
    shapes = [chosen] if chosen else cast("list[Table]", table.get("shapes", []))
    return [name for shape in shapes for name in shape.get("organisation", ())]


def _named(found: Sequence[tuple[str, str]], names: Iterable[str]) -> tuple[Source, ...]:
    wanted = {plain(name) for name in names}
    return tuple(Source(at, written, "") for at, (name, written) in enumerate(found) if name in wanted)


def _once(header: Sequence[str], names: Sequence[str]) -> None:
    twice = sorted({header[at] for at, name in enumerate(names) if name and names.index(name) != at})
    if twice:
        raise StackFault(f"column {twice[0]} is there twice: keep one of the two")


def _chosen(table: Table, names: Sequence[str], shape: str) -> Table:
    shapes = cast("list[Table]", table.get("shapes", []))
    if shape:
        by_name = {str(one["name"]): one for one in shapes}
        if shape not in by_name:
            known = ", ".join(by_name) or "none: the item has no earlier field sets"
            raise StackFault(f"there is no shape {shape!r}; known are {known}: choose one of them")
        return by_name[shape]
    marked = [(one, sorted(set(names) & set(one["marks"]))) for one in shapes]
    marked = [(one, marks) for one, marks in marked if marks]
    if len(marked) > 1:
        told = " and ".join(f"{marks[0]} of {one['name']}" for one, marks in marked)
        raise StackFault(f"the header has columns of two vintages ({told}): send them apart, or choose with --shape")
    return marked[0][0] if marked else {}


def _no_double_meaning(table: Table, names: Sequence[str], reading: _Reading) -> None:
    for name in names:
        meant = {
            one["name"]: column["to"]
            for one in cast("list[Table]", table.get("shapes", []))
            for column in one["columns"]
            if name in column.get("from", ()) and not reading.own(name)
        }
        if len(set(meant.values())) > 1:
            told = ", ".join(f"{to} in {shape}" for shape, to in meant.items())
            raise StackFault(f"column {name} means {told}, and no other column says which: choose with --shape")


class _Reading:
    """How one item and shape name their columns."""

    def __init__(self, item: Item, shape: Table) -> None:
        self.fields: dict[str, Table] = {field["code"]: field for field in item.definition["fields"]}
        self._columns = cast("list[Table]", shape.get("columns", []))
        self._own: dict[str, list[str]] = {}
        for code, field in self.fields.items():
            for name in {plain(code), plain(field["name_zh"]), *_without_unit(field)}:
                self._own.setdefault(name, []).append(code)
        for name, column in item.definition["envelope_columns"].items():
            self._own.setdefault(plain(column), []).append(name)
        for name in (*ENVELOPE, "decided_on"):
            self._own.setdefault(plain(name), []).append(name)

    def own(self, name: str) -> Sequence[str]:
        """What the item itself calls by this name."""
        return self._own.get(name, ())

    def target(self, name: str, header: Sequence[tuple[str, str]]) -> Target:
        """Where a field or a name of the envelope comes from in this header."""
        given = [column for column in self._columns if column["to"] == name]
        sources = tuple(
            Source(at, written, self._unit(name, unit))
            for at, (column, written) in enumerate(header)
            for unit in self._fills(name, column)
        )
        values = {plain(k): v for column in given for k, v in column.get("values", {}).items()}
        separator = self.fields[name].get("separator", "") if name in self.fields else ""
        join = next((column["join"] for column in given if "join" in column), separator)
        like = next((column["like"] for column in given if "like" in column), "")
        return Target(sources, values, join, like)

    def _unit(self, name: str, unit: str) -> str:
        return unit or DEFAULT_UNITS.get(self.fields[name]["type"] if name in self.fields else "", "")

    def _fills(self, name: str, column: str) -> Iterator[str]:
        """The unit ("": not said) if the column fills the target; a remark in brackets counts more than the name."""
        remark = BEHIND.fullmatch(column)
        unit = UNITS.get(remark[2], "") if remark else ""
        for candidate in dict.fromkeys(
            (column, *((remark[1],) if unit and remark else (remark[2],) if remark else ()))
        ):
            to = self._to(candidate)
            if to:
                if name in to:
                    yield unit or to[name]
                return
        if remark and not unit and name in (to := self._to(remark[1])):
            yield to[name]

    def _to(self, column: str) -> dict[str, str]:
        """Targets of a column with their units: what the shape says of it, else what the item calls so."""
        shaped = {c["to"]: str(c.get("unit", "")) for c in self._columns if column in c.get("from", ())}
        return shaped or dict.fromkeys(self.own(column), "")


def _without_unit(field: Table) -> Iterator[str]:
    remark = BEHIND.fullmatch(plain(field["name_zh"]))
    if remark and remark[2] in UNITS and field["type"] in DEFAULT_UNITS:
        yield remark[1]
