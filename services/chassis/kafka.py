"""Every aiokafka setting, in one place, since the client's defaults lose records (reliability rule R9, E7).

They acknowledge early, start at the end and are not idempotent. A test reads these back.
"""

from __future__ import annotations

from typing import Any
from zlib import crc32

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.coordinator.assignors.range import RangePartitionAssignor

from services.chassis.message import Message
from services.chassis.settings import Settings

MESSAGE_LIMIT = 1_000_000  # bytes, the broker's own limit for a batch; ours must stay below it
BATCH_BYTES = 512 * 1024
SESSION_MS = 10_000  # a member that is silent for so long has lost its lanes
# How long an answer may take: above what the broker takes for a rebalance (the session, 10 s), and low enough that a
# broker gone without a word (half-open) is noticed and everything taken up anew within 30 s. The client's own is 40 s.
ANSWER_MS = 12_000
# A producer that was idle meanwhile finds out only afterwards, with the next thing it says; both must fit.
PUBLISHED_MS = 8_000


def connection(settings: Settings) -> dict[str, Any]:
    """Where and as whom."""
    return {
        "bootstrap_servers": settings.kafka,
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": settings.kafka_user,
        "sasl_plain_password": settings.kafka_password,
        "metadata_max_age_ms": 5_000,  # a new agency's topics are seen within this time
    }


def consumer_settings(settings: Settings, pattern: str = "") -> dict[str, Any]:
    """A member of the service's group that starts nowhere by itself; `pattern` is what it will subscribe to.

    `auto_offset_reset` is "none": the lane row decides where to read. A lane that was never read is sought to the
    earliest offset by the loop; "earliest" here would also skip over a gap with one INFO line (reliability.md E16).
    Range assignment gives one member the same partition numbers of all topics that share a key.
    """
    return connection(settings) | {
        "group_id": settings.group,
        # Static: a killed process gets its lanes back in 0.1 s instead of 8. The broker gives a static member what it
        # had, whatever it subscribes to now; with a topic less the client dies of that. So another pattern, another id.
        "group_instance_id": f"{settings.group}-{settings.worker}"
        + (f"-{crc32(pattern.encode()):08x}" if pattern else ""),
        "client_id": f"{settings.group}-{settings.worker}",
        "enable_auto_commit": False,
        "auto_offset_reset": "none",
        "request_timeout_ms": ANSWER_MS,
        "session_timeout_ms": SESSION_MS,
        "heartbeat_interval_ms": 3_000,
        "max_poll_interval_ms": 300_000,
        "partition_assignment_strategy": (RangePartitionAssignor,),
        # An outsider may publish in a transaction: what he aborted was never said.
        "isolation_level": "read_committed",
        "fetch_max_wait_ms": 250,
        "fetch_max_bytes": 4 * 1024 * 1024,
        "max_partition_fetch_bytes": 4 * 1024 * 1024,
        "check_crcs": True,
    }


def reader_settings(settings: Settings) -> dict[str, Any]:
    """A reader that belongs to no group: it is told where to read, moves nobody's lanes and writes no offsets.

    It holds what it has fetched of every partition until that one's turn comes, unpacked (zstd: up to ten times).
    """
    kept = ("isolation_level", "fetch_max_bytes", "check_crcs", "auto_offset_reset")
    member = consumer_settings(settings)
    own = {"enable_auto_commit": False, "max_partition_fetch_bytes": 256 * 1024}
    return connection(settings) | {name: member[name] for name in kept} | own


def consume_messages() -> None:
    """Consumers of this process give `Message`s from now on.

    The client makes a dataclass of eleven fields of each record, to be read once and thrown away: 2.5 us of 380 a
    record, at each of six consumers. There is no public place to choose; a test holds the private one.
    """
    PartitionRecords._consumer_record = _message  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue] - as said


def _message(_: object, place: Any, record: Any) -> Message:
    key, headers = record.key or b"", tuple(record.headers)
    return Message(place.topic, place.partition, record.offset, key, record.value, headers, record.timestamp)


def ask_for_assignment(consumer: AIOKafkaConsumer) -> None:
    """Once after start: make the group's leader, if that is us, assign anew (measured on Kafka 4.3.1, aiokafka 0.14).

    A leader that comes back with its static id is given its old assignment and believes that it is no leader: a topic
    made while it was away would never be read. There is no public call for this; a test holds the private one.
    """
    coordinator: Any = consumer._coordinator  # pyright: ignore[reportPrivateUsage, reportUnknownMemberType]
    coordinator.request_rejoin()


def check_metadata(consumer: AIOKafkaConsumer) -> None:
    """Raise what the consumer's task that keeps the metadata has died of, if it has.

    The client itself says nothing of it, and goes on with what it knows: it sees no new topic, and once it has lost the
    coordinator of its group it never finds another. There is no public call for this; a test holds the private one.
    """
    client: Any = consumer._client  # pyright: ignore[reportPrivateUsage, reportUnknownMemberType]
    if client._sync_task.done():
        client._sync_task.result()


async def end_sending(producer: AIOKafkaProducer) -> None:
    """Before a producer is stopped: let it try nothing more.

    Stopping flushes first, and so waits for as long as the broker is away (measured: without end). Nothing is lost by
    it, since who publishes waits for each acknowledgement. There is no public call for this; a test holds the private
    one. It returns when no request is under way: a new producer must not be overtaken by its predecessor.
    """
    sender: Any = producer._sender  # pyright: ignore[reportPrivateUsage, reportUnknownMemberType]
    await sender.close()


def producer_settings(settings: Settings, role: str = "lanes") -> dict[str, Any]:
    """Idempotent, acknowledged by all in-sync replicas; `role` tells the producers of one process apart."""
    return connection(settings) | {
        "client_id": f"{settings.group}-{settings.worker}-{role}",
        "enable_idempotence": True,
        "acks": "all",
        "compression_type": "zstd",  # the client's lz4 is level 9 and four times dearer
        "linger_ms": 0,
        "max_batch_size": BATCH_BYTES,
        "max_request_size": MESSAGE_LIMIT,
        "request_timeout_ms": PUBLISHED_MS,
    }
