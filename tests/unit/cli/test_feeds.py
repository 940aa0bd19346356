"""`credit feeds`: a feed for a person's eyes, and how often its optional fields are filled."""

from __future__ import annotations

from typing import Any

from services.cli import feeds
from services.cli.fill import optional_of, rates

DEFINITION = {
    "fields": [
        {"code": "A", "required": "mandatory"},
        {"code": "B", "required": "optional"},
        {"code": "C", "required": "conditional:subject_kind=org"},
    ]
}


def test_fill_rates_are_of_each_feed_and_of_optional_fields_only() -> None:
    optional = {"i": optional_of(DEFINITION)}
    one, other = ("a", "i"), ("b", "i")
    payloads: list[tuple[tuple[str, str], dict[str, Any]]] = [
        (one, {"A": "x", "B": "x", "C": None}),
        (one, {"A": "x", "B": "", "C": "x"}),
        (one, {"A": "x", "B": "x", "C": None}),
        (other, {"A": "x", "B": 0}),
    ]
    assert list(rates(payloads, optional)) == [
        {"agency": "a", "item": "i", "records": 3, "fill": {"B": 0.6667, "C": 0.3333}},
        {"agency": "b", "item": "i", "records": 1, "fill": {"B": 1.0, "C": 0.0}},
    ]


FEED: dict[str, Any] = {
    "agency": "420000-hbt",
    "item": "org-penalty",
    "last_seen": "2017-09-30T09:00:00+00:00",
    "usual_per_working_day": 400.0,
    "quiet_working_days": 2,
    "missing": 800.0,
    "silent": True,
    "submitted": 9600,
    "duplicate": 3,
    "refused": 5,
    "late_agency": 7,
}


def test_a_silent_feed_says_so_in_its_line() -> None:
    assert feeds.line(FEED).endswith("  SILENT, 800 missing")
    assert "SILENT" not in feeds.line(FEED | {"silent": False})


def test_a_feed_of_which_nothing_is_known_has_a_line() -> None:
    unknown = {"last_seen": None, "usual_per_working_day": None, "quiet_working_days": None, "silent": False}
    assert feeds.line(FEED | unknown).split()[2:5] == ["never", "-", "-"]
