"""The legal clock and the feeds on the running road: hops, late hops, counts, silence, what is expected."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest

from services.kernel import legal_clock, working_days
from tests.support.road import Road, again, organisation, submission
from tests.support.stack import eventually

pytestmark = pytest.mark.usefixtures("well_behaved")

AGENCY, ITEM = "420000-hbt", "org-permit"
COUNTED = ("submitted", "accepted", "duplicate", "refused", "late_agency", "late_unit")


def lines(road: Road, *words: str) -> list[dict[str, Any]]:
    """The JSON lines a command prints."""
    return [json.loads(line) for line in road.stack.credit(*words, "--json").stdout.splitlines()]


def china_today() -> date:
    return legal_clock.china_day(time.time_ns() // 1_000_000)


def feed(road: Road, agency: str = AGENCY, item: str = ITEM) -> dict[str, Any]:
    found = [one for one in lines(road, "feeds", "--agency", agency) if one["item"] == item]
    return found[0] if found else dict.fromkeys(COUNTED, 0)


def test_a_late_record_names_the_hop_and_whom_it_is_charged_to(road: Road) -> None:
    late = submission("org-penalty", organisation())  # decided in 2017
    (record_id,) = road.accepted(late)
    road.changes("public", record_id, 1)
    for named in (late["submission_id"], record_id):
        (told,) = lines(road, "clock", named)
        assert [hop["hop"] for hop in told["hops"]] == ["agency", "ingestion", "identity", "disclosure"]
        assert all(hop["ended_at"] for hop in told["hops"])
        assert (told["late"], told["charged"]) == (["agency"], "agency")
        assert (told["public"]["due_on"], told["receipt_due_on"]) == ("2017-10-13", "2017-10-13")


def test_each_version_has_its_own_clock(road: Road) -> None:
    first = submission(ITEM, organisation())
    (record_id,) = road.accepted(first)
    road.accepted(again(first, "correct", XK_NR="演示更正"))
    road.changes("public", record_id, 2)
    found = lines(road, "clock", record_id)
    assert [(one["version"], one["action"], bool(one["late"])) for one in found] == [
        (1, "report", True),
        (2, "correct", False),  # what changed is of today, whatever was decided in 2017
    ]


def test_every_answer_is_counted_in_its_feed(road: Road) -> None:
    before = feed(road)
    first = submission(ITEM, organisation())
    today = china_today()
    fresh = {"XK_JDRQ": today, "XK_YXQZ": today}
    in_time = submission(ITEM, organisation(), fresh, decided_on=today)
    road.submit(first, in_time, first, again(first, "report", XK_NR="演示另一内容"))
    after = feed(road)
    assert {name: after[name] - before[name] for name in COUNTED} == {
        "submitted": 4,
        "accepted": 2,
        "duplicate": 1,
        "refused": 1,
        "late_agency": 1,
        "late_unit": 0,
    }
    assert sum(day["submitted"] for day in after["days"]) == after["submitted"]


@contextmanager
def past(road: Road, agencies: list[str], silent: list[str]) -> Iterator[None]:
    """Eight working weeks in which each agency sent 400 a day, some only until a week ago; nothing of it is left."""
    today = china_today()
    every = (today - timedelta(n) for n in range(56))
    days = [day for day in every if day <= working_days.LAST and working_days.is_working_day(day)]
    insert = "INSERT INTO feeds VALUES ($1, $2, 'org-permit', 9, 400, 0, 0, 0, 0, 1, 1, NULL)"
    for agency in agencies:
        for day in days:
            if agency not in silent or day < today - timedelta(7):
                road.stack.sql("ingestion", insert, (day - date(1970, 1, 1)).days, agency)
    try:
        yield
    finally:
        road.stack.sql("ingestion", "DELETE FROM feeds WHERE partition = 9")


def test_half_of_the_agencies_are_silent_and_they_are_named(road: Road) -> None:
    agencies = [f"42000{n}-演示" for n in range(6)]
    with past(road, agencies, agencies[::2]):
        found = [one["agency"] for one in lines(road, "feeds", "--silent")]
    known = china_today() <= working_days.LAST  # beyond the calendar nobody is called silent
    assert [agency for agency in found if agency in agencies] == (agencies[::2] if known else [])


def test_what_is_expected_is_said_once_and_shown(road: Road) -> None:
    road.stack.credit("feeds", "expect", AGENCY, ITEM, "--records", "0")
    assert feed(road)["expected"] == "0 in 1 working days"
    refused = road.stack.credit("feeds", "expect", AGENCY, "no-such-item", "--records", "1", check=False)
    assert refused.returncode == 1
    assert "not responsible" in refused.stderr


def test_feeds_are_shown_as_metrics(road: Road) -> None:
    road.accepted(submission(ITEM, organisation()))
    wanted = f'credit_ingestion_late_total{{agency="{AGENCY}",hop="agency",item="{ITEM}"}}'
    address = road.stack.layout.address("ingestion.http")

    def shown() -> bool:
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=5) as answer:
            return wanted in answer.read().decode()

    eventually(shown, "the late hop is counted")
