"""One seed: the parts, what is done to them, and what they are in the end."""

from __future__ import annotations

import asyncio
import contextvars
import random
import traceback
import zlib
from collections import defaultdict
from hashlib import blake2b
from typing import Any

from aiokafka import TopicPartition

from services.chassis.commands import COMMAND, command_topic
from tests.sim import merges, rest, verify
from tests.sim.broker import Broker, Entry
from tests.sim.checks import Watch
from tests.sim.departments import Departments
from tests.sim.owners import Owners
from tests.sim.platform import Platform
from tests.sim.poison import Poison
from tests.sim.process import SERVICES, Process
from tests.sim.shared import ITEMS, shared
from tests.sim.store.engine import Database, Row
from tests.sim.traffic import LATE, REPORTERS, Sent, Traffic
from tests.sim.troubles import Troubles
from tests.sim.virtual import START_MS, Owner, VirtualLoop
from tests.support.road import AGENCY_OF, NAMES

RAGE_S = 12.0
PATIENCE_S = 150.0
DEPARTMENTS = (*REPORTERS, LATE, "420000-gsui")
ONE_PARTITION = ("credit.ingestion.catalogue.v1", "credit.ingestion.agency.v1")
INTERNAL = (
    "credit.ingestion.record.v1",
    "credit.identity.record.v1",
    "credit.identity.link.v1",
    "credit.identity.subject.v1",
    "credit.disclosure.public-change.v1",
    "credit.disclosure.government-change.v1",
    "credit.national-sync.answer.v1",
    "credit.national-sync.exchange.v1",
)


class World:
    """Everything of one seed; `liveness`: heal in the end and wait until everything has converged."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.chance = random.Random(f"{seed}/faults")
        self.liveness = self.chance.random() < 0.75
        self.loop = VirtualLoop()
        self.outside = contextvars.copy_context()
        self.watch = Watch()
        self.troubles = Troubles(random.Random(f"{seed}/troubles"), self.outside)
        self.broker = Broker(self.loop, self.outside, random.Random(f"{seed}/broker"))
        self.broker.appended.append(self.watch.appended)
        self.databases = {name: Database(name, self.loop) for name in SERVICES}
        owners = Owners(self.broker, self.watch)
        for database in self.databases.values():
            database.committed += [self.watch.committed, owners.committed]
        self.platform = Platform(random.Random(f"{seed}/platform"), self.troubles)
        self.poison = Poison(random.Random(f"{seed}/poison"))
        self.processes = [
            Process(self, name, worker)
            for name in SERVICES
            for worker in range(1 if self.chance.random() < 0.65 else 2)
        ]
        self.departments = Departments(self, random.Random(f"{seed}/departments"))
        self.broker.appended.append(self.departments.appended)
        self.sent: dict[TopicPartition, list[Sent]] = defaultdict(list)
        self.journal: list[str] = []
        self.batch_bytes = self.chance.choice((700, 2000, 100_000))  # small, so that there are several for a partition
        self._prepare()

    def log(self, text: str) -> None:
        """What the world did, for whoever replays the seed."""
        self.journal.append(f"{self.loop.time():9.3f} {text}")

    # --- before ------------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        partitions = self.chance.choice((1, 2, 3))
        for topic in INTERNAL:
            self.broker.create(topic, partitions)
        for topic in ONE_PARTITION:
            self.broker.create(topic, 1)
        for service in SERVICES:
            self.broker.create(command_topic(service), partitions)
            self.broker.create(command_topic(service).replace("command", "outcome"), partitions)
        for agency in DEPARTMENTS:
            for name in ("submit", "receipts", "sanctions.task", "feedback"):
                self.broker.create(f"credit.{name}.{agency}.v1", 2)
        self._reference()

    def _reference(self) -> None:
        """The catalogue is in force and the agencies are registered before the seed begins."""
        tables, encode = self.databases["ingestion"].tables, shared().schemas.encode
        tables["reference_revision"][()] = Row(number=1)
        for code in ITEMS:
            item = shared().catalogue[code]
            row = {"code": code, "version": item.version, "definition": item.definition, "schema_id": item.schema_id}
            tables["catalogue"][code, item.version] = Row(row)
            topic = "credit.ingestion.catalogue.v1"
            late = self.chance.choice((0.0, 0.0, 3.0, 8.0))
            self.at(late, self.publish, topic, code.encode(), encode(topic, {**row, "published_at": START_MS}))
        for code in REPORTERS:
            items = [item for item in ITEMS if AGENCY_OF[item] == code]
            row = {"code": code, "name_zh": NAMES[code], "region": code[:6], "items": items}
            profile: dict[str, Any] = {"kind": "", "parent": "", "expected_since": None, "roles": []}
            tables["agencies"][code] = Row({**row, "commands": [], **profile})
            topic = "credit.ingestion.agency.v1"
            self.at(0.0, self.publish, topic, code.encode(), encode(topic, {**row, "registered_at": START_MS}))

    # --- what happens ------------------------------------------------------------------------------------------

    def at(self, moment: float, do: Any, *arguments: Any) -> None:
        """Do something at a virtual second, from outside."""
        self.loop.call_at(moment, do, *arguments, context=self.outside)

    def publish(self, topic: str, key: bytes, value: bytes) -> TopicPartition:
        """As an outsider's client does, once it has succeeded."""
        place = TopicPartition(topic, zlib.crc32(key) % len(self.broker.topics[topic]))
        self.broker.append(place, [Entry(key, value, (), self.loop.now_ms())])
        return place

    def command(self, service: str, kind: str, key: bytes, command_id: str, arguments: str) -> None:
        """An operator's command."""
        record = {"command_id": command_id, "type": kind, "issued_by": "operator"}
        value = shared().schemas.encode(COMMAND, {**record, "issued_at": START_MS, "arguments": arguments})
        self.publish(command_topic(service), key, value)

    def submit(self, sent: Sent) -> None:
        """An agency's client; the model is told in the order of the partition."""
        self.sent[self.publish(sent.topic, sent.record_no.encode(), sent.value)].append(sent)

    def forget(self, service: str, owner: Owner) -> None:
        """The server rolls back what this run of a process has open, unless its commit is on the way."""
        for tx in list(self.databases[service].open):
            if tx.owner is owner and not tx.committing:
                tx.abort()

    def died_of(self, process: Process, error: BaseException) -> None:
        """A process ended by itself: only a poisoned message may do that."""
        self.log(f"{process.name} died of {error!r}")
        if not (self.poison.crashes and process.service == self.poison.service):
            where = traceback.extract_tb(error.__traceback__)[-1]
            self.watch.object(f"{process.name} died of a bug: {error!r} at {where.filename}:{where.lineno}")

    # --- the run -----------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """All of it; the first violation is in `watch`."""
        from tests.sim.faults import Faults

        for process in self.processes:
            process.start()
        for sent in Traffic(random.Random(f"{self.seed}/traffic"), RAGE_S).all():
            self.at(0.5 + sent.at, self.submit, sent)
        merges.plan(self, RAGE_S)
        faults = Faults(self)
        faults.plan(RAGE_S)
        await asyncio.sleep(RAGE_S + 1.0)
        if self.liveness and self.watch.violation is None:
            faults.heal()
            await self._converge()
        if self.watch.violation is None:
            verify.judge(self)
        self.troubles.raging = False

    async def _converge(self) -> None:
        ends = self.loop.time() + PATIENCE_S
        while (left := rest.unfinished(self)) and self.watch.violation is None:
            if self.loop.time() > ends:
                self.watch.object(f"I10 not at rest {PATIENCE_S:.0f} s after everything was healed: {left}")
                return
            await asyncio.sleep(1.0)
            rest.release_parked(self)

    def digest(self) -> str:
        """A hash over every topic and every store."""
        state = blake2b(digest_size=16)
        for topic in sorted(self.broker.topics):
            for log in self.broker.topics[topic]:
                state.update(repr((topic, [entry and tuple(entry) for entry in log])).encode())
        for name, database in self.databases.items():
            for table in sorted(database.tables):
                rows = sorted((repr(key), repr(dict(row.items()))) for key, row in database.tables[table].items())
                state.update(repr((name, table, rows)).encode())
        return state.hexdigest()
