"""A retry timer's key is the record and its body the version; any other body is parked, it does not end the process."""

from __future__ import annotations

import pytest

from services.chassis.errors import Unhandleable
from services.chassis.message import Message, Moment
from services.national_sync.contracts.exchange import read_retry
from services.national_sync.domain.inputs import RetryDue


def timer(body: bytes | None) -> Message:
    return Message("credit.national-sync.command.v1", 0, -1, b"record", body, (("timer", b"retry"),), 0)


def test_a_body_is_the_version() -> None:
    assert read_retry(timer(b"3"), Moment(7)) == RetryDue(b"record", 3, 7)


@pytest.mark.parametrize("body", [None, b"", b"x", b"1.5", b"\xff", b"9" * 5000])
def test_any_other_body_is_unhandleable(body: bytes | None) -> None:
    with pytest.raises(Unhandleable, match="TIMER_UNREADABLE"):
        read_retry(timer(body), Moment(7))
