"""An item that is published while everything runs is taken by the register that reads anew: no restart."""

from __future__ import annotations

import io
import json
from typing import Any

import fastavro

from services.chassis.wire import frame
from services.ingestion.contracts.reference import CommandReader, ReferenceSpeaker
from services.ingestion.contracts.register import Register
from services.ingestion.contracts.submissions import SubmissionReader
from services.ingestion.domain.definition import parse
from services.ingestion.domain.item_schema import schema_of
from services.ingestion.handlers.reference import Agencies, Items
from services.ingestion.main import refresher
from services.ingestion.store import reference
from tests.contract.sim.store import fakes
from tests.contract.sim.store.case import Case, Store, begin
from tests.support import driver
from tests.support.local_schemas import LocalSchemas
from tests.unit.ingestion import samples
from tests.unit.ingestion.test_commands import command

CODEC = LocalSchemas()
READER, SPEAKER = CommandReader(CODEC), ReferenceSpeaker(CODEC)
AGENCY, SCHEMA_ID = "420000-slt", 900


def definition() -> dict[str, Any]:
    """As a file of it would be expanded: an inspection of another domain, with a document of its own."""
    whole = json.loads(json.dumps(dict(samples.SHIPPED["org-inspection"].definition)))
    return whole | {"code": "water-inspection", "agencies": [AGENCY], "responsible": {"province": [AGENCY]}}


def submission() -> bytes:
    item, _ = parse(definition())
    assert item is not None
    record = samples.record("org-inspection", item="water-inspection", agency=AGENCY)
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema_of(item)), record)
    return frame(SCHEMA_ID, out.getvalue())


async def asked(store: Store, aggregate: Any, given: Any) -> list[Any]:
    """What the loop does with one command: load, decide, evolve, save in one transaction."""
    async with begin(store.pool) as tx:
        states = await aggregate.load(tx, [given])
        before = dict(states)
        (events,) = driver.run(aggregate, [given], states)
        await aggregate.save(tx, before, states, [(aggregate.key(given), event) for event in events])
    return [CODEC.decode(m.value)[1] for event in events for m in aggregate.announce(event, given)]


async def added(store: Store) -> None:
    known = Register()
    reader, refresh = SubmissionReader(known, 600_000), refresher(known)
    message = samples.message(submission(), AGENCY)

    async def answer() -> list[str]:
        async with begin(store.pool) as tx:
            await refresh(tx)
        return [fault.code for fault in reader.read(message, samples.NOW).faults]

    assert await answer() == ["SCHEMA_UNKNOWN"]
    wish = {"definition": definition(), "schema_id": SCHEMA_ID, "document_number": "演示发〔2017〕1号"}
    told = await asked(store, Items(SPEAKER), READER.about_item(command("c1", "publish_item", wish), samples.NOW))
    assert [record.get("outcome") for record in told] == [None, "DONE"]
    assert await answer() == ["AGENCY_UNKNOWN"]
    agency = {"code": AGENCY, "name_zh": "演示省水利厅", "items": ["water-inspection"]}
    await asked(store, Agencies(SPEAKER), READER.register_agency(command("c2", "register_agency", agency), samples.NOW))
    assert await answer() == []
    retire = {"code": "water-inspection", "reason": "并入他项", "document_number": "演示发〔2018〕1号"}
    await asked(store, Items(SPEAKER), READER.about_item(command("c3", "retire_item", retire), samples.NOW))
    assert await answer() == ["ITEM_RETIRED"]
    async with begin(store.pool) as tx:
        (found,) = (await reference.load_items(tx, ["water-inspection"])).values()
    assert found.life.retired is not None


def test_an_item_is_added_and_takes_its_first_record_without_a_restart() -> None:
    fakes.run(Case("ingestion", "added", added))
