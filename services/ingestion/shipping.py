"""`python -m services.ingestion catalogue`: the shipped catalogue is put in force through the same door as any other.

Registers the schema of every item at the registry, sends one `publish_item` command each and waits for the outcomes.
To run it again is harmless: an edition that stands is answered DONE. It needs a running ingestion.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from services.chassis import clock, commands, kafka, logs
from services.chassis.errors import Transient
from services.chassis.message import Outgoing
from services.chassis.publishing import Publisher
from services.chassis.rebuilding import snapshot
from services.chassis.schemas import Schemas
from services.chassis.settings import Settings
from services.ingestion import queries
from services.ingestion.config import Shipped, load_agencies, load_catalogue
from services.ingestion.contracts.errors import error_list
from services.ingestion.contracts.reference import SERVICE
from services.ingestion.domain.catalogue_item import canonical
from services.ingestion.domain.item_schema import schema_text, subject

DEADLINE_S = 60.0


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
        faults = asyncio.run(_publish(settings, load_catalogue()))
    except Transient as trouble:
        raise SystemExit(f"ingestion catalogue: {trouble.args[0]} is away; start the stack and try again") from None
    if faults:
        raise SystemExit("\n".join(faults))


async def _publish(settings: Settings, catalogue: Iterable[Shipped]) -> list[str]:
    async with AsyncExitStack() as stack:
        schemas = await stack.enter_async_context(Schemas(settings.registry))
        await schemas.register_all()
        asked = {c["command_id"]: c for c in [await _command(schemas, settings, shipped) for shipped in catalogue]}
        answers = _consumer(settings)
        publisher = Publisher(SERVICE, kafka.producer_settings(settings, "catalogue"), clock.now_ms)
        stack.push_async_callback(publisher.stop)
        stack.push_async_callback(answers.stop)
        await _listen(answers)
        await publisher.send([_message(schemas, command) for command in asked.values()])
        return await _outcomes(schemas, answers, asked)


def _consumer(settings: Settings) -> Any:  # aiokafka's types are partly unknown
    return AIOKafkaConsumer(commands.outcome_topic(SERVICE), auto_offset_reset="latest", **kafka.connection(settings))


async def _command(schemas: Schemas, settings: Settings, shipped: Shipped) -> dict[str, Any]:
    item = shipped.item
    schema_id = await schemas.register_text(subject(item.code), schema_text(item))
    arguments = {"definition": json.loads(canonical(shipped.definition)), "schema_id": schema_id}
    return {
        "command_id": f"publish-{item.code}-{item.version}-{clock.now_ms()}",
        "kind": "publish_item",
        "issued_by": settings.kafka_user,
        "issued_at": clock.now_ms(),
        "arguments": json.dumps(arguments, ensure_ascii=False),
    }


def _message(schemas: Schemas, command: dict[str, Any]) -> Outgoing:
    code = json.loads(command["arguments"])["definition"]["code"]
    headers = (("correlation_id", command["command_id"].encode()),)
    return Outgoing(commands.command_topic(SERVICE), code.encode(), commands.written(schemas, **command), None, headers)


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
                faults += [f"{outcome['command_id']}: {f['field']}: {f['message_en']}" for f in outcome["faults"]]
                sys.stdout.write(f"{outcome['outcome']} {outcome['command_id']}\n")
    return faults + [f"{command_id}: no answer within {DEADLINE_S:.0f} s" for command_id in sorted(waiting)]
