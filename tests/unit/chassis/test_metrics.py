"""The plumbing's metrics: names are fixed, labels come from closed sets."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client import REGISTRY

from services.chassis import metrics
from services.chassis.batch import Batch
from services.chassis.errors import LaneLost, PublishFailed, Transient
from services.chassis.message import Moment

NAMES = [
    "credit_lane_messages_total",
    "credit_lane_batch_seconds",
    "credit_lane_lag_messages",
    "credit_lane_lag_seconds",
    "credit_outbox_oldest_seconds",
    "credit_outbox_published_total",
    "credit_parking_messages",
    "credit_lane_fenced_total",
    "credit_transient_total",
    "credit_dependency_up",
    "credit_lane_stopped",
    "credit_build_info",
]


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


class NoStore:
    """A pool whose database is away."""

    def acquire(self, timeout: float) -> Any:
        raise ConnectionRefusedError


@pytest.mark.parametrize(
    ("topic", "family"),
    [
        ("credit.submit.420000-gsj.v1", "credit.submit.*.v1"),
        ("credit.sanctions.task.420100-xyb.v1", "credit.sanctions.task.*.v1"),
        ("credit.ingestion.record.v1", "credit.ingestion.record.v1"),
        ("credit.national-sync.exchange.v1", "credit.national-sync.exchange.v1"),
    ],
)
def test_topic_family(topic: str, family: str) -> None:
    assert metrics.topic_family(topic) == family


def test_every_metric_is_there() -> None:
    known = {metric.name for metric in REGISTRY.collect()}
    assert {name.removesuffix("_total") for name in NAMES} <= known


def test_a_batch_is_counted_by_family_and_outcome() -> None:
    batch = Batch(Moment(0))
    batch.count("credit.submit.420000-gsj.v1", "applied")
    batch.count("credit.submit.420000-fy.v1", "applied")
    before = value("credit_lane_messages_total", topic_family="credit.submit.*.v1", outcome="applied")
    metrics.LaneMetrics("test").batch(batch, 0.01)
    after = value("credit_lane_messages_total", topic_family="credit.submit.*.v1", outcome="applied")
    assert after - before == 2
    assert value("credit_dependency_up", dependency="database") == 1


async def test_lag_is_summed_over_the_lanes_of_a_family_and_falls_back() -> None:
    lanes: Any = metrics.LaneMetrics("test")
    lanes.lag("credit.submit.420000-gsj.v1", 3, 1.5)
    lanes.lag("credit.submit.420000-fy.v1", 4, 9.5)
    await lanes.look(NoStore())
    assert value("credit_lane_lag_messages", topic_family="credit.submit.*.v1") == 7
    assert value("credit_lane_lag_seconds", topic_family="credit.submit.*.v1") == 9.5
    assert value("credit_dependency_up", dependency="database") == 0
    await lanes.look(NoStore())
    assert value("credit_lane_lag_messages", topic_family="credit.submit.*.v1") == 0


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Transient("broker", "KafkaError"), "broker"),
        (Transient("registry", "status 503"), "registry"),
        (PublishFailed("KafkaError"), "publish"),
        (LaneLost("0 of 1"), "lane_lost"),
        (Transient("anything else"), "other"),
        (Transient(), "other"),
    ],
)
def test_kinds_are_a_closed_set(error: Transient, kind: str) -> None:
    before = value("credit_transient_total", kind=kind)
    metrics.LaneMetrics("test").transient(error)
    assert value("credit_transient_total", kind=kind) == before + 1


def test_fencing_is_counted() -> None:
    before = value("credit_lane_fenced_total")
    metrics.LaneMetrics("test").transient(LaneLost("0 of 1"))
    assert value("credit_lane_fenced_total") == before + 1
