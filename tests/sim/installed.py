"""Puts the simulated parts where production code looks for the real ones, for as long as a run lasts."""

from __future__ import annotations

import functools
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from services.chassis import claiming, clock, committing, kafka, logs, loop, publishing, schemas
from services.disclosure.contracts import records, showing
from services.ingestion.contracts import register
from services.national_sync import main as national_sync
from tests.sim.platform import Client
from tests.sim.producer import Producer
from tests.sim.virtual import OWNER

# Pure functions of their arguments, dear enough to be remembered from one process to the next.
_parse: Any = functools.cache(schemas._parse)  # pyright: ignore[reportPrivateUsage]
_parse_foreign: Any = functools.cache(schemas._parse_foreign)  # pyright: ignore[reportPrivateUsage]
_make_edition: Any = functools.cache(register.make_edition)
_showers: dict[Any, Any] = {}


def _compile_shower(schema: Any, edition: Any, person: bool) -> Any:
    """Schemas are parsed once (above), so that one is known by its identity; it is kept with what was made of it."""
    key = id(schema), edition, person
    if key not in _showers:
        _showers[key] = schema, showing.compile_shower(schema, edition, person)
    return _showers[key][1]


def _producer(world: Any, **_: Any) -> Producer:
    return Producer(world.broker, world.troubles)


def _client(world: Any, _: Any) -> Client:
    return Client(world.platform)


def _crashpoint(name: str) -> None:
    owner: Any = OWNER.get()
    if owner is not None:
        owner.process.passes(name)


def _silent(level: str, event: str, fields: dict[str, object]) -> None:
    """The services' own logs: a seed may restart a process a dozen times."""


@contextmanager
def installed(world: Any) -> Generator[None]:
    """For one seed; only modules are touched, never a function of the services."""
    parts: list[tuple[Any, str, Any]] = [
        (publishing, "AIOKafkaProducer", functools.partial(_producer, world)),
        (publishing, "crashpoint", _crashpoint),
        (loop, "crashpoint", _crashpoint),
        (claiming, "crashpoint", _crashpoint),
        (committing, "crashpoint", _crashpoint),
        (clock, "now_ms", world.loop.now_ms),
        (kafka, "BATCH_BYTES", world.batch_bytes),
        (national_sync, "PlatformClient", functools.partial(_client, world)),
        (schemas, "_parse", _parse),
        (schemas, "_parse_foreign", _parse_foreign),
        (register, "make_edition", _make_edition),
        (records, "compile_shower", _compile_shower),
        (logs, "_write", _silent),
    ]
    before = [(module, name, getattr(module, name)) for module, name, _ in parts]
    for module, name, part in parts:
        setattr(module, name, part)
    try:
        yield
    finally:
        for module, name, part in before:
            setattr(module, name, part)
