"""A record that the public sees too late is counted once, and charged to who was late."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from services.disclosure.domain import punctuality
from services.disclosure.domain.events import RecordChanged, Shown
from services.disclosure.domain.punctuality import PublicDue


def at(text: str) -> int:
    return int(datetime.fromisoformat(f"{text}+08:00").timestamp() * 1000)


def added(seen: str, accepted: str = "2017-09-29 09:00", decided: str = "2017-09-28", **changes: Any) -> RecordChanged:
    """A penalty on the public's feed; decided on 2017-09-28 it must be there by 2017-10-13."""
    shown = Shown("org-penalty", 1, "420000-hbt", "s-1", None, None, date.fromisoformat(decided), at(accepted), {})
    usual: dict[str, Any] = {"feed": "public", "change": "ADDED", "version": 1} | changes
    return RecordChanged(
        usual["feed"], b"s" * 16, 1, usual["change"], b"r" * 16, usual["version"], shown, (), None, {}, None, at(seen)
    )


@pytest.mark.parametrize(
    ("event", "late"),
    [
        (added("2017-10-13 23:59:59"), False),
        (added("2017-10-14 00:00:00"), True),
        (added("2017-10-14 00:00:00", feed="government"), False),
        (added("2019-10-14 00:00:00", version=2), False),
        (added("2019-10-14 00:00:00", change="CORRECTED"), False),
        (added("2017-10-14 00:00:00", decided="2007-09-28"), False),
        (added("2027-02-01 00:00:00", decided="2026-12-29"), False),
    ],
    ids=["the last moment", "too late", "government", "a later version", "a correction", "no such term", "no calendar"],
)
def test_late_is_what_the_public_first_sees_after_its_day(event: RecordChanged, late: bool) -> None:
    assert punctuality.late(PublicDue(), event) is late


@pytest.mark.parametrize(
    ("event", "charged"),
    [
        (added("2017-10-16 09:00:01", accepted="2017-10-16 09:00"), "sender"),
        (added("2017-10-14 00:00:00", accepted="2017-10-13 23:59:59"), "sender"),
        (added("2017-10-14 00:00:00", accepted="2017-09-29 09:00"), "platform"),
    ],
    ids=["accepted too late", "left a second", "lay here for two weeks"],
)
def test_the_breach_is_charged(event: RecordChanged, charged: str) -> None:
    assert punctuality.charged(PublicDue(), event) == charged
