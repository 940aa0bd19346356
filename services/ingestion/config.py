"""Settings of ingestion beside those every service has, and the catalogue shipped with the code; faults all at once."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from services.chassis.settings import Address, Reader, SettingsFault, address, natural
from services.ingestion.domain.definition import Item, parse

CATALOGUE = Path(__file__).parent / "catalogue"
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
    """An item of the shipped catalogue: as the file says it, and parsed."""

    definition: Mapping[str, object]
    item: Item


def load_catalogue(folder: Path = CATALOGUE) -> list[Shipped]:
    """The catalogue of this release; raises `SettingsFault` naming everything that is wrong."""
    found: list[Shipped] = []
    faults: list[str] = []
    for file in sorted(folder.glob("*.toml")):
        try:
            definition = tomllib.loads(file.read_text(encoding="utf-8"))
        except tomllib.TOMLDecodeError as error:
            faults.append(f"{file.name}: {error}")
            continue
        item, wrong = parse(definition)
        faults += [f"{file.name}: {fault.field}: {fault.message_en}" for fault in wrong]
        if item is not None:
            found.append(Shipped(definition, item))
    if faults:
        raise SettingsFault("\n".join(faults))
    return found
