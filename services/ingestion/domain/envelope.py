"""The rules of the envelope: who may say what about whom, when."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from services.ingestion.domain.definition import Item
from services.ingestion.domain.faults import Fault, fault
from services.ingestion.domain.identifiers import holds_identity_number, judge
from services.ingestion.domain.submission import Envelope
from services.ingestion.domain.terms import ACTIONS, CODE_KINDS, PERSON
from services.ingestion.domain.validators import CONTROL, FIRST_DAY

DAY_MS = 86_400_000
CHINA_MS = 8 * 3_600_000  # one time zone, no summer time
FIRST_PRODUCED_MS = 946_684_800_000  # 2000-01-01: an earlier one is a clock that was never set
LIMITS = {
    "submission_id": (1, 100),
    "record_no": (1, 100),
    "source_unit": (0, 200),
    "subject_name": (1, 200),
    "subject_code": (1, 64),
}
BROKEN = re.compile(CONTROL.pattern[:-1] + "\t\n\r]")  # in an envelope not even line ends


class Sender(NamedTuple):
    """What is known about the owner of the topic."""

    agency: str
    items: frozenset[str] | None  # the items it may submit; None: not registered


class Verdict(NamedTuple):
    """What is wrong with an envelope, and what is only worth a note."""

    faults: tuple[Fault, ...]
    notes: tuple[Fault, ...]


def china_day(moment_ms: int) -> int:
    """The day in China at a moment, as days since 1970."""
    return (moment_ms + CHINA_MS) // DAY_MS


def check(envelope: Envelope, sender: Sender, item: Item, key: bytes, now: int, tolerance_ms: int) -> Verdict:
    """Every fault of the envelope at once."""
    faults = [*_texts(envelope), *_owner(envelope, sender, item), *_times(envelope, now, tolerance_ms)]
    if envelope.action not in ACTIONS:
        faults.append(fault("ACTION_UNKNOWN", "action"))
    if key != envelope.record_no.encode():
        faults.append(fault("KEY_MISMATCH", "record_no"))
    wrong, notes = _subject(envelope, item)
    return Verdict((*faults, *wrong), notes)


def _texts(envelope: Envelope) -> Iterator[Fault]:
    values = envelope._asdict()
    for name, (low, high) in LIMITS.items():
        text = values[name]
        if not low <= len(text) <= high or (low and not text.strip()):
            yield fault("ENVELOPE_FORMAT", name, rule=f"{low} to {high} characters", rule_zh=f"{low}至{high}个字符")
        elif BROKEN.search(text):
            yield fault("ENVELOPE_FORMAT", name, rule="no control characters", rule_zh="不得含控制字符")


def _owner(envelope: Envelope, sender: Sender, item: Item) -> Iterator[Fault]:
    if envelope.agency != sender.agency:
        yield fault("AGENCY_MISMATCH", "agency")
    if envelope.item != item.code:
        yield fault("ITEM_MISMATCH", "item", item.code)
    if sender.items is None:
        yield fault("AGENCY_UNKNOWN", "agency")
    elif item.code not in sender.items:
        yield fault("CATALOGUE_NOT_OWNED", "item")


def _times(envelope: Envelope, now: int, tolerance_ms: int) -> Iterator[Fault]:
    if envelope.decided_on > china_day(now):
        yield fault("DECIDED_ON_FUTURE", "decided_on")
    elif envelope.decided_on < FIRST_DAY:
        yield fault("ENVELOPE_RANGE", "decided_on", "2017-03-29", low="1900-01-01", high="today")
    if envelope.produced_at > now + tolerance_ms:
        yield fault("PRODUCED_AT_FUTURE", "produced_at")
    elif envelope.produced_at < FIRST_PRODUCED_MS:
        yield fault("ENVELOPE_RANGE", "produced_at", "2017-03-29T08:00:00.000Z", low="2000-01-01", high="now")


def _subject(envelope: Envelope, item: Item) -> Verdict:
    if envelope.subject_kind not in item.subject_kinds:
        allowed = ", ".join(item.subject_kinds)
        return Verdict((fault("SUBJECT_KIND_NOT_ALLOWED", "subject_kind", item.subject_kinds[0], rule=allowed),), ())
    kinds = CODE_KINDS[envelope.subject_kind]
    if envelope.subject_code_kind not in kinds:
        return Verdict((fault("SUBJECT_CODE_KIND", "subject_code_kind", kinds[0], rule=", ".join(kinds)),), ())
    wrong, notes = judge(envelope.subject_code_kind, envelope.subject_code)
    return Verdict(tuple(fault(code, "subject_code") for code in wrong), tuple(fault(c, "subject_code") for c in notes))


def number_faults(envelope: Envelope) -> Iterator[Fault]:
    """Of a person: no number in what receipts, keys and traces carry on."""
    if envelope.subject_kind == PERSON:
        for name in ("submission_id", "source_unit", "record_no"):
            if holds_identity_number(getattr(envelope, name)):
                yield fault("FORBIDDEN_CONTENT", name, name=name)


def is_name(text: str) -> bool:
    """Whether a text can stand in a receipt as the name of something."""
    return 1 <= len(text) <= 100 and not BROKEN.search(text) and bool(text.strip())
