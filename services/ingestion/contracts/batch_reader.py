"""A batch of messages -> the submissions of which the native reader is certain; the others are left to Python.

The extension knows nothing of the register: it is handed everything as plain values, made anew with each revision.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from services.chassis.message import Message, Moment, Outgoing
from services.ingestion.contracts.answers import RECEIPT_KIND, RECORD, Speaker, receipts_topic
from services.ingestion.contracts.edition import Edition
from services.ingestion.contracts.register import Register
from services.ingestion.contracts.submissions import SUBMIT, VERSION
from services.ingestion.domain.deadlines import due_on
from services.ingestion.domain.definition import Item
from services.ingestion.domain.envelope import Sender, china_day
from services.ingestion.domain.intake import unlimited
from services.ingestion.domain.submission import Origin, Submission
from services.ingestion.domain.terms import ACTIONS
from services.ingestion.native import Native


class BatchReader:
    """Reads as `SubmissionReader` does, many at once, and answers None wherever it is not certain."""

    def __init__(self, native: Native, register: Register, speaker: Speaker, tolerance_ms: int) -> None:
        self._native = native
        self._register = register
        self._speaker = speaker
        self._tolerance_ms = tolerance_ms
        self._revision: int | None = None
        self._context: tuple[Any, ...] = ()

    def read_many(self, messages: Sequence[Message], moment: Moment) -> list[Submission | None]:
        """One answer per message. What is certain is certain at this moment: days and clocks are judged here too."""
        if self._revision != self._register.revision:
            self._context = self._made(china_day(moment.now_ms))
            self._revision = self._register.revision
        now = moment.now_ms
        return self._native.read_many(self._context, messages, now, china_day(now), now + self._tolerance_ms)

    def _made(self, day: int) -> tuple[Any, ...]:
        """An edition that a report may be refused for, whatever it says, is left to Python."""
        known = [edition for edition in self._register.editions() if edition.program is not None]
        editions = [e for e in known if unlimited(e.item, self._register.door(e.item.code), day)]
        speaker = self._speaker
        return (
            Submission,
            Origin,
            Outgoing,
            {edition.schema_id: _known(edition) for edition in editions},
            {f"{SUBMIT}{sender.agency}{VERSION}": _source(sender, editions) for sender in self._register.senders()},
            ACTIONS,
            RECORD,
            speaker.record_head,
            RECEIPT_KIND,
            speaker.receipt_head,
        )


def _known(edition: Edition) -> tuple[Any, ...]:
    """The dict holds the due dates asked for so far; there are no more of them than days since 1900."""
    item = edition.item
    days: dict[int, int | None] = {}
    return edition.program, item.code, item.version, edition.schema_id, edition.facts, days, partial(_due, item)


def _due(item: Item, decided_on: int) -> int | None:
    """None where the answer comes with a note."""
    day, notes = due_on(item, decided_on)
    return None if notes else day


def _source(sender: Sender, editions: Sequence[Edition]) -> tuple[Any, ...]:
    items = sender.items or frozenset[str]()
    allowed = frozenset(edition.schema_id for edition in editions if edition.item.code in items)
    return sender.agency, receipts_topic(sender.agency), allowed
