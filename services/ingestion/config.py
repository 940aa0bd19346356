"""Settings of ingestion beside those every service has, and the catalogue shipped with the code; faults all at once."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from services.chassis.settings import Address, Reader, SettingsFault, address, natural
from services.ingestion.domain.agency import read_register
from services.ingestion.domain.blocks import expand
from services.ingestion.domain.definition import Item, parse
from services.ingestion.domain.wish_reading import objections

CATALOGUE = Path(__file__).parent / "catalogue"
AGENCIES = Path(__file__).parent / "agencies" / "agencies_2017.csv"
IDENTITY = "CREDIT_IDENTITY_GRPC"
KEEP = "CREDIT_INGESTION_KEEP_S"
TOLERANCE = "CREDIT_INGESTION_CLOCK_TOLERANCE_MS"


@dataclass(frozen=True, slots=True)
class Config:
    """How far the clock of a sender may be ahead, where identity answers, for how many seconds what was said about
    persons stays on its topic once it is taken in.
    """

    tolerance_ms: int
    identity: Address
    keep_s: int

    @staticmethod
    def from_environment(environment: Mapping[str, str]) -> Config:
        """Raises `SettingsFault`."""
        reader = Reader(environment)
        found = Config(
            reader.read(TOLERANCE, _milliseconds, "600000"),
            reader.read(IDENTITY, address),
            reader.read(KEEP, natural, "3600"),
        )
        reader.finish()
        return found


def _milliseconds(text: str) -> int:
    if not text.isdecimal():
        raise ValueError("must be a whole number of milliseconds")
    return int(text)


@dataclass(frozen=True, slots=True)
class Shipped:
    """An item of the shipped catalogue: whole, with its blocks expanded, and parsed."""

    definition: Mapping[str, object]
    item: Item


def load_catalogue(folder: Path = CATALOGUE) -> list[Shipped]:
    """The catalogue of this release; raises `SettingsFault` naming everything that is wrong."""
    found: list[Shipped] = []
    faults: list[str] = []
    blocks = load_blocks(folder)
    for file in sorted(folder.glob("*.toml")):
        try:
            found.append(load_item(file, blocks))
        except SettingsFault as wrong:
            faults.append(str(wrong))
    if faults:
        raise SettingsFault("\n".join(faults))
    return found


def load_blocks(folder: Path = CATALOGUE) -> dict[str, Mapping[str, Any]]:
    """What items share, by name: `blocks/<name>.toml`."""
    return {file.stem: _read(file) for file in sorted((folder / "blocks").glob("*.toml"))}


def load_item(file: Path, blocks: Mapping[str, Mapping[str, Any]]) -> Shipped:
    """An item file, expanded and parsed; raises `SettingsFault` with a line per fault."""
    definition, misused = expand(_read(file), blocks)
    item, wrong = parse(definition)
    faults = [*misused, *wrong, *(objections(item) if item else ())]
    if faults or item is None:
        raise SettingsFault(
            "\n".join(f"{file.name}: {fault.code} {fault.field}: {fault.message_en}" for fault in faults)
        )
    return Shipped(definition, item)


def load_readers(folder: Path = CATALOGUE) -> dict[str, dict[str, list[str]]]:
    """The services that read fields of shipped items by name: item -> reader -> fields."""
    return {item: dict(readers) for item, readers in _read(folder / "readers" / "services.toml").items()}


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsFault(f"{file.name}: {error}") from None


class ShippedAgency(NamedTuple):
    """A reporting unit (报送单位) as the notice of 2017 names it, or GB/T 2260 its county; texts, as in the file.

    `group` is of item 3 (started, to_start, pilot) or 4 (prefecture, county), `expected_since` the date that these set,
    `from_year` and `to_year` when the unit bears this name (empty: not known), `later` what became of it. `source`:
    notice (鄂信用文〔2017〕1号), regions (kernel/regions.csv), unverified (what became of it was not checked).
    """

    code: str
    name_zh: str
    kind: str
    tier: str
    parent: str
    group: str
    expected_since: str
    from_year: str
    to_year: str
    later: str
    source: str

    @property
    def arguments(self) -> dict[str, Any]:
        """As `register_agency` takes it, without items."""
        said = ("code", "name_zh", "kind", "tier", "parent", "expected_since")
        return {name: getattr(self, name) for name in said} | {"items": []}


def load_agencies(file: Path = AGENCIES) -> list[ShippedAgency]:
    """The shipped register: units of item 3, prefectures, counties; raises `SettingsFault` naming all that is wrong."""
    with file.open(encoding="utf-8", newline="") as rows:
        found = [ShippedAgency(**row) for row in csv.DictReader(rows)]
    known = {agency.code for agency in found}
    faults = [
        f"{agency.code}: parent {agency.parent} is not listed" for agency in found if agency.parent not in {"", *known}
    ]
    for agency in found:
        wrong = read_register("", agency.arguments).faults
        faults += [f"{agency.code}: {fault.field}: {fault.message_en}" for fault in wrong]
    if faults or len(known) < len(found):
        raise SettingsFault("\n".join(faults) or f"{file.name}: a code stands there twice")
    return found
