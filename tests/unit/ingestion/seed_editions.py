"""Writes what follows from the shipped catalogue and is kept beside it: run it after adding an item or an edition.

`python -m tests.unit.ingestion.seed_editions` adds the missing schemas under avro/items/, their lines in
avro/editions.lock, and lines in services/ingestion/catalogue/editions.lock. What is published it never touches.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from services.ingestion.config import CATALOGUE, Shipped, load_catalogue
from services.ingestion.domain.item_schema import schema_text
from services.ingestion.domain.wishes import canonical

REPO = Path(__file__).parents[3]
SCHEMAS, DEFINITIONS = REPO / "avro" / "editions.lock", CATALOGUE / "editions.lock"


def digest_of(shipped: Shipped) -> str:
    """Of the whole definition as it is published."""
    return hashlib.sha256(canonical(shipped.definition).encode()).hexdigest()


def name_of(shipped: Shipped) -> str:
    """An edition's name in the lock."""
    return f"{shipped.item.code}/{shipped.item.version}"


def locked(file: Path) -> dict[str, str]:
    """Digest by name."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return {name: digest for digest, name in (line.split() for line in lines)}


def add(file: Path, found: dict[str, str]) -> None:
    """Write the lock with the lines it did not have."""
    lines = {**found, **locked(file)}
    file.write_text("".join(f"{lines[name]}  {name}\n" for name in sorted(lines)), encoding="utf-8")


def main() -> None:
    """Everything that is missing."""
    catalogue = load_catalogue()
    for shipped in catalogue:
        file = REPO / "avro" / "items" / shipped.item.code / f"{shipped.item.version}.avsc"
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(schema_text(shipped.item), encoding="utf-8")
    files = [*REPO.glob("avro/*/*.avsc"), *REPO.glob("avro/items/*/*.avsc")]
    add(SCHEMAS, {str(f.relative_to(REPO)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files})
    add(DEFINITIONS, {name_of(shipped): digest_of(shipped) for shipped in catalogue})


if __name__ == "__main__":
    main()
