"""`python -m services.ingestion catalogue`: the shipped catalogue is put in force through the same door as any other.

Registers the schema of every item at the registry, sends one `publish_item` command each, one `register_consumer` for
each service that reads fields by name, and waits for the outcomes. To run it again is harmless: an edition that stands
is answered DONE, and an item that was retired stays so. It needs a running ingestion.
`python -m services.ingestion item FILE` says what an item file is, as JSON: whole, with its schema; it changes nothing.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from services.chassis import clock, commands, kafka, logs, signing
from services.chassis.authority import register_file
from services.chassis.errors import Transient
from services.chassis.message import Outgoing
from services.chassis.publishing import Publisher
from services.chassis.rebuilding import snapshot
from services.chassis.schemas import Schemas
from services.chassis.settings import Reader, Settings, SettingsFault, secret
from services.ingestion import queries
from services.ingestion.config import (
    Shipped,
    load_agencies,
    load_blocks,
    load_catalogue,
    load_item,
    load_readers,
)
from services.ingestion.contracts.errors import error_list
from services.ingestion.contracts.reference import SERVICE
from services.ingestion.domain.item_schema import schema_text, subject

DEADLINE_S = 60.0
DOCUMENT = "鄂信用文〔2017〕1号"  # its item 6 orders the catalogue; the document of publication itself was not found
HARMLESS = "ITEM_RETIRED"  # an operator's word stands against a newer release


Readers = Mapping[str, Mapping[str, list[str]]]  # item -> reader -> fields


def say_errors() -> None:
    """`python -m services.ingestion errors`: the published list of faults, one JSON object a line."""
    _say(error_list())


def say_agencies() -> None:
    """`python -m services.ingestion agencies`: the register of 2017 that is shipped, one JSON object a line."""
    _say(agency._asdict() for agency in load_agencies())


def say_registered() -> None:
    """`python -m services.ingestion registered`: who is registered, with roles; it needs the database alone."""
    settings = Settings.from_environment()
    logs.configure(settings)
    try:
        asyncio.run(_say_registered(settings))
    except Transient as trouble:
        raise SystemExit(f"ingestion registered: {trouble.args[0]} is away; start it and try again") from None


async def _say_registered(settings: Settings) -> None:
    async with snapshot(settings) as tx:
        _say(await queries.registered(tx))


def _say(lines: Iterable[Mapping[str, Any]]) -> None:
    sys.stdout.writelines(json.dumps(line, ensure_ascii=False, default=str) + "\n" for line in lines)


def publish_catalogue() -> None:
    """Ends with exit code 1 and a line per fault if anything was refused or went unanswered."""
    settings = Settings.from_environment()
    logs.configure(settings)
    try:
        faults = asyncio.run(_publish(settings, load_catalogue(), load_readers()))
    except Transient as trouble:
        raise SystemExit(f"ingestion catalogue: {trouble.args[0]} is away; start the stack and try again") from None
    if faults:
        raise SystemExit("\n".join(faults))


def say_item() -> None:
    """Definition, schema and registry subject of the item file named last, or the faults of the file."""
    sys.stdout.write(json.dumps(_told(Path(sys.argv[-1])), ensure_ascii=False) + "\n")


def _told(file: Path) -> dict[str, Any]:
    try:
        shipped = load_item(file, load_blocks())
    except SettingsFault as fault:
        return {"faults": str(fault).splitlines()}
    item = shipped.item
    return {"definition": shipped.definition, "schema": schema_text(item), "subject": subject(item.code)}


async def _publish(settings: Settings, catalogue: Iterable[Shipped], readers: Readers) -> list[str]:
    async with AsyncExitStack() as stack:
        schemas = await stack.enter_async_context(Schemas(settings.registry))
        await schemas.register_all()
        editions = [await _edition(schemas, settings, shipped) for shipped in catalogue]
        asked = {c["command_id"]: c for c in [*editions, *_consumers(settings, readers)]}
        answers = _consumer(settings)
        publisher = Publisher(SERVICE, kafka.producer_settings(settings, "catalogue"), clock.now_ms)
        stack.push_async_callback(publisher.stop)
        stack.push_async_callback(answers.stop)
        await _listen(answers)
        seed = _seed(settings)
        await publisher.send([_message(schemas, command, seed) for command in asked.values()])
        return await _outcomes(schemas, answers, asked)


def _consumer(settings: Settings) -> Any:  # aiokafka's types are partly unknown
    return AIOKafkaConsumer(commands.outcome_topic(SERVICE), auto_offset_reset="latest", **kafka.connection(settings))


async def _edition(schemas: Schemas, settings: Settings, shipped: Shipped) -> dict[str, Any]:
    item = shipped.item
    schema_id = await schemas.register_text(subject(item.code), schema_text(item))
    arguments = {"definition": shipped.definition, "schema_id": schema_id, "document_number": DOCUMENT}
    return _command(settings, f"publish-{item.code}-{item.version}", "publish_item", arguments)


def _consumers(settings: Settings, readers: Readers) -> Iterator[dict[str, Any]]:
    for item, by_reader in readers.items():
        for reader, fields in by_reader.items():
            arguments = {"code": item, "consumer": reader, "fields": fields}
            yield _command(settings, f"reader-{item}-{reader}", "register_consumer", arguments)


def _command(settings: Settings, name: str, kind: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return {
        "command_id": f"{name}-{clock.now_ms()}",
        "kind": kind,
        "issued_by": settings.kafka_user,
        "issued_at": clock.now_ms(),
        "arguments": json.dumps(arguments, ensure_ascii=False),
    }


def _seed(settings: Settings) -> str | None:
    """The private key that this service signs with; where no register is named, nobody asks for a signature."""
    if register_file(settings.environment) is None:
        return None
    name = f"{settings.kafka_user}.signing"
    reader = Reader({name: str(settings.secrets / name)})
    seed: str = reader.read(name, secret)
    reader.finish()
    return seed


def _message(schemas: Schemas, command: dict[str, Any], seed: str | None) -> Outgoing:
    """Keyed by the item, so that its readers are registered after its edition."""
    arguments = json.loads(command["arguments"])
    code = arguments["code"] if "code" in arguments else arguments["definition"]["code"]
    topic, key, value = commands.command_topic(SERVICE), code.encode(), commands.written(schemas, **command)
    signed = () if seed is None else ((signing.HEADER, signing.sign(seed, topic, key, value)),)
    return Outgoing(topic, key, value, None, (("correlation_id", command["command_id"].encode()), *signed))


async def _listen(answers: Any) -> None:
    """Stand at the end of every partition before the first command is sent."""
    try:
        await answers.start()
        for partition in answers.assignment():
            await answers.seek_to_end(partition)
            await answers.position(partition)
    except (KafkaError, OSError) as error:
        raise Transient("broker", type(error).__name__) from error


async def _outcomes(schemas: Schemas, answers: Any, asked: dict[str, Any]) -> list[str]:
    waiting, faults = set(asked), list[str]()
    ends = asyncio.get_running_loop().time() + DEADLINE_S
    while waiting and asyncio.get_running_loop().time() < ends:
        records: dict[Any, list[Any]] = await answers.getmany(timeout_ms=500)
        values: list[bytes] = [message.value for rows in records.values() for message in rows]
        await schemas.resolve(values)
        for _, outcome in map(schemas.decode, values):
            if outcome["command_id"] in waiting:
                waiting.discard(outcome["command_id"])
                wrong = [f for f in outcome["faults"] if f["code"] != HARMLESS]
                faults += [f"{outcome['command_id']}: {f['field']}: {f['message_en']}" for f in wrong]
                sys.stdout.write(f"{outcome['outcome']} {outcome['command_id']}\n")
    return faults + [f"{command_id}: no answer within {DEADLINE_S:.0f} s" for command_id in sorted(waiting)]
