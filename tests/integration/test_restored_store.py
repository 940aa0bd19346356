"""A store brought back to an earlier moment, its log lost, on the real broker and database: it says nothing."""

# pyright: reportPrivateImportUsage=false
# The library re-exports its own classes without saying so.

from __future__ import annotations

import json
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from confluent_kafka import Consumer, TopicPartition

from deploy.local import postgres
from tests.integration.test_spine import assert_applied_once, entries
from tests.support.stack import Stack, eventually, ledger, migrate_ledger

IN, OUT = "ledger.in.v1", "ledger.out.v1"
STANDS = "SELECT topic, partition, epoch, next_offset, position, published FROM lanes ORDER BY topic, partition"


def rename(stack: Stack, name: str, to: str) -> None:
    stack.sql("postgres", f"ALTER DATABASE {name} RENAME TO {to}")


def copy(stack: Stack, name: str, to: str) -> None:
    stack.sql("postgres", f"CREATE DATABASE {to} TEMPLATE {name} OWNER ledger")


def ends(stack: Stack, topic: str) -> list[int]:
    """Where each partition ends."""
    consumer = Consumer(stack.as_user("platform-admin").settings() | {"group.id": "ledger"})
    try:
        return [consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=20)[1] for p in (0, 1)]
    finally:
        consumer.close()


def shown(stack: Stack) -> list[int]:
    """What the group has committed."""
    consumer = Consumer(stack.as_user("platform-admin").settings() | {"group.id": "ledger"})
    try:
        return [place.offset for place in consumer.committed([TopicPartition(IN, p) for p in (0, 1)], timeout=20)]
    finally:
        consumer.close()


def run_to_the_end(stack: Stack, per_key: int) -> None:
    """Apply some entries, and end in good order once the group has been shown all of them."""
    expected = entries(stack, per_key)
    with ledger(stack) as process:
        assert_applied_once(stack, expected, per_key)
        eventually(lambda: shown(stack) == ends(stack, IN), "the group is shown where the store stands")
        process.terminate()
        assert process.wait(10) == 0


@contextmanager
def in_place_of_it(stack: Stack, other: str) -> Iterator[None]:
    """Another database under the name of the service's, for as long as the block lasts."""
    rename(stack, "ledger", "ledger_aside")
    rename(stack, other, "ledger")
    try:
        yield
    finally:
        postgres.drop(stack.layout, "ledger")
        rename(stack, "ledger_aside", "ledger")


@pytest.mark.parametrize("what", ["earlier", "empty"])
def test_it_stops_before_it_says_anything_and_goes_on_with_the_right_one(spine: Stack, what: str) -> None:
    postgres.drop(spine.layout, "ledger_other")
    run_to_the_end(spine, 3)
    if what == "earlier":
        copy(spine, "ledger", "ledger_other")
        run_to_the_end(spine, 2)
    else:
        postgres.make_empty(spine.layout, "ledger", "ledger_other")
    waiting = entries(spine, 4)
    with in_place_of_it(spine, "ledger_other"):
        migrate_ledger(spine)
        stood, said = spine.sql("ledger", STANDS), ends(spine, OUT)
        with ledger(spine) as process:
            assert_refused(spine, process)
        assert (spine.sql("ledger", STANDS), ends(spine, OUT)) == (stood, said)
    with ledger(spine):
        assert_applied_once(spine, waiting, 4)


def assert_refused(stack: Stack, process: subprocess.Popen[bytes]) -> None:
    """It says so in its log and its metrics, is not ready, and ends when it is told to."""
    http = f"http://127.0.0.1:{stack.layout.port_base + 280}"

    def stopped() -> bool:
        assert process.poll() is None, "it ended by itself"
        try:
            with urllib.request.urlopen(f"{http}/metrics", timeout=5) as answer:
                return "\ncredit_lane_stopped 2.0\n" in answer.read().decode()
        except OSError:
            return False

    mark = (stack.layout.logs / "ledger-0.log").stat().st_size
    eventually(stopped, "both lanes are stopped")
    with pytest.raises(urllib.error.HTTPError, match="503"):
        urllib.request.urlopen(f"{http}/readyz", timeout=5)
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    lines = (stack.layout.logs / "ledger-0.log").read_bytes()[mark:].decode().splitlines()
    said = [json.loads(line) for line in lines if line.startswith("{")]
    (why,) = [event for event in said if event["event"] == "store_restored"]
    assert "write-ahead log" in why["reason"] and why["lanes"] > 0
    assert [event["why"] for event in said if event["event"] == "lane_stopped"] == ["store_restored"] * 2
