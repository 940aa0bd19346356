"""Drafts that ingestion must refuse, each for exactly one reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import Any

from services.cli.synthetic.basics import commitments, mappings, permits, registrations_of
from services.cli.synthetic.codes import nobodys_id, wrong_check
from services.cli.synthetic.draft import Draft, refused, with_payload
from services.cli.synthetic.judgements import defaulters, penalties, red_list
from services.cli.synthetic.organisations import Organisation
from services.kernel import uscc

Make = Callable[[Random, Sequence[Organisation]], list[Draft]]
Break = Callable[[Draft, Random], Draft]


def envelope(**changes: Any) -> Break:
    """Other values in the envelope."""
    return lambda draft, _: replace(draft, **changes)


def payload(**changes: Any) -> Break:
    """Other values in the payload."""
    return lambda draft, _: with_payload(draft, **changes)


def moved(field: str, other: str, days: int) -> Break:
    """A date so many days after another one, or before it."""
    return lambda draft, _: with_payload(draft, **{field: draft.payload[other] + timedelta(days)})


def _wrong_digit(draft: Draft, chance: Random) -> Draft:
    return replace(draft, subject_code=wrong_check(draft.subject_code, chance))


def _cut_off(draft: Draft, _: Random) -> Draft:
    return replace(draft, subject_code=draft.subject_code[:-1])


def _wrong_body(draft: Draft, chance: Random) -> Draft:
    return with_payload(draft, CF_CFJGDM=wrong_check(draft.payload["CF_CFJGDM"], chance))


def _wrong_old_code(draft: Draft, chance: Random) -> Draft:
    old = str(draft.payload["old_code"])
    return with_payload(draft, old_code=old[:-1] + str((int(old[-1]) + 1 + chance.randrange(9)) % 10))


def _identity_number(draft: Draft, chance: Random) -> Draft:
    return with_payload(draft, CF_SY=f"当事人证件号码{nobodys_id(chance.randrange(1, 999))}（虚构号码）")


KINDS: tuple[tuple[str, Make, Break], ...] = (
    ("SUBJECT_CODE_CHECK_DIGIT", registrations_of, _wrong_digit),
    ("SUBJECT_CODE_PLACEHOLDER", registrations_of, envelope(subject_code=uscc.PLACEHOLDER)),
    ("SUBJECT_CODE_FORMAT", registrations_of, _cut_off),
    ("SUBJECT_CODE_KIND", registrations_of, envelope(subject_code_kind="tax_no")),
    ("SUBJECT_KIND_NOT_ALLOWED", red_list, envelope(subject_kind="sole_trader")),
    ("ACTION_UNKNOWN", registrations_of, envelope(action="amend")),
    ("ENVELOPE_FORMAT", registrations_of, envelope(subject_name="演示" + "长" * 199)),
    ("ENVELOPE_RANGE", registrations_of, envelope(decided_on=date(1899, 12, 31))),
    ("DECIDED_ON_FUTURE", registrations_of, envelope(decided_on=date(2199, 12, 31))),
    ("FIELD_MISSING", penalties, payload(CF_WSH="")),
    ("FIELD_MISSING", penalties, payload(CF_CFLB="警告;罚款", CF_NR_FK=None)),
    ("FIELD_MISSING", permits, payload(XK_XKZS="演示证书", XK_XKBH=None)),
    ("FIELD_LENGTH", permits, payload(XK_XKWS="长" * 65)),
    ("FIELD_CHARACTERS", permits, payload(XK_NR="虚构\x07内容")),
    ("FIELD_CODE_LIST", permits, payload(XK_XKLB="演示类")),
    ("FIELD_CODE_LIST", commitments, payload(publicity="不予公开")),
    ("FIELD_FORMAT", penalties, _wrong_body),
    ("FIELD_FORMAT", penalties, payload(CF_CFLB="罚款", CF_NR_FK="2000元")),
    ("FIELD_FORMAT", registrations_of, payload(registered_capital="3,0000000(万)")),
    ("FIELD_FORMAT", mappings, _wrong_old_code),
    ("FIELD_FORMAT", commitments, payload(commitment_no="2018-0001")),
    ("FIELD_RANGE", red_list, payload(assessment_year=2013)),
    ("FIELD_ORDER", permits, moved("XK_YXQZI", "XK_YXQZ", -1)),
    ("FIELD_ORDER", defaulters, moved("filed_on", "published_on", 1)),
    ("FIELD_DISAGREES", penalties, payload(CF_XDR_MC="演示另一单位")),
    ("FORBIDDEN_CONTENT", penalties, _identity_number),
    ("RECORD_UNKNOWN", penalties, envelope(action="correct")),
    ("RECORD_UNKNOWN", permits, envelope(action="withdraw")),
)


def faulty(chance: Random, organisations: Sequence[Organisation]) -> list[Draft]:
    """One draft of each kind about each organisation; sole traders are left out, for some items are not for them."""
    able = [each for each in organisations if each.kind == "org"]
    found: list[Draft] = []
    for number, (code, make, spoil) in enumerate(KINDS):
        for n, draft in enumerate(make(chance, able)):
            found.append(refused(replace(spoil(draft, chance), record_no=f"CW-{number:02d}-{n:05d}"), code))
    return found
