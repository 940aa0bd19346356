"""Stock clients of other makers read and write the bus; who may not, cannot."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import confluent_kafka
import pytest
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from deploy.local import passwords
from deploy.local.layout import SERVICES
from tests.support.road import Record, Road, Told, organisation, submission
from tests.support.stack import eventually

HBT = "420000-hbt"
DENIED = KafkaError.TOPIC_AUTHORIZATION_FAILED


@pytest.fixture(scope="module")
def reported(road: Road) -> str:
    """The id of a penalty that has gone all the way."""
    (record_id,) = road.accepted(submission("org-penalty", organisation()))
    road.changes("government", record_id, 1)
    road.changes("public", record_id, 1)
    return record_id


# --- kcat ------------------------------------------------------------------------------------------------------------


def kcat(road: Road, user: str, topic: str) -> Iterator[tuple[bytes, dict[bytes, bytes], bytes]]:
    """Key, headers and framed value of every message, as kcat reads them.

    librdkafka before 2.6.1 repeats its nonce in SCRAM's last message, which Kafka 4 refuses as "invalid credentials"
    (confluentinc/librdkafka#4895), and Debian's kcat comes with 2.0.2: it is given the library of the Python wheel.
    That build is without Avro too (`-s value=avro` is unknown to it), so the frame is opened here.
    """
    outside = road.stack.as_user(user)
    options = [f"-X{name}={value}" for name, value in outside.settings().items() if name != "bootstrap.servers"]
    done = subprocess.run(
        ["kcat", "-b", outside.kafka, *options, "-C", "-q", "-e", "-t", topic, "-f", "%K %S %h\\n%k%s"],
        env=os.environ | {"LD_PRELOAD": str(newer_library())},
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    data = done.stdout
    while data:
        line, data = data.split(b"\n", 1)
        key_size, value_size, headers = line.split(b" ", 2)
        at, end = int(key_size), int(key_size) + int(value_size)
        yield data[:at], dict(pair.split(b"=", 1) for pair in headers.split(b",")), data[at:end]
        data = data[end:]


def newer_library() -> Path:
    """librdkafka as the wheel of confluent-kafka brings it."""
    folder = Path(confluent_kafka.__file__).parent.with_name("confluent_kafka.libs")
    return next(folder.glob("librdkafka-*.so*"))


def test_kcat_reads_an_agencys_receipts(road: Road, reported: str) -> None:
    outside = road.stack.as_user(HBT)
    found = [
        (key, headers, receipt)
        for key, headers, value in kcat(road, HBT, f"credit.receipts.{HBT}.v1")
        if (receipt := outside.decode(value))["record_id"] == reported
    ]
    ((key, headers, receipt),) = found
    assert (receipt["outcome"], receipt["item"]) == ("ACCEPTED", "org-penalty")
    assert key == receipt["record_no"].encode()
    assert headers[b"ce_subject"] == receipt["submission_id"].encode()


def test_kcat_reads_a_change_feed(road: Road, reported: str) -> None:
    user = road.subscriber("sub-road", "public", "government")
    outside = road.stack.as_user(user)
    messages = list(kcat(road, user, "credit.disclosure.public-change.v1"))
    found = [
        (key, change) for key, _, value in messages if (change := outside.decode(value))["record_id"].hex() == reported
    ]
    ((key, change),) = found
    assert key == change["subject_id"]
    assert (change["change"], change["item"], change["subject_seq"]) == ("ADDED", "org-penalty", 1)


# --- confluent-kafka -------------------------------------------------------------------------------------------------


TOPICS = {
    f"credit.receipts.{HBT}.v1": HBT,
    "credit.ingestion.record.v1": "operator",
    "credit.identity.record.v1": "operator",
    "credit.identity.subject.v1": "operator",
    "credit.disclosure.public-change.v1": "sub-road",
    "credit.disclosure.government-change.v1": "sub-road",
    "credit.national-sync.exchange.v1": "operator",
}


@pytest.mark.parametrize("topic", TOPICS)
def test_the_stock_deserializer_reads_what_the_services_say(road: Road, reported: str, topic: str) -> None:
    road.subscriber("sub-road", "public", "government")
    told = road.told(topic, TOPICS[topic])
    newest = told[-1]
    assert stock(road, newest, TOPICS[topic]) == newest.record


def stock(road: Road, told: Told, user: str) -> Record:
    """The same message read by Confluent's consumer and deserializer."""
    outside = road.stack.as_user(user)
    consumer = Consumer(outside.settings() | {"group.id": f"{user}.stock", "enable.auto.commit": False})
    try:
        consumer.assign([TopicPartition(told.topic, told.partition, told.offset)])
        message = consumer.poll(20)
    finally:
        consumer.close()
    assert message is not None
    assert message.error() is None, message.error()
    client = SchemaRegistryClient({"url": outside.registry})
    read: Any = AvroDeserializer(client)(message.value(), SerializationContext(told.topic, MessageField.VALUE))
    return read


def test_the_stock_serializer_writes_what_ingestion_accepts(road: Road) -> None:
    record = submission("org-permit", organisation())
    value = road.agency(HBT).encode(record)
    assert value[0] == 0
    assert road.agency(HBT).outside.decode(value)["record_no"] == record["record_no"]
    road.accepted(record)


# --- who may not -----------------------------------------------------------------------------------------------------


def refusal_to_read(road: Road, user: str, topic: str) -> int:
    """The error code a principal gets when it subscribes to a topic; 0: it was given a message."""
    wanted = {"group.id": f"{user}.curious", "enable.auto.commit": False, "auto.offset.reset": "earliest"}
    consumer = Consumer(road.stack.as_user(user).settings() | wanted)
    try:
        consumer.subscribe([topic])
        message = consumer.poll(20)
        assert message is not None, "neither a message nor a refusal"
        return message.error().code() if message.error() else 0
    finally:
        consumer.close()


def refusal_to_see(road: Road, user: str, topic: str) -> int:
    """The error code a principal gets when it asks for a topic's partitions, which whoever may read may do."""
    consumer = Consumer(road.stack.as_user(user).settings() | {"group.id": "unused"})
    try:
        error = consumer.list_topics(topic, timeout=20).topics[topic].error
        return error.code() if error else 0
    finally:
        consumer.close()


def refusal_to_write(road: Road, user: str, topic: str) -> int:
    """The error code a principal gets when it writes to a topic."""
    codes: list[int] = []
    producer = Producer(road.stack.as_user(user).settings() | {"message.timeout.ms": 20_000})
    producer.produce(topic, b"x", b"x", on_delivery=lambda error, _: codes.append(error.code() if error else 0))
    producer.flush(30)
    return codes[0]


@pytest.mark.parametrize(
    "topic",
    [
        "credit.receipts.420000-gsj.v1",
        "credit.sanctions.task.420000-gsj.v1",
        "credit.submit.420000-gsj.v1",
        "credit.ingestion.record.v1",
        "credit.identity.record.v1",
        "credit.disclosure.government-change.v1",
    ],
)
def test_an_agency_reads_nothing_of_others(road: Road, reported: str, topic: str) -> None:
    assert refusal_to_read(road, HBT, f"credit.receipts.{HBT}.v1") == 0
    assert refusal_to_read(road, HBT, topic) == DENIED


@pytest.mark.parametrize(
    "topic",
    [
        "credit.submit.420000-gsj.v1",
        "credit.feedback.420000-gsj.v1",
        "credit.receipts.420000-hbt.v1",
        "credit.ingestion.record.v1",
        "credit.identity.record.v1",
        "credit.disclosure.public-change.v1",
        "credit.ingestion.command.v1",
    ],
)
def test_an_agency_writes_nothing_but_submissions_and_feedback(road: Road, topic: str) -> None:
    assert refusal_to_write(road, HBT, topic) == DENIED


def test_an_agency_uses_no_group_of_others(road: Road) -> None:
    consumer = Consumer(road.stack.as_user(HBT).settings() | {"group.id": "420000-gsj.cli"})
    try:
        consumer.subscribe([f"credit.receipts.{HBT}.v1"])
        message = consumer.poll(20)
        assert message is not None
        assert message.error().code() == KafkaError.GROUP_AUTHORIZATION_FAILED
    finally:
        consumer.close()


def test_a_public_subscriber_reads_its_feed_and_not_the_governments(road: Road, reported: str) -> None:
    user = road.subscriber("sub-public", "public")
    assert any(t.record["record_id"].hex() == reported for t in road.told("credit.disclosure.public-change.v1", user))
    assert refusal_to_read(road, user, "credit.disclosure.government-change.v1") == DENIED
    assert refusal_to_write(road, user, "credit.disclosure.public-change.v1") == DENIED


def test_a_service_writes_no_topic_of_another(road: Road) -> None:
    assert refusal_to_write(road, "svc-sanctions", "credit.identity.record.v1") == DENIED
    assert refusal_to_write(road, "svc-disclosure", "credit.ingestion.record.v1") == DENIED
    assert refusal_to_see(road, "svc-disclosure", "credit.submit.420000-hbt.v1") == DENIED
    assert refusal_to_see(road, "svc-disclosure", "credit.identity.record.v1") == 0


def test_a_wrong_password_opens_nothing(road: Road) -> None:
    errors: list[KafkaError] = []
    settings = road.stack.as_user(HBT).settings() | {"sasl.password": "wrong", "error_cb": errors.append}
    consumer = Consumer(settings | {"group.id": f"{HBT}.wrong"})
    try:
        consumer.subscribe([f"credit.receipts.{HBT}.v1"])
        eventually(lambda: consumer.poll(0.1) or errors, "an answer or an error")
        assert errors[0].code() == KafkaError._AUTHENTICATION
    finally:
        consumer.close()


@pytest.mark.parametrize("role", SERVICES)
def test_a_role_opens_no_database_but_its_own(road: Road, role: str) -> None:
    secret = passwords.existing(road.layout.secrets, role)

    async def opened(database: str) -> bool:
        try:
            connection = await asyncpg.connect(road.layout.database(role), database=database, password=secret)
        except asyncpg.InsufficientPrivilegeError:
            return False
        await connection.close()
        return True

    databases = (*SERVICES, "apicurio", "postgres", "template1")
    assert [name for name in databases if asyncio.run(opened(name))] == [role]
