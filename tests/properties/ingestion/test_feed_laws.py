"""Laws of the feeds: every answer is counted once, and how a batch is cut changes nothing."""

from __future__ import annotations

from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.ingestion.domain import feed, record
from services.ingestion.domain.events import RecordAccepted, SubmissionDuplicate, SubmissionRefused
from services.ingestion.domain.feed import Counts
from services.ingestion.domain.punctuality import CHINA_MS, DAY_MS, EPOCH
from services.ingestion.domain.submission import Origin, Submission
from services.kernel import legal_clock
from services.kernel.legal_clock import Moments

FIRST, LAST = (date.fromisoformat(text).toordinal() - EPOCH for text in ("2017-04-05", "2017-12-20"))
NOW = (LAST + 1) * DAY_MS - CHINA_MS


def submission(
    agency: str, item: str, partition: int, action: str, decided: int, unit: bool, waits: tuple[int, int]
) -> Any:
    """Decided on a day, produced and received so many hours later."""
    produced = decided * DAY_MS - CHINA_MS + waits[0] * 3_600_000
    origin = Origin(agency, partition, b"k", min(produced + waits[1] * 3_600_000, NOW), NOW)
    fixed = "s", "r", item, 1, 9, action, b"c" * 16, b"d" * 8, produced, b"r" * 16, None, b"", b"v", (), ()
    return Submission(origin, *fixed, decided, unit)


SUBMISSIONS = st.builds(
    submission,
    st.sampled_from(["420000-hbt", "420100-xyb"]),
    st.sampled_from(["org-penalty", "code-mapping"]),
    st.integers(0, 1),
    st.sampled_from(["report", "report", "correct", "withdraw"]),
    st.integers(FIRST, LAST),
    st.booleans(),
    st.tuples(st.integers(0, 200), st.integers(0, 200)),
)
EVENTS = st.sampled_from(
    [RecordAccepted(1, "", b"", 0, b"", 0, 1, 9, b"", b""), SubmissionDuplicate(b""), SubmissionRefused(())]
)
BATCHES = st.lists(st.tuples(EVENTS, SUBMISSIONS), max_size=30)


def shown(item: str) -> bool:
    return item == "org-penalty"


@given(BATCHES)
def test_every_answer_is_counted_once(told: list[Any]) -> None:
    assert sum(counts.submitted for counts in feed.tally(told, shown).values()) == len(told)


@given(BATCHES, st.integers(0, 30))
def test_how_a_batch_is_cut_changes_nothing(told: list[Any], at: int) -> None:
    parts: dict[Any, Counts] = {}
    for part in (told[:at], told[at:]):
        for place, counts in feed.tally(part, shown).items():
            parts[place] = feed.added(parts[place], counts) if place in parts else counts
    assert parts == feed.tally(told, shown)


@given(SUBMISSIONS)
def test_the_late_hops_of_a_feed_are_those_of_the_legal_clock(given_: Any) -> None:
    """Two ways to the same answer: the quick one of a batch, and the one that `credit clock` gives of a record."""
    reported = given_._replace(action="report")
    event = record.decide(record.UNKNOWN, reported)[0]
    (counts,) = feed.tally([(event, reported)], shown).values()
    decided = date.fromordinal(reported.decided_on + EPOCH)
    moments = Moments(
        reported.item, reported.origin.agency, "report", reported.from_unit, True, decided, reported.produced_at,
        reported.origin.received_at,
    )  # fmt: skip
    late = legal_clock.read(moments, NOW).late
    assert (bool(counts.late_unit), bool(counts.late_agency)) == ("unit" in late, "agency" in late)
