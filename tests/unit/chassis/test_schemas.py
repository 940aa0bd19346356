"""Schemas: local editions, ids cached for ever, and a registry that is away stops only what nobody has seen."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from services.chassis import wire
from services.chassis.errors import Transient, Unhandleable
from services.chassis.registry import RegistryRefused
from services.chassis.schemas import Schemas, local_editions
from tests.support.fake_registry import FakeRegistry

FIRST = {"type": "record", "name": "Thing", "fields": [{"name": "a", "type": "long"}]}
SECOND: dict[str, Any] = {
    **FIRST,
    "fields": [{"name": "a", "type": "long"}, {"name": "b", "type": ["null", "string"], "default": None}],
}
DEEP = '{"type":"array","items":' * 3000 + '"int"' + "}" * 3000


@pytest.fixture
async def registry() -> AsyncGenerator[FakeRegistry]:
    async with FakeRegistry() as started:
        yield started


@pytest.fixture
async def schemas(registry: FakeRegistry, tmp_path: Path) -> AsyncGenerator[Schemas]:
    for number, schema in ((1, FIRST), (2, SECOND)):
        path = tmp_path / "thing.v1" / f"{number}.avsc"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(schema))
    (tmp_path / "items").mkdir()
    (tmp_path / "items" / "made-from-data.avsc").write_text(json.dumps(FIRST))
    async with Schemas(registry.url, tmp_path) as opened:
        yield opened


async def test_registers_every_edition_and_writes_with_the_newest(schemas: Schemas, registry: FakeRegistry) -> None:
    await schemas.register_all()
    assert registry.level == "FULL_TRANSITIVE"
    assert registry.subjects == {"thing.v1-value": [1, 2]}
    assert schemas.schema_id("thing.v1") == 2
    assert schemas.decode(schemas.encode("thing.v1", {"a": 7, "b": "x"})) == (2, {"a": 7, "b": "x"})
    assert schemas.decode(wire.frame(1, b"\x0e")) == (1, {"a": 7})


async def test_another_subject_keeps_the_id(schemas: Schemas, registry: FakeRegistry) -> None:
    await schemas.register_all()
    await schemas.register("thing.v1", "thing.of-somebody.v1-value")
    assert registry.subjects["thing.of-somebody.v1-value"] == [1, 2]
    assert schemas.schema_id("thing.v1") == 2


@pytest.mark.parametrize("text", ['{"type": "object"}', 'syntax = "proto3";', "[" * 100_000, DEEP])
async def test_what_anybody_left_in_the_registry_ends_nothing(
    schemas: Schemas, registry: FakeRegistry, text: str
) -> None:
    await schemas.register_all()
    registry.ids[text] = 99
    await schemas.resolve([wire.frame(99, b"")])
    assert schemas.get(99) is None


async def test_a_field_too_many_is_a_bug(schemas: Schemas) -> None:
    await schemas.register_all()
    with pytest.raises(ValueError):
        schemas.encode("thing.v1", {"a": 1, "c": 2})


async def test_foreign_schemas_are_fetched_once(schemas: Schemas, registry: FakeRegistry) -> None:
    registry.ids[json.dumps(FIRST)] = 77
    value = wire.frame(77, b"\x0e")
    with pytest.raises(Unhandleable, match="SCHEMA_UNKNOWN"):
        schemas.decode(value)
    for _ in range(3):
        await schemas.resolve([value, None, b"", b"rubbish"])
    assert registry.asked == [77]
    assert schemas.decode(value) == (77, {"a": 7})


async def test_a_registry_that_is_away_delays_only_what_nobody_has_seen(
    schemas: Schemas, registry: FakeRegistry
) -> None:
    await schemas.register_all()
    registry.away = True
    await schemas.resolve([wire.frame(1, b"\x0e"), wire.frame(2, b"\x0e\x00")])
    assert schemas.decode(wire.frame(1, b"\x0e"))[1] == {"a": 7}
    with pytest.raises(Transient) as caught:
        await schemas.resolve([wire.frame(99, b"")])
    assert caught.value.args[0] == "registry"
    registry.away = False
    await schemas.resolve([wire.frame(99, b"")])
    assert schemas.get(99) is None


async def test_an_id_the_registry_does_not_know_is_not_asked_for_with_every_message(
    schemas: Schemas, registry: FakeRegistry
) -> None:
    for _ in range(10):
        await schemas.resolve([wire.frame(99, b"")])
    assert registry.asked == [99]


async def test_what_is_no_avro_schema_stays_unknown(schemas: Schemas, registry: FakeRegistry) -> None:
    registry.ids['{"type": "nonsense"}'] = 5
    await schemas.resolve([wire.frame(5, b"")])
    assert schemas.get(5) is None


async def test_an_incompatible_schema_is_not_waited_for(schemas: Schemas, registry: FakeRegistry) -> None:
    registry.refuse.add("thing.v1-value")
    with pytest.raises(RegistryRefused):
        await schemas.register_all()


async def test_no_registry_at_all_is_transient(tmp_path: Path) -> None:
    async with Schemas("http://127.0.0.1:9", tmp_path) as schemas:
        with pytest.raises(Transient):
            await schemas.register_all()


@pytest.mark.parametrize("body", [b"", b"\x80", b"\x0e\x04", b"\x0e\x02\x04a", b"\x0e\x02\x02\xff", b"\x0e\x00more"])
async def test_unreadable_bodies_are_unhandleable(schemas: Schemas, body: bytes) -> None:
    await schemas.register_all()
    with pytest.raises(Unhandleable) as caught:
        schemas.decode(wire.frame(2, body))
    assert caught.value.code == "AVRO_UNREADABLE"


def test_our_own_contracts_parse_and_their_examples_are_complete() -> None:
    folder = Path(__file__).parents[3] / "avro"
    assert {"credit.command.v1", "credit.outcome.v1"} <= local_editions(folder).keys()
