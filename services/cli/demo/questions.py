"""What this run can only learn by asking: identity, disclosure and sanctions over gRPC, the simulator over HTTPS."""

from __future__ import annotations

import json
import ssl
import urllib.request
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import grpc
from credit.disclosure.v1 import disclosure_pb2 as disclosure
from credit.disclosure.v1 import disclosure_pb2_grpc as disclosure_grpc
from credit.identity.v1 import identity_pb2 as identity
from credit.identity.v1 import identity_pb2_grpc as identity_grpc
from credit.sanctions.v1 import sanctions_pb2 as sanctions
from credit.sanctions.v1 import sanctions_pb2_grpc as sanctions_grpc

from deploy.local.layout import Layout

DEADLINE_S = 30.0
HELD_BACK = ("WAITING", "SUPERSEDED")
INQUIRY = disclosure.Inquiry(
    channel=disclosure.CHANNEL_PUBLIC, caller="credit demo", purpose="reconciliation of a demonstration"
)
# So that the road is seen to survive it: refusals for good, and every kind of mishap on the way.
MISBEHAVIOUR = {"refuse_rate": 0.02, "busy_rate": 0.05, "fail_rate": 0.05, "lose_rate": 0.05, "garbage_rate": 0.02}


def versions_in_review(layout: Layout) -> int:
    """Versions that identity has not linked, ever: waiting or superseded."""
    with grpc.insecure_channel(layout.address("identity.grpc")) as door:
        stub: Any = identity_grpc.IdentityStub(door)
        counts: Iterable[Any] = stub.CountReview(
            identity.CountReviewRequest(), timeout=DEADLINE_S, wait_for_ready=True
        ).counts
        return sum(count.versions for count in counts if count.state in HELD_BACK)


def tasks(layout: Layout, departments: Iterable[str]) -> dict[str, str]:
    """Task id -> status of every task of these departments."""
    with grpc.insecure_channel(layout.address("sanctions.grpc")) as door:
        stub: Any = sanctions_grpc.SanctionsStub(door)
        return {task.task_id: task.status for department in departments for task in _tasks(stub, department)}


def _tasks(stub: Any, department: str) -> Iterator[Any]:
    token = ""
    while True:
        request = sanctions.ListTasksRequest(department=department, page_size=500, page_token=token)
        page = stub.ListTasks(request, timeout=DEADLINE_S, wait_for_ready=True)
        yield from page.tasks
        token = page.next_page_token
        if not token:
            return


def shown(layout: Layout, subject_ids: Collection[bytes]) -> dict[bytes, frozenset[bytes]]:
    """The public records of each of these subjects."""
    with grpc.insecure_channel(layout.address("disclosure.grpc")) as door:
        stub: Any = disclosure_grpc.DisclosureStub(door)
        return {subject_id: frozenset(_records(stub, subject_id)) for subject_id in subject_ids}


def _records(stub: Any, subject_id: bytes) -> Iterator[bytes]:
    token = ""
    while True:
        request = disclosure.ListRecordsRequest(
            inquiry=INQUIRY, subject_id=subject_id.hex(), page_size=500, page_token=token
        )
        page = stub.ListRecords(request, timeout=DEADLINE_S, wait_for_ready=True)
        yield from (bytes.fromhex(record.record_id) for record in page.records)
        token = page.next_page_token
        if not token:
            return


class NationalPlatform:
    """The simulator, with only its own certificate authority believed."""

    def __init__(self, layout: Layout) -> None:
        self._url = f"https://{layout.address('national')}"
        self._tls = ssl.create_default_context(cafile=str(layout.var / "national" / "ca.pem"))

    @contextmanager
    def misbehaving(self, rates: Mapping[str, float] = MISBEHAVIOUR) -> Generator[None]:
        """For so long: refuse some records for good and make trouble on the way."""
        self._ask("/v1/behaviour", dict(rates))
        try:
            yield
        finally:
            self._ask("/v1/behaviour", dict.fromkeys(rates, 0.0))

    def holds(self, items: Iterable[str]) -> set[bytes]:
        """The records it holds now."""
        return {bytes.fromhex(record["record_id"]) for item in items for record in self._records(item)}

    def _records(self, item: str) -> Iterator[dict[str, Any]]:
        after = ""
        while True:
            page = self._ask(f"/v1/records?item={item}&after={after}&limit=1000")
            yield from (record for record in page["records"] if not record["deleted"])
            after = page["next"]
            if not after:
                return

    def _ask(self, path: str, body: Any = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, {"Content-Type": "application/json"})  # noqa: S310 - https
        with urllib.request.urlopen(request, timeout=DEADLINE_S, context=self._tls) as answer:  # noqa: S310 - https
            return json.load(answer)
