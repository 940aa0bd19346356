"""The clients are built with the settings we mean: read back from the clients, not from our own dictionary."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import AsyncMock, MagicMock

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.record.memory_records import MemoryRecords

from services.chassis import kafka
from services.chassis.message import Message, Outgoing
from services.chassis.sealing import Stamp, seal
from services.chassis.settings import Settings
from tests.unit.chassis.test_settings import environment


async def test_consumer(tmp_path: Path) -> None:
    consumer = AIOKafkaConsumer(**kafka.consumer_settings(Settings.from_environment(environment(tmp_path))))
    assert consumer._enable_auto_commit is False
    assert consumer._auto_offset_reset == "none"
    assert consumer._isolation_level == "read_committed"
    assert (consumer._group_id, consumer._group_instance_id) == ("national-sync", "national-sync-1")
    assert (consumer._session_timeout_ms, consumer._heartbeat_interval_ms) == (10_000, 3_000)
    assert consumer._max_poll_interval_ms == 300_000
    # A join is answered when the rebalance is over; a client that is less patient would never get in.
    assert consumer._rebalance_timeout_ms < consumer._request_timeout_ms == kafka.ANSWER_MS < 15_000
    assert [a.__name__ for a in consumer._partition_assignment_strategy] == ["RangePartitionAssignor"]
    assert consumer._fetch_max_bytes == 4 * 1024 * 1024
    assert consumer._client._security_protocol == "SASL_PLAINTEXT"
    assert consumer._client._sasl_mechanism == "SCRAM-SHA-512"


async def test_producer(tmp_path: Path) -> None:
    settings = Settings.from_environment(environment(tmp_path))
    producer = AIOKafkaProducer(**kafka.producer_settings(settings))
    assert producer._txn_manager is not None  # idempotent
    assert producer._txn_manager.transactional_id is None
    assert producer._sender._acks == -1
    assert producer._compression_type == "zstd"
    assert producer._request_timeout_ms + kafka.ANSWER_MS < 25_000
    assert producer._max_request_size == kafka.MESSAGE_LIMIT
    assert kafka.producer_settings(settings)["linger_ms"] == 0
    assert kafka.BATCH_BYTES < kafka.MESSAGE_LIMIT < 1_048_588  # the broker's default message.max.bytes


def test_two_producers_of_a_process_have_two_names(tmp_path: Path) -> None:
    settings = Settings.from_environment(environment(tmp_path))
    assert kafka.producer_settings(settings)["client_id"] != kafka.producer_settings(settings, "sender")["client_id"]


def test_another_subscription_is_another_static_member(tmp_path: Path) -> None:
    settings = Settings.from_environment(environment(tmp_path))
    ids = {kafka.consumer_settings(settings, pattern)["group_instance_id"] for pattern in ("", "^a$", "^b$")}
    assert len(ids) == 3


def test_the_private_call_that_asks_for_an_assignment_is_still_there() -> None:
    asked: list[str] = []

    class Coordinator(GroupCoordinator):
        def __init__(self) -> None: ...

        def request_rejoin(self) -> None:
            asked.append("rejoin")

    assert callable(GroupCoordinator.request_rejoin)
    kafka.ask_for_assignment(SimpleNamespace(_coordinator=Coordinator()))  # pyright: ignore[reportArgumentType]
    assert asked == ["rejoin"]


async def test_a_consumer_whose_metadata_nobody_keeps_any_more_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without this its service would go on, see no new topic, and not come back from a rebalance."""
    consumer = AIOKafkaConsumer(**kafka.consumer_settings(Settings.from_environment(environment(tmp_path))))
    client = consumer._client
    monkeypatch.setattr("aiokafka.client.create_conn", AsyncMock())
    monkeypatch.setattr(client, "cluster", MagicMock())
    monkeypatch.setattr(
        client, "_metadata_update", AsyncMock(side_effect=[True, RuntimeError("the handler is closed")])
    )
    await client.bootstrap()
    await client.force_metadata_update()
    kafka.check_metadata(consumer)
    client.force_metadata_update()
    await asyncio.wait([client._sync_task], timeout=10)
    with pytest.raises(RuntimeError, match="the handler is closed"):
        kafka.check_metadata(consumer)


def test_a_consumer_gives_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        PartitionRecords, "_consumer_record", PartitionRecords._consumer_record
    )  # as it was, afterwards
    said = Outgoing("t", b"k", b"v", 3, (("correlation_id", b"c"),))
    (batch,) = seal([(("t", 3), said)], 7, Stamp("identity", b"o", 1_511_503_200_000), 1_000_000)
    kafka.consume_messages()
    records = MemoryRecords(bytes(batch.build(1, 0, 0)))
    (found,) = PartitionRecords(TopicPartition("t", 3), records, [], 0, None, None, True, 0)
    assert type(found) is Message
    assert (found.topic, found.partition, found.offset, found.key, found.value) == ("t", 3, 0, b"k", b"v")
    assert found.timestamp_ms == 1_511_503_200_000
    assert (found.header("correlation_id"), found.header("position")) == (b"c", b"7")
