"""The memoranda, read once at start; all faults are reported at once."""

from __future__ import annotations

import tomllib
from pathlib import Path

from services.sanctions.domain.memorandum import Memorandum, MemorandumFault, memorandum_from

MEMORANDA = Path(__file__).parent / "memoranda"


def load_memoranda(folder: Path = MEMORANDA) -> dict[str, Memorandum]:
    """Memoranda by the catalogue item they answer; raises `MemorandumFault`."""
    found: dict[str, Memorandum] = {}
    faults: list[str] = []
    for file in sorted(folder.glob("*.toml")):
        try:
            memorandum = memorandum_from(tomllib.loads(file.read_text(encoding="utf-8")))
        except (MemorandumFault, tomllib.TOMLDecodeError) as fault:
            faults += [f"{file.name}: {line}" for line in str(fault).splitlines()]
            continue
        if memorandum.item in found:
            faults.append(f"{file.name}: item {memorandum.item} has a memorandum already")
        found[memorandum.item] = memorandum
    if faults:
        raise MemorandumFault("\n".join(faults))
    return found
