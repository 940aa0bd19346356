"""Item files say what is theirs; what many share stands in blocks. Expanded, a definition is whole and names no block.

A file `include`s blocks for entries at its top, which its own entries replace; in its list of fields `{ block = "x" }`
stands for the fields of block x, but for those named in `without`, and with the entries that `change` gives by code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from services.ingestion.domain.faults import Fault, fault

Table = Mapping[str, Any]
LEVELS = ("province", "city", "county")
OWN = ("include", "fields")
FIRST = (  # the order in which a definition says things, however its file and blocks are put together
    "code", "name_zh", "name_en", "version", "in_force_from", "until", "category", "class", "disclosure", "intake",
    "subject_kinds", "agencies", "responsible", "seals", "frequency", "deadline", "retention", "display", "sharing",
    "sharing_scope", "legal_basis", "envelope_columns", "fields",
)  # fmt: skip


def expand(file: Table, blocks: Mapping[str, Table]) -> tuple[dict[str, Any], tuple[Fault, ...]]:
    """The whole definition, and what is wrong with its use of blocks."""
    faults: list[Fault] = []
    whole: dict[str, Any] = {}
    for name in _names(file.get("include", ())):
        whole |= {key: value for key, value in _block(name, blocks, faults).items() if key not in OWN}
    whole |= {key: value for key, value in file.items() if key not in OWN}
    if isinstance(file.get("fields"), list):
        whole["fields"] = [field for entry in file["fields"] for field in _fields(entry, blocks, faults)]
    responsible = whole.get("responsible")
    if isinstance(responsible, Mapping) and "agencies" not in whole:
        whole["agencies"] = _every(responsible)  # pyright: ignore[reportUnknownArgumentType]
    ordered = [name for name in FIRST if name in whole] + [name for name in whole if name not in FIRST]
    return {name: whole[name] for name in ordered}, tuple(faults)


def _names(include: Any) -> list[Any]:
    return [include] if isinstance(include, str) else list(include)


def _block(name: Any, blocks: Mapping[str, Table], faults: list[Fault]) -> Table:
    found = blocks.get(name) if isinstance(name, str) else None
    if found is None:
        known = ", ".join(sorted(blocks))
        faults.append(fault("DEFINITION_FAULT", "include", rule=f"block {name}: there is none; known: {known}"))
        return {}
    return found


def _fields(entry: Any, blocks: Mapping[str, Table], faults: list[Fault]) -> Iterator[Any]:
    if not isinstance(entry, Mapping) or "block" not in entry:
        yield entry
        return
    use: Table = entry  # pyright: ignore[reportUnknownVariableType]
    left_out, changed = set(use.get("without", ())), dict(use.get("change", {}))
    fields = _block(use["block"], blocks, faults).get("fields", ())
    for code in sorted((left_out | changed.keys()) - {field["code"] for field in fields}):
        faults.append(fault("DEFINITION_FAULT", "fields", rule=f"block {use['block']}: it has no field {code}"))
    for field in fields:
        if field["code"] not in left_out:
            yield {**field, **changed.get(field["code"], {})}


def _every(responsible: Table) -> list[str]:
    """The patterns of all levels, each once."""
    found = [pattern for level in LEVELS for pattern in responsible.get(level, ()) if isinstance(pattern, str)]
    return list(dict.fromkeys(found))
