"""How the simulator misbehaves: by rates and a seed, from the hash of a key, so that totals can be repeated."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

Mishap = Literal["fail", "lose", "garbage", "none"]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Rates are shares of 1. `refuse` is by record and for good; the others are by attempt and pass.

    `busy`: a record is told to come back. `fail`: 500 before anything is stored. `lose`: stored, then the connection is
    cut. `garbage`: stored, then an answer that is none.
    """

    seed: str = "1"
    refuse_rate: float = 0.0
    busy_rate: float = 0.0
    fail_rate: float = 0.0
    lose_rate: float = 0.0
    garbage_rate: float = 0.0
    delay_ms: int = 0

    def table(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    def refuses(self, key: str) -> bool:
        """Whether this record fails the spot check, now and always."""
        return self.refuse_rate > 0 and self._share("refuse", key) < self.refuse_rate

    def is_busy(self, key: str, attempt: int) -> bool:
        """Whether this record has to come back, at this attempt."""
        return self.busy_rate > 0 and self._share(f"busy{attempt}", key) < self.busy_rate

    def mishap(self, key: str, attempt: int) -> Mishap:
        """What happens to a whole request, told by its first record and how often that has been seen."""
        share = self._share(f"request{attempt}", key)
        if share < self.fail_rate:
            return "fail"
        if share < self.fail_rate + self.lose_rate:
            return "lose"
        return "garbage" if share < self.fail_rate + self.lose_rate + self.garbage_rate else "none"

    def _share(self, what: str, key: str) -> float:
        digest = hashlib.blake2b(f"{self.seed}|{what}|{key}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") / 2**64


def behaviour_from(table: Mapping[str, Any], before: Behaviour) -> Behaviour:
    """The behaviour with what the table names changed; raises `ValueError` naming every fault."""
    known = {field.name for field in fields(Behaviour)}
    faults = [f"no such setting: {name}" for name in table if name not in known]
    changed = {**before.table(), **{name: value for name, value in table.items() if name in known}}
    changed["seed"] = str(changed["seed"])
    for name in (name for name in known if name.endswith("_rate")):
        if not isinstance(changed[name], int | float) or not 0 <= changed[name] <= 1:
            faults.append(f"{name} must be between 0 and 1")
    if not isinstance(changed["delay_ms"], int) or not 0 <= changed["delay_ms"] <= 60_000:
        faults.append("delay_ms must be between 0 and 60000")
    if faults:
        raise ValueError("; ".join(sorted(faults)))
    return Behaviour(**changed)
