"""Why a record is about whom it is about: what was compared, both values, by which rule, and what people said."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from services.chassis.handling import Transaction
from services.identity import queries
from services.identity.contracts.records import Reader
from services.identity.domain.records import RecordSeen
from services.kernel.names import matching_key

LINKED_AS = "SELECT accepted FROM code_links WHERE record_id = $1"
WAITS_AS = """
SELECT accepted FROM reviews WHERE state = 'WAITING' AND record_id = $1 AND accepted IS NOT NULL
ORDER BY version DESC LIMIT 1
"""
SUBJECT = "SELECT subject_id, name, codes, merged_into FROM subjects WHERE subject_id = $1"
CLAIMED = "SELECT record_id FROM mappings WHERE alias_id = $1 ORDER BY record_id LIMIT 100"
PAIR = """
SELECT number, verdict, one, other, issued_by, reason, judged_at FROM judgements
WHERE one = ANY($1::bytea[]) OR other = ANY($1::bytea[]) ORDER BY number LIMIT 1000
"""
DECISIONS = """
SELECT version, decision, subject_id, carried_out, issued_by, reason, decided_at FROM decisions
WHERE record_id = $1 ORDER BY decided_at, command_id LIMIT 1000
"""
CHAIN = 16
DECIDES, CONFIRMS, UNSEEN = "decides", "confirms", "not looked at"


class Feature(NamedTuple):
    """What was compared: what the record says, what is known of the subject; values of organisations only."""

    name: str
    given: str
    known: str
    agrees: bool
    weight: str


class Explained(NamedTuple):
    """All that is known of a record's link; `chain`: the subject that its code names, and who stands for it."""

    link: Any | None
    features: Sequence[Feature]
    chain: Sequence[Any]
    brought_by: Sequence[bytes]
    judgements: Sequence[Any]
    decisions: Sequence[Any]
    reviews: Sequence[Any]


async def explain(tx: Transaction, reader: Reader, record_id: bytes) -> Explained | None:
    """None for a record that identity has never seen."""
    link, reviews = await queries.review_of(tx, record_id)
    if link is None and not reviews:
        return None
    body = await tx.fetchval(WAITS_AS if link is None else LINKED_AS, record_id)
    given = None if body is None else reader.read_body(body, 0)
    alias = None if given is None or not given.named.id else await queries.alias(tx, given.named.id)
    named = link["subject_id"] if link is not None else None if alias is None else alias["subject_id"]
    chain = await _chain(tx, named)
    brought = await tx.fetch(CLAIMED, given.named.id) if given is not None and alias is not None else ()
    return Explained(
        link,
        list(_features(link, given, chain[0] if chain else None)),
        chain,
        [row["record_id"] for row in brought],
        await judgements(tx, [row["subject_id"] for row in chain]),
        await tx.fetch(DECISIONS, record_id),
        reviews,
    )


async def judgements(tx: Transaction, subjects: Sequence[bytes]) -> Sequence[Any]:
    """What people said of these subjects and others."""
    return await tx.fetch(PAIR, subjects) if subjects else ()


async def _chain(tx: Transaction, subject_id: bytes | None) -> list[Any]:
    chain: list[Any] = []
    while subject_id is not None and len(chain) < CHAIN:
        row = await tx.fetchrow(SUBJECT, subject_id)
        if row is None:
            break
        chain.append(row)
        subject_id = row["merged_into"]
    return chain


def _features(link: Any | None, given: RecordSeen | None, subject: Any | None) -> list[Feature]:
    known = [] if subject is None else [(code["kind"], code["code"]) for code in json.loads(subject["codes"])]
    if given is None:
        uscc = next((code for kind, code in known if kind == "uscc"), "")
        return [Feature("uscc", uscc, uscc, True, DECIDES)] if link is not None and link["rule"] == "USCC" else []
    evidence = "" if link is None else link["evidence"]
    found = [Feature(given.named.kind or "code", given.named.code, *_code(given, known), DECIDES)]
    name = "" if subject is None else subject["name"] or ""
    agrees = bool(name) and matching_key(name) == matching_key(given.subject_name)
    confirms = "name" in evidence.split(",") or given.named.kind == "tax_no"
    told = "" if given.subject_kind == "person" else given.subject_name
    return [*found, Feature("name", told, name, agrees, CONFIRMS if confirms else UNSEEN)]


def _code(given: RecordSeen, known: Sequence[tuple[str, str]]) -> tuple[str, bool]:
    """The subject's code of that kind: the one that is equal, else any."""
    alike = [code for kind, code in known if kind == given.named.kind]
    equal = bool(given.named.code) and given.named.code in alike
    return given.named.code if equal else next(iter(alike), ""), equal
