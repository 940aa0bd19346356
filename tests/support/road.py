"""What the tests of the whole road share: agencies that publish, tapes that listen, doors that answer.

Everything here is an outsider's: stock clients and serializers, a principal's own password, gRPC, HTTPS.
"""

from __future__ import annotations

import importlib
import json
import secrets
import ssl
import subprocess
import sys
import time
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import cache, partial
from hashlib import blake2b
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple, cast

import grpc
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from deploy.local import kafka_admin
from deploy.local.layout import REPO, Layout
from deploy.local.programs import STUBS, service_environment
from services.cli.outsider import stale
from services.kernel import organisation_code, registration_number, uscc
from tests.support.outside import Outside
from tests.support.stack import Stack, eventually

Record = dict[str, Any]

NAMES = {
    "420000-gsj": "演示省工商局",
    "420000-hbt": "演示省环保厅",
    "420000-fy": "演示省法院",
    "420000-gsui": "演示省国税局",
    "420100-xyb": "演示市信用办",
}
AGENCY_OF = {
    "enterprise-registration": "420000-gsj",
    "code-mapping": "420000-gsj",
    "org-permit": "420000-hbt",
    "org-penalty": "420000-hbt",
    "black-list-environment": "420000-hbt",
    "court-defaulter": "420000-fy",
    "red-list-tax-a": "420000-gsui",
    "credit-commitment": "420100-xyb",
}
PUBLIC = frozenset(AGENCY_OF) - {"code-mapping"}
NATIONAL = frozenset({"org-permit", "org-penalty", "code-mapping"})
FINAL = frozenset({"ACCEPTED", "DUPLICATE", "REFUSED"})
WELL = {"refuse_rate": 0, "busy_rate": 0, "fail_rate": 0, "lose_rate": 0, "garbage_rate": 0, "delay_ms": 0}
DAY = date(2017, 9, 28)
RUN = secrets.randbelow(31**3)  # topics and stores may have been used by another run before
numbers = count(1)


# --- organisations and what is reported of them ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Organisation:
    """A synthetic organisation; its codes are valid, its name says that it is invented."""

    uscc: str
    name: str

    @property
    def org_code(self) -> str:
        """The organisation code inside."""
        return uscc.organisation_part(self.uscc)

    @property
    def reg_no(self) -> str:
        """A registration number of its own: of the old kind, 15 digits."""
        digest = int.from_bytes(blake2b(self.uscc.encode(), digest_size=8).digest(), "big")
        body = f"420100{digest % 10**8:08d}"
        return body + registration_number.check_digit(body)


def _base31(number: int, width: int) -> str:
    digits = ""
    for _ in range(width):
        number, digit = divmod(number, 31)
        digits = uscc.ALPHABET[digit] + digits
    return digits


def _coded(head: str, body: str) -> str:
    """`head` (8 characters) and the body of an organisation code as a valid USCC."""
    return uscc.complete(head + body + organisation_code.check_character(body))


def organisation() -> Organisation:
    """One that no test has used before."""
    number = next(numbers)
    return Organisation(_coded("91420100", "M" + _base31(RUN, 3) + _base31(number, 4)), f"演示{RUN}之{number}有限公司")


OFFICE = _coded("11420000", "MB000000")


def _registration(org: Organisation) -> Record:
    return {"registered_on": DAY, "enterprise_type": "有限责任公司", "registered_address": "演示路1号"}


def _mapping(org: Organisation) -> Record:
    return {"uscc": org.uscc, "old_kind": "reg_no", "old_code": org.reg_no, "mapped_on": DAY}


def _permit(org: Organisation) -> Record:
    return {
        "XK_XDR_MC": org.name,
        "XK_XDR_LB": "法人及非法人组织",
        "XK_XDR_SHXYM": org.uscc,
        "XK_FRDB": "演示某",
        "XK_XKWS": "演示许可决定书",
        "XK_WSH": "演许〔2017〕1号",
        "XK_XKLB": "普通",
        "XK_NR": "演示内容",
        "XK_JDRQ": DAY,
        "XK_YXQZ": DAY,
        "XK_YXQZI": date(2099, 12, 31),
        "XK_XKJG": "演示机关",
        "XK_XKJGDM": OFFICE,
        "XK_ZT": "1",
        "XK_LYDW": "演示机关",
        "XK_LYDWDM": OFFICE,
    }


def _penalty(org: Organisation) -> Record:
    return {
        "CF_XDR_MC": org.name,
        "CF_XDR_LB": "法人及非法人组织",
        "CF_XDR_SHXYM": org.uscc,
        "CF_FRDB": "演示某",
        "CF_WSH": "演罚〔2017〕1号",
        "CF_WFXW": "演示行为",
        "CF_SY": "演示事实",
        "CF_YJ": "演示依据",
        "CF_CFLB": "罚款",
        "CF_NR": "罚款二千元",
        "CF_NR_FK": "0.2",
        "CF_JDRQ": DAY,
        "CF_YXQ": date(2018, 9, 28),
        "CF_CFJG": "演示机关",
        "CF_CFJGDM": OFFICE,
        "CF_SJLY": "演示机关",
        "CF_SJLYDM": OFFICE,
    }


def _black_list(org: Organisation) -> Record:
    return {
        "unit_name": org.name,
        "facts": "演示事实",
        "reason": "演示理由",
        "legal_ground": "演示依据",
        "document_no": "演认〔2017〕1号",
        "identified_by": "演示机关",
        "listed_on": DAY,
        "listed_until": date(2020, 9, 28),
        "exit_conditions": "演示条件",
    }


def _defaulter(org: Organisation) -> Record:
    return {
        "defaulter_name": org.name,
        "court": "演示法院",
        "province": "湖北",
        "case_no": "（2017）鄂演1号",
        "filed_on": DAY,
        "document_no": "（2017）鄂演民初1号",
        "document_by": "演示法院",
        "duty": "演示义务",
        "performance": "全部未履行",
        "conduct": "演示情形",
        "published_on": DAY,
    }


def _red_list(org: Organisation) -> Record:
    return {
        "taxpayer_name": org.name,
        "taxpayer_no": org.uscc,
        "assessment_year": 2016,
        "assessed_by": "演示税务机关",
        "assessed_on": DAY,
    }


def _commitment(org: Organisation) -> Record:
    return {
        "commitment_no": "42010020170928000001",
        "committer_name": org.name,
        "committer_kind": "法人及非法人组织",
        "commitment_kind": "主动型",
        "cause": "演示事由",
        "content": "演示内容",
        "liability": "演示责任",
        "committed_on": DAY,
        "performance": "全部履行",
        "accepted_by": "演示机关",
        "accepted_by_code": OFFICE,
        "publicity": "可向社会公开",
    }


PAYLOADS: Mapping[str, Callable[[Organisation], Record]] = {
    "enterprise-registration": _registration,
    "code-mapping": _mapping,
    "org-permit": _permit,
    "org-penalty": _penalty,
    "black-list-environment": _black_list,
    "court-defaulter": _defaulter,
    "red-list-tax-a": _red_list,
    "credit-commitment": _commitment,
}


def submission(item: str, org: Organisation, payload: Mapping[str, Any] | None = None, **envelope: Any) -> Record:
    """A valid report of an organisation under a record number of its own; `payload` and `envelope` replace fields."""
    number = next(numbers)
    return {
        "submission_id": f"s-{RUN}-{number}",
        "item": item,
        "agency": AGENCY_OF[item],
        "source_unit": "",
        "action": "report",
        "record_no": f"r-{RUN}-{number}",
        "subject_kind": "org",
        "subject_code_kind": "uscc",
        "subject_code": org.uscc,
        "subject_name": org.name,
        "decided_on": DAY,
        "produced_at": time.time_ns() // 1_000_000,
        "payload": {**PAYLOADS[item](org), **(payload or {})},
    } | envelope


def again(first: Record, action: str, **payload: Any) -> Record:
    """A further submission about the record of another one."""
    number = next(numbers)
    return first | {
        "submission_id": f"s-{RUN}-{number}",
        "action": action,
        "produced_at": max(time.time_ns() // 1_000_000, first["produced_at"]),
        "payload": first["payload"] | payload,
    }


# --- listening -----------------------------------------------------------------------------------------------------


class Told(NamedTuple):
    """One message as an outsider sees it, decoded."""

    topic: str
    partition: int
    offset: int
    key: bytes
    headers: dict[str, bytes]
    record: Record


class Tape:
    """What a principal has heard on some topics so far; repeats are dropped as every consumer drops them."""

    def __init__(self, outside: Outside, topics: Iterable[str]) -> None:
        wanted = {"group.id": f"{outside.user}.road", "enable.auto.commit": False, "fetch.wait.max.ms": 20}
        self._outside = outside
        self._consumer: Any = Consumer(outside.settings() | wanted)
        known: dict[str, Any] = self._consumer.list_topics(timeout=20).topics
        places: list[tuple[str, int]] = [(topic, number) for topic in topics for number in known[topic].partitions]
        self._next = dict.fromkeys(places, 0)
        self._heard: dict[tuple[str, int, bytes], int] = defaultdict(int)
        self._told: list[Told] = []
        self.repeats = 0
        self._consumer.assign([TopicPartition(*place, 0) for place in places])

    def wind(self) -> list[Told]:
        """Everything up to where the topics end now."""
        ends = {place: self._end(place) for place in self._next}
        behind: set[tuple[str, int]] = {place for place, end in ends.items() if self._next[place] < end}
        give_up = time.monotonic() + 60
        while behind:
            assert time.monotonic() < give_up, f"not at the end of {sorted(behind)} within 60 s"
            for message in self._consumer.consume(2000, 0.2):
                error = message.error()
                if error is not None:
                    assert error.code() < 0, error  # below zero: the library tells of a connection, nothing is lost
                    continue
                self._hear(message)
            behind = {place for place in behind if self._next[place] < ends[place]}
        return self._told

    def _end(self, place: tuple[str, int]) -> int:
        give_up = time.monotonic() + 20
        while True:
            try:
                return int(self._consumer.get_watermark_offsets(TopicPartition(*place), timeout=20)[1])
            except KafkaException as error:
                if not stale(error) or time.monotonic() > give_up:
                    raise
                time.sleep(0.2)

    def _hear(self, message: Any) -> None:
        place = str(message.topic()), int(message.partition())
        headers: dict[str, bytes] = dict(message.headers() or ())
        self._next[place] = message.offset() + 1
        if origin := headers.get("origin"):
            position = int(headers["position"])
            if position <= self._heard[*place, origin]:
                self.repeats += 1
                return
            self._heard[*place, origin] = position
        record = self._outside.decode(message.value())
        self._told.append(Told(*place, message.offset(), message.key() or b"", headers, record))

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()


# --- the road --------------------------------------------------------------------------------------------------------


def _always(subject: str, context: object, record_name: object) -> str:
    return subject


@dataclass
class Agency:
    """An agency's own door: stock producer and serializer, its own password."""

    code: str
    outside: Outside
    producer: Producer
    serializers: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def topic(self) -> str:
        """Where it submits."""
        return f"credit.submit.{self.code}.v1"

    def encode(self, record: Record, subject: str = "", topic: str = "") -> bytes:
        """The stock serializer with the newest schema of a registry subject; default: the item's."""
        subject = subject or f"cn.hubei.credit.item.{record['item']}"
        if subject not in self.serializers:
            conf: dict[str, Any] = {
                "auto.register.schemas": False,
                "use.latest.version": True,
                "subject.name.strategy": partial(_always, subject),
            }
            client = SchemaRegistryClient({"url": self.outside.registry})
            self.serializers[subject] = cast(Any, AvroSerializer)(client, conf=conf)
        value: bytes = self.serializers[subject](record, SerializationContext(topic or self.topic, MessageField.VALUE))
        return value

    def publish(self, *records: Record) -> None:
        """Queue submissions under their record number."""
        for record in records:
            self.publish_bytes(self.topic, record["record_no"].encode(), self.encode(record))

    def publish_bytes(self, topic: str, key: bytes, value: bytes) -> None:
        """Queue any bytes; waits while the queue is full."""
        while True:
            try:
                self.producer.produce(topic, value, key)
                return
            except BufferError:
                self.producer.poll(0.1)

    def flush(self) -> None:
        """Until the broker has acknowledged everything."""
        assert self.producer.flush(90) == 0

    def feed_back(self, task_id: str, **changes: Any) -> Record:
        """Answer a task on the agency's own feedback topic."""
        record = {
            "feedback_id": f"f-{RUN}-{next(numbers)}",
            "task_id": task_id,
            "agency": self.code,
            "outcome": "executed",
            "executed_on": DAY,
            "note": "",
            "produced_at": time.time_ns() // 1_000_000,
        } | changes
        topic = f"credit.feedback.{self.code}.v1"
        self.publish_bytes(topic, task_id.encode(), self.encode(record, "credit.feedback.v1-value", topic))
        self.flush()
        return record


@dataclass
class Road:
    """A running stack as the tests use it; agencies, tapes and channels are made once and kept."""

    stack: Stack
    agencies: dict[str, Agency] = field(default_factory=dict[str, Agency])
    tapes: dict[tuple[str, str], Tape] = field(default_factory=dict[tuple[str, str], Tape])
    channels: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def layout(self) -> Layout:
        """Where it lies."""
        return self.stack.layout

    def agency(self, code: str, *items: str) -> Agency:
        """An agency, onboarded on first use with these items; none: all it is named for but those about persons."""
        if code not in self.agencies:
            given = [word for item in items for word in ("--item", item)]
            self.stack.credit("agency", "add", code, "--name", NAMES.get(code, "演示单位"), *given)
            outside = self.stack.as_user(code)
            wanted = {"enable.idempotence": True, "linger.ms": 5, "compression.type": "zstd"}
            self.agencies[code] = Agency(code, outside, Producer(outside.settings() | wanted))
        return self.agencies[code]

    def send(self, *records: Record) -> None:
        """Each submission by its agency; returns when the broker has all."""
        for record in records:
            self.agency(record["agency"]).publish(record)
        for code in {record["agency"] for record in records}:
            self.agency(code).flush()

    def tape(self, topic: str, user: str = "operator") -> Tape:
        """What a principal hears on a topic, from the topic's beginning."""
        if (topic, user) not in self.tapes:
            self.tapes[topic, user] = Tape(self.stack.as_user(user), [topic])
        return self.tapes[topic, user]

    def told(self, topic: str, user: str = "operator") -> list[Told]:
        """Everything a principal can have heard on a topic by now."""
        return self.tape(topic, user).wind()

    def feed(self, name: str) -> list[Told]:
        """The `public` or `government` change feed, as a subscriber of both hears it."""
        return self.told(f"credit.disclosure.{name}-change.v1", self.subscriber("sub-road", "public", "government"))

    def subscriber(self, name: str, *feeds: str) -> str:
        """A downstream subscriber's principal; to make it again changes nothing."""
        _make_subscriber(self.layout, name, feeds)
        return name

    def receipts(self, agency: str, ids: Iterable[str]) -> dict[str, Told]:
        """The final receipts of these submissions, once every one has one; read by the agency itself."""
        wanted = frozenset(ids)
        topic = f"credit.receipts.{agency}.v1"

        def final() -> dict[str, Told] | None:
            heard = [t for t in self.told(topic, agency) if t.record["submission_id"] in wanted]
            found = {t.record["submission_id"]: t for t in heard if t.record["outcome"] in FINAL}
            return found if found.keys() >= wanted else None

        return eventually(final, f"{len(wanted)} final receipts of {agency}") if wanted else {}

    def submit(self, *records: Record) -> list[Record]:
        """Send, wait for the final receipts, return them in the order of the submissions."""
        self.send(*records)
        found: dict[str, Told] = {}
        for code in {record["agency"] for record in records}:
            found |= self.receipts(code, [r["submission_id"] for r in records if r["agency"] == code])
        return [found[record["submission_id"]].record for record in records]

    def accepted(self, *records: Record) -> list[str]:
        """Submit what must be accepted; the record ids in hex."""
        receipts = self.submit(*records)
        assert [r["outcome"] for r in receipts] == ["ACCEPTED"] * len(records), [r["faults"] for r in receipts]
        return [r["record_id"] for r in receipts]

    def changes(self, feed: str, record_id: str, how_many: int) -> list[Record]:
        """The first `how_many` changes of a record on a feed, once they are there."""

        def found() -> list[Record] | None:
            heard = [t.record for t in self.feed(feed) if t.record["record_id"].hex() == record_id]
            return heard if len(heard) >= how_many else None

        return eventually(found, f"{how_many} changes of {record_id} on the {feed} feed")

    def ask(self, service: str, method: str, request: Any) -> Any:
        """A gRPC call with a deadline."""
        if service not in self.channels:
            self.channels[service] = grpc.insecure_channel(self.layout.address(f"{service}.grpc"))
        module: Any = messages(service, "_grpc")
        name = "".join(part.capitalize() for part in service.split("_"))
        return getattr(getattr(module, f"{name}Stub")(self.channels[service]), method)(request, timeout=10)

    def national(self, path: str, body: Record | None = None) -> Record:
        """Ask or tell the national platform's simulator over HTTPS."""
        trusted = ssl.create_default_context(cafile=str(self.layout.var / "national" / "ca.pem"))
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"https://{self.layout.address('national')}{path}", data)
        with urllib.request.urlopen(request, context=trusted, timeout=10) as answer:
            return cast(Record, json.load(answer))

    def program(self, service: str, *words: str) -> subprocess.CompletedProcess[str]:
        """One of a service's own commands, to its end."""
        environment = self.stack.environment() | service_environment(self.layout, service)
        command = [sys.executable, "-m", f"services.{service}", *words]
        return subprocess.run(command, env=environment, cwd=REPO, capture_output=True, text=True, timeout=60)

    def close(self) -> None:
        """Leave the broker and the services."""
        for tape in self.tapes.values():
            tape.close()
        for channel in self.channels.values():
            channel.close()


@contextmanager
def beside(var: Path, port_base: str) -> Generator[Road]:
    """The road on a stack of one test's own, beside the one of the session."""
    found = Road(Stack(Layout.from_environment({"CREDIT_VAR": str(var), "CREDIT_PORT_BASE": port_base})))
    found.stack.credit("up", "--quiet")
    try:
        yield found
    finally:
        found.close()
        found.stack.credit("down")


@cache
def _make_subscriber(layout: Layout, name: str, feeds: tuple[str, ...]) -> None:
    try:
        kafka_admin.onboard_subscriber(name, feeds, layout)
    except KafkaException as error:
        raise AssertionError(f"{name} cannot be made: {error}") from error


def messages(service: str, suffix: str = "") -> Any:
    """The generated messages (or with `_grpc` the stubs) of a service."""
    if str(STUBS) not in sys.path:
        sys.path.append(str(STUBS))
    return importlib.import_module(f"credit.{service}.v1.{service}_pb2{suffix}")
