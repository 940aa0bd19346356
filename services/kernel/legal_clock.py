"""The legal clock of a record: where it was when, what fell due there, and whom a breach is charged to.

    decided ─ unit ─ collected ─ agency ─ received ─ ingestion ─ accepted ─ identity ─ linked ─ disclosure ─ visible

The hops are named after who has the record. `collected` is known only where a lower unit produced it: then the agency
made its record of it at `produced_at`; else the agency's days run from the decision, for it is its own. A correction or
a withdrawal runs from its `produced_at`: what changed is not the decision.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from services.kernel import legal_terms
from services.kernel.legal_terms import Term
from services.kernel.working_days import Calendar, CalendarEnded

CHINA = timedelta(hours=8)  # one time zone, no summer time
SENDERS = ("unit", "agency")
PLATFORM = ("ingestion", "identity", "disclosure")


class Moments(NamedTuple):
    """What is known of one version of a record: days, and milliseconds since 1970; None: not yet, or never told."""

    item: str
    agency: str
    action: str
    from_unit: bool  # a lower unit produced it
    shown: bool  # it is of those that are published
    decided_on: date
    produced_at: int
    received_at: int | None = None
    accepted_at: int | None = None
    linked_at: int | None = None
    visible_at: int | None = None


class Hop(NamedTuple):
    """One stretch of the way. `ended_at` is None while the record is there; `due_on` where a term is in force.

    `left_ms` is what was left at its end, or is left now; below 0: late. `note` says why nothing is reckoned.
    """

    name: str
    began_on: date
    ended_at: int | None
    term: Term | None
    due_on: date | None
    left_ms: int | None
    note: str = ""

    @property
    def late(self) -> bool:
        """Whether it ended after its last day, or is open beyond it."""
        return self.left_ms is not None and self.left_ms < 0


class Clock(NamedTuple):
    """The hops a record has begun, the public's term over all of them, and who answers for that if it is broken."""

    hops: tuple[Hop, ...]
    public: Hop | None
    charged: str  # the name of a hop, or empty

    @property
    def late(self) -> tuple[str, ...]:
        """The hops that took longer than they had."""
        return tuple(hop.name for hop in self.hops if hop.late)


def china_day(at_ms: int) -> date:
    """The day in China at a moment."""
    return (datetime.fromtimestamp(at_ms / 1000, UTC) + CHINA).date()


def end_ms(day: date) -> int:
    """The first moment after a day in China."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(1) - CHINA
    return int(midnight.timestamp() * 1000)


def read(moments: Moments, now_ms: int, calendar: Calendar | None = None, table: Sequence[Term] | None = None) -> Clock:
    """The clock as it stands at a moment, by the calendar and the rules given (default: this release's)."""
    face = _Face(moments, now_ms, calendar, table)
    hops = tuple(face.hops())
    public = face.public()
    return Clock(hops, public, _charged(hops, public) if public and public.late else "")


class _Face:
    """What a reading is made from."""

    def __init__(self, m: Moments, now_ms: int, calendar: Calendar | None, table: Sequence[Term] | None) -> None:
        self._m, self._now, self._calendar, self._table = m, now_ms, calendar, table
        self._begins = m.decided_on if m.action == "report" else china_day(m.produced_at)

    def hops(self) -> Iterator[Hop]:
        """From the first to the one under way; where nothing is published the way ends with the answer."""
        m, received = self._m, self._m.received_at
        unit = m.from_unit and m.action == "report"
        if unit:
            yield self._hop("unit", "unit", self._begins, m.produced_at)
        yield self._hop("agency", "agency", china_day(m.produced_at) if unit else self._begins, received)
        ends = (m.accepted_at, m.linked_at, m.visible_at) if m.shown else (m.accepted_at,)
        began = received
        for name, ended in zip(PLATFORM, ends, strict=False):
            if received is None or began is None:
                return
            # The platform's term is one for all of its services, from the receipt on.
            yield self._hop(name, "platform", china_day(received), ended, china_day(began))
            began = ended

    def public(self) -> Hop | None:
        """From the decision (or the change) to the public."""
        if not self._m.shown or self._term("public") is None:
            return None
        return self._hop("public", "public", self._begins, self._m.visible_at)

    def _term(self, hop: str) -> Term | None:
        m = self._m
        level = legal_terms.level_of(m.agency)
        return legal_terms.choose(hop, m.item, level, m.action, self._begins, self._table)

    def _hop(self, name: str, rule: str, start: date, ended: int | None, began: date | None = None) -> Hop:
        term = self._term(rule)
        began_on = began or start
        if term is None:
            return Hop(name, began_on, ended, None, None, None, "no term in force at the decision")
        try:
            due = term.due(start, self._calendar)
        except CalendarEnded as trouble:
            return Hop(name, began_on, ended, term, None, None, str(trouble))
        if began_on > due and began_on != start:
            return Hop(name, began_on, ended, term, due, None, "the days were over before it began")
        # By days: what ends on the last day is in time, whatever the hour.
        return Hop(name, began_on, ended, term, due, end_ms(due) - 1 - (self._now if ended is None else ended))


def _charged(hops: Sequence[Hop], public: Hop) -> str:
    """The hop that was under way when the public's term ran out; if that one kept its own, the last late one before."""
    assert public.due_on is not None
    over = end_ms(public.due_on)
    at = next((n for n, hop in enumerate(hops) if hop.ended_at is None or hop.ended_at >= over), len(hops) - 1)
    under_way = hops[at]
    if under_way.late or under_way.due_on is None:
        return under_way.name
    return next((hop.name for hop in reversed(hops[:at]) if hop.late), under_way.name)
