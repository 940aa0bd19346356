"""Synthetic data is what it says it is: judged by the real ingestion and identity code, counted with the kernel."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest

from services.chassis.message import Moment
from services.cli.synthetic import codes, faulty, spread, words
from services.cli.synthetic.chance import source
from services.cli.synthetic.organisations import BODIES
from services.cli.synthetic.records import Draft, drafts, organisations, strangers
from services.cli.synthetic.registrations import COLUMNS, plan, registrations
from services.identity.domain.events import RecordHeld, RecordLinked
from services.ingestion.contracts.answers import Speaker
from services.ingestion.domain.events import RecordAccepted, SubmissionDuplicate, SubmissionRefused
from services.ingestion.domain.submission import Submission
from services.ingestion.handlers.records import Records
from services.kernel import money, organisation_code, registration_number, resident_id, uscc
from tests.support import driver
from tests.unit.identity import samples as identity
from tests.unit.ingestion import samples

SEED, COUNT = 7, 300
NOW = Moment(int(datetime(2020, 1, 2, tzinfo=UTC).timestamp() * 1000))
ROWS = 5000


class Ids:
    def schema_id(self, name: str) -> int:
        return 1


@cache
def rows(count: int = ROWS, seed: int = SEED) -> list[dict[str, str]]:
    return list(registrations(seed, count))


@cache
def told(seed: int = SEED, count: int = COUNT) -> list[Draft]:
    return drafts(seed, organisations(seed, count))


ITEMS = {  # what the demonstration publishes of the catalogue
    "black-list-environment", "code-mapping", "court-defaulter", "credit-commitment", "enterprise-registration",
    "org-penalty", "org-permit", "red-list-tax-a",
}  # fmt: skip


def submission(number: int, draft: Draft) -> Submission:
    """The draft as ingestion reads it from the wire."""
    record: dict[str, Any] = {
        "submission_id": f"s-{number}",
        "item": draft.item,
        "agency": draft.agency,
        "source_unit": "",
        "action": draft.action,
        "record_no": draft.record_no,
        "subject_kind": draft.subject_kind,
        "subject_code_kind": draft.subject_code_kind,
        "subject_code": draft.subject_code,
        "subject_name": draft.subject_name,
        "decided_on": draft.decided_on,
        "produced_at": datetime(2020, 1, 1, tzinfo=UTC) + timedelta(milliseconds=number),
        "payload": draft.payload,
    }
    message = samples.message(samples.framed(record), draft.agency, draft.record_no.encode())
    return READER.read(message._replace(timestamp_ms=NOW.now_ms), NOW)


READER = samples.reader()
OUTCOMES = {RecordAccepted: "ACCEPTED", SubmissionDuplicate: "DUPLICATE", SubmissionRefused: "REFUSED"}


def judged(given: list[Draft]) -> list[tuple[str, set[str]]]:
    """The outcome of each in turn, with the codes of all its faults."""
    said = driver.run(Records(Speaker(Ids())), [submission(n, draft) for n, draft in enumerate(given)])
    events = [event for (event,) in said]
    return [
        (OUTCOMES[type(e)], {f.code for f in e.faults} if isinstance(e, SubmissionRefused) else set()) for e in events
    ]


def expected(given: list[Draft]) -> list[tuple[str, set[str]]]:
    return [(draft.expect, {draft.expect_code} - {""}) for draft in given]


@pytest.mark.parametrize(("seed", "count"), [(SEED, COUNT), (1, 40), (20170410, 300)])
def test_ingestion_answers_each_draft_as_it_expects(seed: int, count: int) -> None:
    given = told(seed, count)
    wrong = [
        (d.item, d.record_no, d.action, got, want)
        for d, got, want in zip(given, judged(given), expected(given), strict=True)
        if got != want
    ]
    assert wrong == []


def test_what_is_accepted_is_accepted_without_a_note() -> None:
    given = [submission(n, draft) for n, draft in enumerate(told()) if draft.expect == "ACCEPTED"]
    notes = {note.code for one in given for note in one.notes}
    assert notes <= {"DUE_ON_UNKNOWN"}  # registrations of before 2004


def test_every_kind_of_refusal_and_every_item_occurs() -> None:
    counted = Counter((draft.item, draft.expect) for draft in told())
    assert {item for item, expect in counted if expect == "ACCEPTED"} == ITEMS
    assert {item for item, expect in counted if expect == "DUPLICATE"} == ITEMS - {"code-mapping"}
    assert {draft.action for draft in told()} == {"report", "correct", "withdraw", "amend"}
    stateless = {code for code, _, _ in faulty.KINDS}
    assert {draft.expect_code for draft in told()} == {"", "RECORD_NO_REUSED", "ALREADY_WITHDRAWN"} | stateless
    assert 1400 <= len(told()) <= 1600


def test_record_numbers_are_shared_only_by_what_is_said_of_one_record() -> None:
    again = {"RECORD_NO_REUSED", "ALREADY_WITHDRAWN"}
    first = [d for d in told() if d.expect_code not in again and d.expect != "DUPLICATE"]
    named = [(d.item, d.record_no) for d in first if d.action == "report" or d.expect == "REFUSED"]
    assert len(set(named)) == len(named)


def test_some_corrections_are_said_twice_and_some_withdrawn() -> None:
    actions = Counter((d.item, d.record_no, d.action, d.expect) for d in told())
    corrected = {key[:2] for key in actions if key[2:] == ("correct", "ACCEPTED")}
    withdrawn = {key[:2] for key in actions if key[2:] == ("withdraw", "ACCEPTED")}
    assert corrected & withdrawn
    assert any(key[2:] == ("correct", "DUPLICATE") for key in actions)


def test_agencies_send_what_is_theirs() -> None:
    owners: dict[str, set[str]] = {}
    for draft in told():
        owners.setdefault(draft.item, set()).add(draft.agency)
    assert owners == {
        "enterprise-registration": {"420000-gsj"},
        "code-mapping": {"420000-gsj"},
        "org-permit": {"420000-gsj", "420000-hbt", "420100-xyb"},
        "org-penalty": {"420000-gsj", "420000-hbt"},
        "black-list-environment": {"420000-hbt"},
        "credit-commitment": {"420000-hbt", "420100-xyb"},
        "court-defaulter": {"420000-fy"},
        "red-list-tax-a": {"420000-gsui"},
    }


def test_identity_links_all_but_the_strangers_records() -> None:
    accepted = [(n, draft) for n, draft in enumerate(told()) if draft.expect == "ACCEPTED"]
    numbers: dict[tuple[str, str], list[int]] = {}
    seen: list[Any] = []
    for at, draft in accepted:
        versions = numbers.setdefault((draft.item, draft.record_no), [len(numbers), 0])
        versions[1] += 1
        seen.append(_seen(at, draft, *versions))
    _, events = identity.tell(*seen)
    linked = [e for e in events if isinstance(e, RecordLinked)]
    held = [e for e in events if isinstance(e, RecordHeld)]
    nobodys = sum(d.record_no.startswith("WZ-") for _, d in accepted)
    released = sum(e.released for e in linked)
    assert (len(linked), len(held)) == (len(accepted) - nobodys, nobodys + released)
    assert {e.held.reason for e in held} == {"CODE_UNKNOWN"}
    assert nobodys >= 10
    assert released >= 10


def _seen(at: int, draft: Draft, number: int, version: int) -> Any:
    how: dict[str, Any] = {"number": number, "version": version, "action": draft.action, "produced_at": at}
    how |= {"name": draft.subject_name, "subject_kind": draft.subject_kind}
    if draft.item == identity.REGISTRATION:
        return identity.registration(draft.subject_code, **how)
    if draft.item == identity.MAPPING:
        return identity.mapping(draft.subject_code, draft.payload["old_kind"], draft.payload["old_code"], **how)
    return identity.record(draft.subject_code, draft.subject_code_kind, item=draft.item, **how)


def test_the_same_seed_gives_the_same_and_another_one_does_not() -> None:
    assert rows() == list(registrations(SEED, ROWS)) != rows(seed=8)
    assert told() == drafts(SEED, organisations(SEED, COUNT)) != told(8)


def test_everybody_is_invented() -> None:
    names = [row["企业名称"] for row in rows()] + [d.subject_name for d in told()]
    names += [body.name for body in BODIES.values()]
    assert all(name.startswith("演示") for name in names)
    people = [d.payload.get("XK_FRDB") or d.payload.get("CF_FRDB") for d in told()]
    assert any(people)
    assert all(re.fullmatch("演示人员.", person) for person in people if person)


def test_sole_traders_are_told_by_their_code() -> None:
    by_kind = {(d.subject_kind, d.subject_code[:2] == "92") for d in told() if d.expect == "ACCEPTED" and _by_uscc(d)}
    assert by_kind == {("org", False), ("sole_trader", True)}


def _by_uscc(draft: Draft) -> bool:
    return draft.subject_code_kind == "uscc"


def test_organisations_are_valid_and_nobody_elses() -> None:
    both = [*organisations(SEED, COUNT), *strangers(SEED, COUNT)]
    assert all(uscc.check(o.uscc) == (o.uscc, "", ()) and uscc.organisation_part(o.uscc) == o.org_code for o in both)
    assert all(organisation_code.is_valid(o.org_code) and registration_number.is_valid(o.reg_no) for o in both)
    assert len({o.reg_no for o in both}) == len({o.uscc for o in both}) == len(both)
    assert all(o.org_code.startswith(codes.ORGANISATION) for o in both)
    registered = {uscc.organisation_part(row["统一社会信用代码"].upper()) for row in rows()}
    assert registered.isdisjoint(o.org_code for o in both)
    assert all(code.startswith(codes.REGISTERED) for code in registered)
    assert codes.REGISTERED != codes.ORGANISATION
    assert {o.name for o in both}.isdisjoint(row["企业名称"] for row in rows())


def test_bodies_are_valid() -> None:
    assert all(uscc.check(b.code) == (b.code, "", ()) and b.code.startswith("11") for b in BODIES.values())


def test_the_forbidden_number_is_nobodys() -> None:
    number = codes.nobodys_id(1)
    assert resident_id.is_valid(number)
    assert number.startswith("42999918500101")


def counted(given: list[dict[str, str]]) -> dict[str, int]:
    """The dirt in rows, found with the kernel."""
    kinds = Counter[str]()
    for row in given:
        kinds.update(_of_code(row["统一社会信用代码"]))
        kinds.update(_of_capital(row["注册资金"]))
        kinds.update(_of_texts(row))
    return {kind: kinds[kind] for kind in plan(len(given))}


def _of_code(code: str) -> list[str]:
    checked = uscc.check(code)
    return [
        name
        for name, holds in {
            "lower_case_code": "REPAIRED" in checked.notes,
            "wrong_inner_digit": "ORG_CODE_DIGIT" in checked.notes,
            "wrong_check_digit": checked.fault == "CHECK_DIGIT",
        }.items()
        if holds
    ]


def _of_capital(text: str) -> list[str]:
    if text == "N/A":
        return ["capital_missing"]
    capital = money.capital(text)
    if capital is None:
        return ["malformed_capital"]
    if capital.hundredths == 0:
        return ["zero_capital"]
    return ["implausible_capital"] if capital.hundredths >= 1_000_000 * money.FEN_PER_WAN else []


def _of_texts(row: dict[str, str]) -> list[str]:
    address, scope = row["注册地址"], row["经营范围"]
    wide = {"name": row["企业名称"], "address": address, "scope": scope}
    missing = {"type": row["企业类型"], "district": row["地区"], "address": address, "scope": scope}
    brackets = sum(map(address.count, "(（")) != sum(map(address.count, ")）")) and ["unbalanced_bracket"]
    return [
        *(f"full_width_{name}" for name, text in wide.items() if not unicodedata.is_normalized("NFKC", text)),
        *(f"{name}_missing" for name, text in missing.items() if text == "N/A"),
        *(brackets or []),
    ]


@pytest.mark.parametrize("count", [1, 10, 500, ROWS, 30_000])
def test_the_plan_is_what_the_rows_hold(count: int) -> None:
    assert plan(count) == counted(rows(count))


def test_dirt_is_as_common_as_measured() -> None:
    assert min(plan(ROWS).values()) >= 1
    assert plan(spread.MEASURED_ROWS) == {
        "lower_case_code": 44, "wrong_inner_digit": 41, "wrong_check_digit": 24, "full_width_name": 67,
        "type_missing": 80911, "capital_missing": 20835, "malformed_capital": 277, "implausible_capital": 264,
        "zero_capital": 8, "full_width_scope": 64101, "scope_missing": 3, "district_missing": 4,
        "full_width_address": 2804, "unbalanced_bracket": 1539, "address_missing": 2,
    }  # fmt: skip


def test_each_started_block_holds_one_case() -> None:
    found = spread.places({"rare": 44}, ROWS, source(SEED, "test"))
    blocks = [row * 44 // spread.MEASURED_ROWS for row in sorted(found)]
    assert blocks == list(range(plan(ROWS)["lower_case_code"]))


def test_numbers_have_syllables_of_their_own() -> None:
    assert len({words.syllables(number) for number in range(200_000)}) == 200_000


def test_rows_look_like_the_register() -> None:
    given = rows(30_000)
    assert all(tuple(row) == COLUMNS for row in given)
    assert len({row["企业名称"] for row in given}) == len({row["统一社会信用代码"].upper() for row in given}) == 30_000
    assert all(re.fullmatch("9[123]42[0-9]{4}.{10}", row["统一社会信用代码"]) for row in given)
    dates = [row["注册日期"] for row in given]
    assert dates == sorted(dates)
    assert (dates[0][:3], dates[-1][:4]) == ("197", "2009")
    assert 0.45 <= sum(date >= "2005" for date in dates) / 30_000 <= 0.52  # 41,189 of 84,922
    kinds = Counter(row["统一社会信用代码"][:2] for row in given)
    assert kinds["91"] > 28_000 > kinds["93"] > kinds["92"] > 100
    malformed = [row["注册资金"] for row in given if _of_capital(row["注册资金"]) == ["malformed_capital"]]
    assert all(re.match("[1-9][0-9]?,[0-9]{7}[^0-9]", capital) for capital in malformed)
    assert {row["所在省份"] for row in given} == {"湖北"}
    assert max(len(row["经营范围"]) for row in given) <= 825
