"""A blob gives back exactly the events that were put into it: otherwise a crash would change what was said."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.chassis.message import Outgoing
from services.chassis.outbox import pack, unpack

headers = st.lists(st.tuples(st.text(max_size=20), st.binary(max_size=40)), max_size=4).map(tuple)
outgoing = st.builds(
    Outgoing,
    topic=st.text(min_size=1, max_size=30),
    key=st.binary(max_size=32),
    value=st.binary(max_size=300),
    partition=st.none() | st.integers(0, 2**31 - 1),
    headers=headers,
    kind=st.text(max_size=20),
    subject=st.text(max_size=20),
)


@given(st.lists(outgoing, max_size=20))
def test_what_goes_in_comes_out_in_order(events: list[Outgoing]) -> None:
    assert list(unpack(pack(events))) == events
