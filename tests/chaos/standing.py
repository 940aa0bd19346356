"""What the stores have of some records and persons, row by row: what must not have changed is compared with itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tests.chaos.reading import Doors, ask

Rows = Mapping[str, list[str]]
OF_RECORDS = {"records": "ingestion", "record_links": "identity", "disclosed_records": "disclosure"}


def rows(doors: Doors, service: str, table: str, column: str, ids: Iterable[str]) -> list[str]:
    """The whole rows of these ids (in hex) as PostgreSQL writes them."""
    question = f"SELECT {table}::text FROM {table} WHERE {column} IN ({_listed(ids)}) ORDER BY 1"
    return [row[0] for row in ask(doors, [(service, question)])[0]]


def of(doors: Doors, records: Iterable[str], subjects: Iterable[str]) -> Rows:
    """These records in every store, and the keys of these persons."""
    ids = list(records)
    found = {table: rows(doors, service, table, "record_id", ids) for table, service in OF_RECORDS.items()}
    return found | {"person_keys": rows(doors, "identity", "person_keys", "subject_id", subjects)}


def tombstone(doors: Doors, subject_id: str) -> Rows:
    """What identity keeps of who was erased."""
    tables = ("erasures", "person_keys")
    return {table: rows(doors, "identity", table, "subject_id", [subject_id]) for table in tables}


def has_key(doors: Doors, subject_id: str) -> bool:
    """Whether anything sealed for this person could still be opened."""
    question = f"SELECT wrapped FROM person_keys WHERE subject_id IN ({_listed([subject_id])})"
    return any(row["wrapped"] is not None for row in ask(doors, [("identity", question)])[0])


def subjects(doors: Doors, records: Iterable[str]) -> dict[str, str]:
    """Record id -> subject id, in hex, as identity has linked them."""
    question = f"SELECT record_id, subject_id FROM record_links WHERE record_id IN ({_listed(records)})"
    return {row["record_id"].hex(): row["subject_id"].hex() for row in ask(doors, [("identity", question)])[0]}


def differing(before: Rows, after: Rows) -> list[str]:
    """The tables that are not as they were."""
    return [table for table in before if before[table] != after[table]]


def _listed(ids: Iterable[str]) -> str:
    return ", ".join(f"'\\x{each}'::bytea" for each in ids)
