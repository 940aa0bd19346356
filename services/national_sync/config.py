"""Where the national platform is, and the mappings; all faults are reported at once."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from services.national_sync.domain.mapping import ItemMapping, MappingFault, mapping_from

MAPPINGS = Path(__file__).parent / "mappings"


class ConfigFault(Exception):
    """One line per missing variable."""


@dataclass(frozen=True, slots=True)
class NationalConfig:
    """The platform's address and the one certificate authority that is believed."""

    url: str
    ca: Path

    @staticmethod
    def from_environment(environment: Mapping[str, str]) -> NationalConfig:
        """Read `CREDIT_NATIONAL_*`; raises `ConfigFault`."""
        url, ca = environment.get("CREDIT_NATIONAL_URL", ""), environment.get("CREDIT_NATIONAL_CA", "")
        faults = [] if url.startswith("https://") else ["CREDIT_NATIONAL_URL must be an https:// address"]
        if not ca:
            faults.append("CREDIT_NATIONAL_CA is not set")
        if faults:
            raise ConfigFault("\n".join(faults))
        return NationalConfig(url.rstrip("/"), Path(ca))


def load_mappings(folder: Path = MAPPINGS) -> dict[str, ItemMapping]:
    """The mapping of each item that the nation collects; raises `MappingFault`."""
    found: dict[str, ItemMapping] = {}
    faults: list[str] = []
    for file in sorted(folder.glob("*.toml")):
        try:
            mapping = mapping_from(tomllib.loads(file.read_text(encoding="utf-8")))
        except (MappingFault, tomllib.TOMLDecodeError) as fault:
            faults += [f"{file.name}: {line}" for line in str(fault).splitlines()]
            continue
        if mapping.item in found:
            faults.append(f"{file.name}: item {mapping.item} has a mapping already")
        found[mapping.item] = mapping
    if faults:
        raise MappingFault("\n".join(faults))
    return found
