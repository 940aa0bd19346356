"""The legal clock: which hop a record was late in, and to whom a breach of the public's term is charged."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.kernel import legal_clock, legal_terms, working_days
from services.kernel.legal_clock import Clock, Moments
from services.kernel.working_days import Change


def at(text: str) -> int:
    """A moment in China, `2017-10-13 23:59`, as milliseconds since 1970."""
    return int(datetime.fromisoformat(f"{text}+08:00").timestamp() * 1000)


def moments(**changes: Any) -> Moments:
    """A penalty decided before National Day 2017 that went through in a day; due in public on 2017-10-13."""
    usual: dict[str, Any] = {
        "item": "org-penalty",
        "agency": "420000-hbt",
        "action": "report",
        "from_unit": False,
        "shown": True,
        "decided_on": date(2017, 9, 28),
        "produced_at": at("2017-09-28 17:00"),
        "received_at": at("2017-09-29 09:00:00"),
        "accepted_at": at("2017-09-29 09:00:01"),
        "linked_at": at("2017-09-29 09:00:02"),
        "visible_at": at("2017-09-29 09:00:03"),
    }
    times = {
        name: at(value) if isinstance(value, str) and name.endswith("_at") else value for name, value in changes.items()
    }
    return Moments(**usual | times)


def read(now: str = "2018-01-02 12:00", **changes: Any) -> Clock:
    return legal_clock.read(moments(**changes), at(now))


def test_in_time_nobody_is_late_and_nothing_is_charged() -> None:
    clock = read()
    assert [hop.name for hop in clock.hops] == ["agency", "ingestion", "identity", "disclosure"]
    assert (clock.late, clock.charged) == ((), "")
    assert clock.public is not None
    assert clock.public.due_on == date(2017, 10, 13)


LATE: list[tuple[str, dict[str, Any], tuple[str, ...], str]] = [
    (
        "the last moment of the last day is in time",
        {"accepted_at": "2017-09-29 09:01", "linked_at": "2017-09-29 09:02", "visible_at": "2017-10-12 23:59:59"},
        (),
        "",
    ),
    (
        "disclosure stopped across the deadline",
        {"visible_at": "2017-10-14 00:00:00"},
        ("disclosure",),
        "disclosure",
    ),
    (
        "identity stopped across the deadline; disclosure, which came after, is not blamed for it",
        {"linked_at": "2017-10-16 10:00", "visible_at": "2017-10-16 10:01"},
        ("identity",),
        "identity",
    ),
    (
        "ingestion stopped across the deadline",
        {"accepted_at": "2017-10-16 10:00", "linked_at": "2017-10-16 10:01", "visible_at": "2017-10-16 10:02"},
        ("ingestion",),
        "ingestion",
    ),
    (
        "the agency sent it after everything was over",
        {
            "received_at": "2017-10-20 09:00",
            "accepted_at": "2017-10-20 09:01",
            "linked_at": "2017-10-20 09:02",
            "visible_at": "2017-10-20 09:03",
        },
        ("agency",),
        "agency",
    ),
    (
        "the agency left the platform five seconds of the last day",
        {
            "received_at": "2017-10-13 23:59:55",
            "accepted_at": "2017-10-13 23:59:56",
            "linked_at": "2017-10-14 00:00:01",
            "visible_at": "2017-10-14 00:00:02",
        },
        ("agency",),
        "agency",
    ),
    (
        "the agency took a day more than it had, the platform all the rest and more",
        {
            "received_at": "2017-10-01 09:00",
            "accepted_at": "2017-10-01 09:01",
            "linked_at": "2017-10-01 09:02",
            "visible_at": "2017-10-17 09:00",
        },
        ("agency", "disclosure"),
        "disclosure",
    ),
    (
        "a lower unit sat on it, the agency passed it on within its two days",
        {
            "from_unit": True,
            "produced_at": "2017-10-13 10:00",
            "received_at": "2017-10-15 10:00",
            "accepted_at": "2017-10-15 10:01",
            "linked_at": "2017-10-15 10:02",
            "visible_at": "2017-10-15 10:03",
        },
        ("unit",),
        "unit",
    ),
    (
        "a lower unit was in time, the agency was not",
        {
            "from_unit": True,
            "produced_at": "2017-10-01 23:00",
            "received_at": "2017-10-16 10:00",
            "accepted_at": "2017-10-16 10:01",
            "linked_at": "2017-10-16 10:02",
            "visible_at": "2017-10-16 10:03",
        },
        ("agency",),
        "agency",
    ),
]


@pytest.mark.parametrize(("changes", "late", "charged"), [row[1:] for row in LATE], ids=[row[0] for row in LATE])
def test_a_breach_is_charged_to_the_hop_that_made_it(changes: Any, late: tuple[str, ...], charged: str) -> None:
    clock = read(**changes)
    assert (clock.late, clock.charged) == (late, charged)


def test_calendar_days_run_through_the_holiday_and_working_days_do_not() -> None:
    """2 日 from 09-28 end on 09-30; 7 个工作日 on 10-13."""
    clock = read(received_at="2017-10-01 00:00:00", accepted_at="2017-10-09 09:00", linked_at=None, visible_at=None)
    agency = clock.hops[0]
    assert (agency.due_on, agency.late) == (date(2017, 9, 30), True)
    assert clock.public is not None
    assert clock.public.due_on == date(2017, 10, 13)


def test_what_is_under_way_has_time_left_until_its_day_is_over() -> None:
    open_ = {"linked_at": None, "visible_at": None}
    before, after = read("2017-10-13 20:00", **open_), read("2017-10-14 00:00", **open_)
    assert before.public is not None
    assert before.public.left_ms == 4 * 3_600_000 - 1
    assert (before.hops[-1].name, before.hops[-1].ended_at, before.charged) == ("identity", None, "")
    assert after.public is not None
    assert (after.public.late, after.charged) == (True, "identity")


def test_a_correction_years_later_is_not_late_for_its_decision() -> None:
    changed = {
        "action": "correct",
        "produced_at": "2019-06-03 09:00",
        "received_at": "2019-06-04 09:00",
        "accepted_at": "2019-06-04 09:01",
        "linked_at": "2019-06-04 09:02",
        "visible_at": "2019-06-04 09:03",
    }
    clock = read("2019-06-05 09:00", **changed)
    assert (clock.late, clock.charged) == ((), "")
    assert clock.public is not None
    assert clock.public.term is not None
    assert clock.public.term.id == "open-government-2019"


def test_a_withdrawn_penalty_has_three_working_days() -> None:
    """行政处罚法 arts. 48, 85: the clock runs from the change."""
    clock = read("2021-10-20 09:00", action="withdraw", produced_at="2021-09-29 09:00", received_at="2021-09-29 10:00")
    assert clock.public is not None
    assert clock.public.term is not None
    assert (clock.public.term.unit, clock.public.due_on) == ("working", date(2021, 10, 9))


def test_beyond_the_calendar_nothing_is_reckoned_and_nobody_is_late() -> None:
    clock = read("2027-03-01 09:00", decided_on=date(2026, 12, 29), received_at="2026-12-30 09:00", visible_at=None)
    assert clock.public is not None
    assert (clock.public.due_on, clock.public.left_ms, clock.charged) == (None, None, "")
    assert "beyond 2026-12-31" in clock.public.note


def test_an_amended_calendar_moves_the_due_day_of_what_is_open() -> None:
    """Spring Festival 2020 was prolonged while decisions of 2020-01-22 were open."""
    prolonged = working_days.table()
    free = {date(2020, 1, 31): Change(False, "Spring Festival")}
    first = prolonged.amended({date(2020, 2, 1): Change(True, "Spring Festival")}, back=free)
    open_ = moments(decided_on=date(2020, 1, 22), received_at="2020-01-23 09:00", linked_at=None, visible_at=None)
    found = [legal_clock.read(open_, at("2020-02-07 12:00"), calendar) for calendar in (first, prolonged)]
    assert [clock.public and clock.public.due_on for clock in found] == [date(2020, 2, 6), date(2020, 2, 10)]
    assert [bool(clock.public and clock.public.late) for clock in found] == [True, False]


RULES: list[tuple[str, str, str, str, date, str | None]] = [
    ("public", "org-penalty", "province", "report", date(2018, 7, 24), "double-publicity-2017"),
    ("public", "org-penalty", "province", "report", date(2018, 7, 25), "double-publicity-2018"),
    ("public", "red-list-tax-a", "province", "report", date(2019, 5, 14), "open-government-2008"),
    ("public", "red-list-tax-a", "province", "report", date(2019, 5, 15), "open-government-2019"),
    ("public", "court-defaulter", "province", "report", date(2020, 1, 2), None),
    ("agency", "org-permit", "province", "report", date(2017, 3, 28), None),
    ("agency", "org-permit", "province", "report", date(2017, 3, 29), "agency-2017"),
    ("agency", "org-permit", "lower", "report", date(2017, 3, 29), "lower-agency-2017"),
    ("unit", "org-permit", "province", "report", date(2017, 3, 29), "unit-2017"),
]


@pytest.mark.parametrize(("hop", "item", "level", "action", "day", "expected"), RULES)
def test_the_rule_is_chosen_by_item_and_day(
    hop: str, item: str, level: str, action: str, day: date, expected: str | None
) -> None:
    found = legal_terms.choose(hop, item, level, action, day)
    assert (found.id if found else None) == expected


def test_every_rule_is_cited_and_says_who_has_read_it() -> None:
    for term in legal_terms.terms():
        assert term.document and term.article and term.days > 0 and term.unit in ("calendar", "working")
        assert term.verification in {"official", "seed", "text_copy", "unverified"}
    assert len({term.id for term in legal_terms.terms()}) == len(legal_terms.terms())


def test_a_day_ends_at_midnight_in_china() -> None:
    assert legal_clock.end_ms(date(2017, 10, 13)) == int(datetime(2017, 10, 13, 16, tzinfo=UTC).timestamp() * 1000)
    assert legal_clock.china_day(legal_clock.end_ms(date(2017, 10, 13)) - 1) == date(2017, 10, 13)
    assert legal_clock.china_day(legal_clock.end_ms(date(2017, 10, 13))) == date(2017, 10, 14)
