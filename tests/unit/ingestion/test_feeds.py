"""Feeds: counts of a batch, late hops, what is usual, and the agencies that fell silent."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from services.ingestion import metrics
from services.ingestion.domain import expectation, feed, open_terms, record
from services.ingestion.domain.events import CommandRefused, CommandRepeated, RecordAccepted
from services.ingestion.domain.expectation import NOTHING, FeedExpected, read_expect
from services.ingestion.domain.faults import fault
from services.ingestion.domain.feed import UNKNOWN_ITEM, Counts, Place
from services.ingestion.domain.punctuality import EPOCH
from services.ingestion.domain.record import UNKNOWN
from services.ingestion.domain.silence import Expected, pulse
from services.ingestion.domain.submission import Origin, Submission
from services.ingestion.feed_list import told_of
from services.kernel import working_days
from services.kernel.working_days import Change

AGENCY = "420000-hbt"


def day(text: str) -> int:
    return date.fromisoformat(text).toordinal() - EPOCH


def at(text: str) -> int:
    return int(datetime.fromisoformat(f"{text}+08:00").timestamp() * 1000)


def submission(**changes: Any) -> Submission:
    """A penalty decided before National Day 2017, with the platform the next morning."""
    usual: dict[str, Any] = {
        "agency": AGENCY,
        "partition": 0,
        "received": "2017-09-29 09:00",
        "now": "2017-09-29 09:00:01",
        "item": "org-penalty",
        "version": 1,
        "action": "report",
        "produced": "2017-09-28 17:00",
        "faults": (),
        "decided": "2017-09-28",
        "from_unit": False,
    } | changes
    origin = Origin(usual["agency"], usual["partition"], b"k", at(usual["received"]), at(usual["now"]))
    fixed = "s-1", "r-1", usual["item"], usual["version"], 9, usual["action"], b"c" * 16, b"d" * 8
    rest = at(usual["produced"]), b"r" * 16, None, b"", b"v", usual["faults"], ()
    return Submission(origin, *fixed, *rest, day(usual["decided"]), usual["from_unit"])


def told(*given: Submission) -> list[tuple[Any, Submission]]:
    """Each with the event that a new record makes of it."""
    return [(record.decide(UNKNOWN, one)[0], one) for one in given]


def tallied(*given: Submission, shown: bool = True) -> dict[Place, Counts]:
    return feed.tally(told(*given), lambda item: shown)


def only(counted: dict[Place, Counts]) -> Counts:
    (counts,) = counted.values()
    return counts


def test_every_answer_of_a_batch_is_counted_once_in_its_own_row() -> None:
    good, wrong = submission(), submission(faults=(fault("AGENCY_UNKNOWN"),), item="nonsense", version=0)
    again = (record.SubmissionDuplicate(b"d" * 8), good)
    counted = feed.tally([*told(good, submission(partition=1), wrong), again], lambda item: False)
    assert {(place.item, place.partition): counts[:3] for place, counts in counted.items()} == {
        ("org-penalty", 0): (1, 1, 0),
        ("org-penalty", 1): (1, 0, 0),
        (UNKNOWN_ITEM, 0): (0, 0, 1),
    }
    assert {place.day for place in counted} == {day("2017-09-29")}
    assert sum(counts.submitted for counts in counted.values()) == 4


HOPS: list[tuple[str, dict[str, Any], tuple[int, int]]] = [
    ("in time", {}, (0, 0)),
    ("two calendar days, as written", {"received": "2017-09-30 23:59:59", "now": "2017-10-01 00:00"}, (0, 0)),
    ("and not a moment more", {"received": "2017-10-01 00:00:00", "now": "2017-10-01 00:01"}, (0, 1)),
    ("a city's own report has three", {"agency": "420100-xyb", "received": "2017-10-01 23:00"}, (0, 0)),
    (
        "the unit was late, the agency was not",
        {"from_unit": True, "produced": "2017-10-02 09:00", "received": "2017-10-04 09:00"},
        (1, 0),
    ),
    (
        "the agency was late, the unit was not",
        {"from_unit": True, "produced": "2017-10-01 09:00", "received": "2017-10-04 09:00"},
        (0, 1),
    ),
    ("a correction is not late for its decision", {"action": "correct", "received": "2019-10-04 09:00"}, (0, 0)),
    ("before the notice there was no such term", {"decided": "2017-03-28", "received": "2017-09-01 09:00"}, (0, 0)),
]


@pytest.mark.parametrize(("changes", "late"), [row[1:] for row in HOPS], ids=[row[0] for row in HOPS])
def test_a_late_hop_is_counted_where_it_was_late(changes: dict[str, Any], late: tuple[int, int]) -> None:
    one = submission(**changes)
    event = RecordAccepted(1, one.action, b"", 0, b"", 0, 1, 9, b"", b"")
    counts = only(feed.tally([(event, one)], lambda item: False))
    assert (counts.late_unit, counts.late_agency) == late


def test_only_what_can_still_be_public_in_time_is_kept_as_open() -> None:
    """Of decisions of 09-28 and 09-29 the first counts; one of 09-01, overdue when it came, breaks no promise now."""
    given = [submission(decided=text) for text in ("2017-09-29", "2017-09-28", "2017-09-01")]
    assert only(tallied(*given)).earliest_decided == day("2017-09-28")
    assert only(tallied(*given, shown=False)).earliest_decided is None
    assert only(tallied(given[2])).earliest_decided is None


def test_an_amended_calendar_moves_what_is_open() -> None:
    """Spring Festival 2020 was prolonged while decisions of 2020-01-22 were open."""
    prolonged = working_days.table()
    free = {date(2020, 1, 31): Change(False, "Spring Festival")}
    first = prolonged.amended({date(2020, 2, 1): Change(True, "Spring Festival")}, back=free)
    given = submission(
        decided="2020-01-22", received="2020-01-22 09:00", now="2020-01-22 09:00", produced="2020-01-22 08:00"
    )
    feeds = feed.summed(tallied(given).items())
    found = [open_terms.read(feeds, calendar)[day("2020-01-22")].due_on for calendar in (first, prolonged, None)]
    assert found == [day("2020-02-06"), day("2020-02-10"), day("2020-02-10")]


def test_a_submission_that_waits_must_be_handled_within_five_working_days() -> None:
    assert open_terms.intake_due(day("2017-09-29")) == day("2017-10-12")
    assert open_terms.intake_due(day("2026-12-30")) > day("2100-01-01")  # the calendar has no such year


# --- silence -----------------------------------------------------------------------------------------------------


def sent(counts: dict[str, int]) -> dict[int, Counts]:
    return {day(text): Counts(accepted=number, first_at=1, last_at=1) for text, number in counts.items()}


def every_working_day(number: int, first: str, last: str) -> dict[str, int]:
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    days = (start + timedelta(n) for n in range((end - start).days + 1))
    return {d.isoformat(): number for d in days if working_days.is_working_day(d)}


def test_half_of_the_agencies_fall_silent_and_only_they_are() -> None:
    """Ten agencies, 400 a working day; five stop on the Friday before National Day, which is no silence by itself."""
    on, off = every_working_day(400, "2017-09-04", "2017-10-13"), every_working_day(400, "2017-09-04", "2017-09-30")
    feeds = {f"4200{n:02}-a": sent(off if n % 2 else on) for n in range(10)}
    silent = {text: [a for a, days in feeds.items() if pulse(_until(days, text), None, day(text)).silent] for text in (
        "2017-10-08", "2017-10-09", "2017-10-10", "2017-10-14")}  # fmt: skip
    stopped = [agency for n, agency in enumerate(feeds) if n % 2]
    assert silent == {"2017-10-08": [], "2017-10-09": [], "2017-10-10": stopped, "2017-10-14": stopped}
    found = pulse(_until(feeds[stopped[0]], "2017-10-14"), None, day("2017-10-14"))
    assert found == (400.0, 5, 2000.0)


def _until(days: dict[int, Counts], today: str) -> dict[int, Counts]:
    return {d: counts for d, counts in days.items() if d <= day(today)}


def test_a_record_of_today_ends_the_silence() -> None:
    days = sent(every_working_day(10, "2017-09-04", "2017-09-20") | {"2017-10-10": 1})
    assert not pulse(days, None, day("2017-10-10")).silent


def test_one_great_load_is_not_what_is_usual() -> None:
    assert pulse(sent({"2017-09-04": 50_000}), None, day("2017-10-20")) == (None, 29, None)


def test_silence_does_not_make_itself_usual() -> None:
    days = sent(every_working_day(3, "2017-06-01", "2017-06-30"))
    assert pulse(days, None, day("2017-12-29")).usual == 3.0


def test_what_an_operator_expects_counts_instead_also_of_a_feed_that_never_sent() -> None:
    expected = Expected(1, 5, day("2017-09-04"))
    assert not pulse({}, expected, day("2017-09-30")).silent
    assert pulse({}, expected, day("2017-10-20")).silent
    assert not pulse({}, Expected(0, 1, day("2017-09-04")), day("2017-12-01")).silent


def test_beyond_the_calendar_nobody_is_called_silent() -> None:
    days = sent(every_working_day(400, "2026-11-02", "2026-12-31"))
    assert pulse(days, None, day("2027-02-01")) == (None, None, None)


def test_the_list_tells_counts_and_rates_of_a_feed() -> None:
    key = (AGENCY, "org-penalty")
    days = {day("2017-09-28"): Counts(6, 2, 2, 1, 3, 10, 20), day("2017-09-29"): Counts(10, 0, 0, 0, 1, 30, 40_000)}
    (line,) = told_of({key: days}, {key: 10}, {}, 100_000, day("2017-09-29"))
    assert (line["submitted"], line["duplicate_rate"], line["refused_rate"], line["late_rate"]) == (20, 0.1, 0.1, 0.25)
    assert (line["age_s"], line["first_seen"], len(line["days"])) == (60, "1970-01-01T00:00:00+00:00", 2)


def test_metrics_name_the_silent_feed_and_no_other() -> None:
    today, off = day("2017-10-12"), sent(every_working_day(400, "2017-09-04", "2017-09-30"))
    on = sent(every_working_day(400, "2017-09-04", "2017-10-12"))
    metrics.show_feeds({("a", "i"): off, ("b", "i"): on}, {}, at("2017-10-12 12:00"), today)
    found = {s.labels["agency"]: s.value for m in metrics.FEED_SILENT.collect() for s in m.samples}
    assert found == {"a": 1.0, "b": 0.0}


# --- what is expected --------------------------------------------------------------------------------------------


def test_an_expectation_is_taken_repeated_and_refused() -> None:
    said = {"agency": AGENCY, "item": "org-penalty", "records": 400}
    wish = read_expect("c-1", said)
    (event,) = expectation.decide(NOTHING, wish, 17, True)
    assert event == FeedExpected("c-1", Expected(400, 1, 17))
    state = expectation.evolve(NOTHING, event)
    assert expectation.decide(state, wish, 99, True) == (CommandRepeated("c-1"),)
    assert expectation.decide(state, read_expect("c-2", said), 99, True) == (CommandRepeated("c-2"),)
    (changed,) = expectation.decide(state, read_expect("c-3", said | {"days": 5}), 99, True)
    assert changed == FeedExpected("c-3", Expected(400, 5, 99))
    (refused,) = expectation.decide(NOTHING, wish, 17, False)
    assert isinstance(refused, CommandRefused)
    assert refused.faults[0].code == "CATALOGUE_NOT_OWNED"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"agency": "hbt"}, "agency"),
        ({"item": ""}, "item"),
        ({"records": -1}, "records"),
        ({"records": True}, "records"),
        ({"days": 0}, "days"),
        ({"days": "1"}, "days"),
    ],
)
def test_a_wrong_expectation_names_its_field(changes: dict[str, Any], field: str) -> None:
    wish = read_expect("c", {"agency": AGENCY, "item": "org-penalty", "records": 1, "days": 1} | changes)
    assert [f.field for f in wish.faults] == [field]
