"""A blob gives back exactly the events that were put into it: otherwise a crash would change what was said."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from services.chassis.message import Outgoing
from services.chassis.outbox import events, pack, unpack
from services.chassis.sealing import Stamp, seal

AT_MS = 1_506_556_800_123
STAMP = Stamp("ingestion", b"ingestion/1/credit.submit.a.v1/0", AT_MS)
names = st.text("abc", min_size=1, max_size=5)
headers = st.lists(st.tuples(names, st.binary(max_size=40)), max_size=2, unique_by=lambda h: h[0]).map(tuple)
outgoing = st.builds(
    Outgoing,
    topic=st.sampled_from(["credit.a.v1", "credit.b.v1"]),
    key=st.binary(max_size=32),
    value=st.binary(max_size=9000),
    partition=st.integers(0, 2),
    headers=headers,
    kind=st.sampled_from(["", "cn.hubei.credit.change.v1"]),
    subject=st.just(""),
).map(lambda event: event._replace(subject=event.key.hex() if event.kind else ""))
said = st.lists(outgoing, max_size=20)


def sealed(said: list[Outgoing], first: int, limit: int = 20_000) -> bytes:
    return pack(seal([((event.topic, event.partition or 0), event) for event in said], first, STAMP, limit))


@given(said, st.integers(1, 10**12))
def test_what_goes_in_comes_out_in_order(said: list[Outgoing], first: int) -> None:
    assert events(sealed(said, first)) == list(enumerate(said, first))


@given(said, st.integers(1, 40_000))
def test_batches_of_a_partition_keep_the_order_and_their_limit(said: list[Outgoing], limit: int) -> None:
    positions: dict[tuple[str, int], list[int]] = defaultdict(list)
    for batch in unpack(sealed(said, 1, limit)):
        found = list(batch.events())
        assert len(found) == batch.record_count
        assert batch.timestamp_ms == AT_MS
        assert batch.record_count == 1 or sum(len(e.key) + len(e.value) for _, e in found) <= limit
        positions[batch.topic, batch.partition] += [position for position, _ in found]
    assert sorted(p for found in positions.values() for p in found) == list(range(1, len(said) + 1))
    assert all(found == sorted(found) for found in positions.values())
