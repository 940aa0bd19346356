"""An edition of a catalogue item made ready for work: schema, validators, the constant part of its events."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import fastavro

from services.chassis.wire import avro_bytes, zigzag
from services.ingestion.contracts.fast_path import FastPath, compile_fast_path
from services.ingestion.contracts.program import compile_program
from services.ingestion.domain.definition import Item, parse
from services.ingestion.domain.faults import Fault
from services.ingestion.domain.item_schema import plain, schema_of
from services.ingestion.domain.validators import Values, compile_validator


@dataclass(frozen=True, slots=True)
class Edition:
    """What reading a submission needs to know of its item."""

    item: Item
    schema_id: int
    schema: Any
    validate: Callable[[Values], list[Fault]]
    certainly_valid: FastPath
    program: bytes | None  # the same rules for the native reader
    facts: bytes  # item, item_version, item_class, disclosure of RecordAccepted, as Avro writes them


class DefinitionBroken(Exception):
    """A published definition that this code cannot read: a bug or a foreign hand in the store, never input."""


def make_edition(definition: str, schema_id: int) -> Edition:
    """Compile a published definition."""
    item, faults = parse(json.loads(definition))
    if item is None:
        raise DefinitionBroken([fault.message_en for fault in faults])
    schema = fastavro.parse_schema(plain(schema_of(item)))
    return Edition(
        item, schema_id, schema, compile_validator(item), compile_fast_path(item), compile_program(item), facts_of(item)
    )


def facts_of(item: Item) -> bytes:
    """The bytes that are the same in every RecordAccepted of this edition."""
    return (
        avro_bytes(item.code.encode())
        + zigzag(item.version)
        + avro_bytes(item.item_class.encode())
        + avro_bytes(item.disclosure.encode())
    )
