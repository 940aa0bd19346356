"""Whether a record came before the public in time, and who answers for it if not: the kernel's terms."""

from __future__ import annotations

from datetime import date
from typing import Literal

from services.disclosure.domain.events import RecordChanged
from services.kernel import legal_clock, legal_terms
from services.kernel.legal_clock import Moments
from services.kernel.working_days import CalendarEnded

NEVER = 1 << 62  # ms: no term is in force, or the calendar has no such year
Charged = Literal["sender", "platform"]


class PublicDue(dict[tuple[str, date], int]):
    """(item, day of the decision) -> the first moment that is too late (ms); reckoned when first asked for."""

    def __missing__(self, key: tuple[str, date]) -> int:
        moment = self[key] = _reckoned(*key)
        return moment


def _reckoned(item: str, decided_on: date) -> int:
    term = legal_terms.choose("public", item, "", "report", decided_on)
    try:
        return NEVER if term is None else legal_clock.end_ms(term.due(decided_on))
    except CalendarEnded:
        return NEVER


def late(due: PublicDue, event: RecordChanged) -> bool:
    """A first version that the public sees after its days were over; a correction has another clock."""
    if event.feed != "public" or event.change != "ADDED" or event.version != 1:
        return False
    return event.at_ms >= due[event.shown.item, event.shown.decided_on]


def charged(due: PublicDue, event: RecordChanged) -> Charged:
    """Of a late one. When the agency had it is not known here: it is taken for received when it was accepted."""
    shown = event.shown
    if shown.accepted_at_ms >= due[shown.item, shown.decided_on]:
        return "sender"
    at = shown.accepted_at_ms
    moments = Moments(shown.item, shown.agency, "report", False, True, shown.decided_on, at, at, at, at, event.at_ms)
    return "sender" if legal_clock.read(moments, event.at_ms).charged in legal_clock.SENDERS else "platform"
