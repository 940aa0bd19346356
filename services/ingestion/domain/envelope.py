"""The rules of the envelope: who may say what about whom, when."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from services.ingestion.domain import received
from services.ingestion.domain.clauses import clause
from services.ingestion.domain.codes import USCC_EXAMPLE
from services.ingestion.domain.definition import Item
from services.ingestion.domain.faults import Fault, cited, fault
from services.ingestion.domain.identifiers import holds_identity_number, judge, place
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
ENVELOPE_EXAMPLES = {
    "submission_id": "20170929-0001",
    "record_no": "演罚〔2017〕1号",
    "source_unit": "演示市演示局",
    "subject_name": "演示甲有限公司",
    "subject_code": USCC_EXAMPLE,
}
CODE_EXAMPLES = {  # synthetic; of a person none is shown
    "uscc": USCC_EXAMPLE,
    "org_code": "MA4KLM0N5",
    "reg_no": "420100000000014",
    "resident_id": "6-digit region, 8-digit date of birth, 3 digits, check digit",
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
        faults.append(fault("ACTION_UNKNOWN", "action", received=received.nearest(envelope.action, ACTIONS)))
    if key != envelope.record_no.encode():
        faults.append(fault("KEY_MISMATCH", "record_no", received=_compared(key, envelope.record_no)))
    wrong, notes = _subject(envelope, item)
    found = (*faults, *wrong)
    return Verdict(tuple(cited(each, clause(item, each.field)) for each in found), notes)


def _compared(key: bytes, record_no: str) -> str:
    return received.compared(record_no, key.decode(errors="replace"))


def _texts(envelope: Envelope) -> Iterator[Fault]:
    values = envelope._asdict()
    for name, (low, high) in LIMITS.items():
        text = values[name]
        example = ENVELOPE_EXAMPLES[name]
        if not low <= len(text) <= high or (low and not text.strip()):
            rule, rule_zh = f"{low} to {high} characters", f"{low}至{high}个字符"
            yield fault("ENVELOPE_FORMAT", name, example, received.text(text), rule=rule, rule_zh=rule_zh)
        elif found := BROKEN.search(text):
            rule, rule_zh = "no control characters", "不得含控制字符"
            told = received.text(text, found.start() + 1)
            yield fault("ENVELOPE_FORMAT", name, example, told, rule=rule, rule_zh=rule_zh)


def _owner(envelope: Envelope, sender: Sender, item: Item) -> Iterator[Fault]:
    if envelope.agency != sender.agency:
        told = received.compared(envelope.agency, sender.agency)
        yield fault("AGENCY_MISMATCH", "agency", sender.agency, told)
    if envelope.item != item.code:
        yield fault("ITEM_MISMATCH", "item", item.code, received.compared(envelope.item, item.code))
    if sender.items is None:
        yield fault("AGENCY_UNKNOWN", "agency", received=received.text(sender.agency))
    elif item.code not in sender.items:
        yield fault("CATALOGUE_NOT_OWNED", "item", ", ".join(sorted(sender.items)), f"item={item.code}")


def _times(envelope: Envelope, now: int, tolerance_ms: int) -> Iterator[Fault]:
    today = china_day(now)
    decided, produced = envelope.decided_on, envelope.produced_at
    if decided > today:
        yield fault("DECIDED_ON_FUTURE", "decided_on", received=received.day(decided, today))
    elif decided < FIRST_DAY:
        told = received.day(decided, FIRST_DAY)
        yield fault("ENVELOPE_RANGE", "decided_on", "2017-03-29", told, low="1900-01-01", high="today")
    if produced > now + tolerance_ms:
        yield fault("PRODUCED_AT_FUTURE", "produced_at", received=received.day(china_day(produced), today))
    elif produced < FIRST_PRODUCED_MS:
        told = received.day(china_day(produced), china_day(FIRST_PRODUCED_MS))
        yield fault("ENVELOPE_RANGE", "produced_at", "2017-03-29T08:00:00.000Z", told, low="2000-01-01", high="now")


def _subject(envelope: Envelope, item: Item) -> Verdict:
    given, kinds = envelope.subject_kind, item.subject_kinds
    if given not in kinds:
        told = received.nearest(given, kinds)
        wrong = fault("SUBJECT_KIND_NOT_ALLOWED", "subject_kind", kinds[0], told, rule=", ".join(kinds))
        return Verdict((wrong,), ())
    kind, kinds = envelope.subject_code_kind, CODE_KINDS[given]
    if kind not in kinds:
        told = received.nearest(kind, kinds)
        wrong = fault("SUBJECT_CODE_KIND", "subject_code_kind", kinds[0], told, rule=", ".join(kinds))
        return Verdict((wrong,), ())
    faults, notes = judge(kind, envelope.subject_code)
    return Verdict(*(tuple(_of_code(code, envelope) for code in codes) for codes in (faults, notes)))


def _of_code(code: str, envelope: Envelope) -> Fault:
    at = place(envelope.subject_code_kind, envelope.subject_code, code)
    example = CODE_EXAMPLES[envelope.subject_code_kind]
    return fault(code, "subject_code", example, received.text(envelope.subject_code, at))


def number_faults(envelope: Envelope) -> Iterator[Fault]:
    """Of a person: no number in what receipts, keys and traces carry on."""
    if envelope.subject_kind == PERSON:
        for name in ("submission_id", "source_unit", "record_no"):
            if holds_identity_number(getattr(envelope, name)):
                yield fault("FORBIDDEN_CONTENT", name, name=name)


def is_name(text: str) -> bool:
    """Whether a text can stand in a receipt as the name of something."""
    return 1 <= len(text) <= 100 and not BROKEN.search(text) and bool(text.strip())
