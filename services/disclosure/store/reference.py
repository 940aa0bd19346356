"""Editions of catalogue items and cards of subjects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from services.chassis.bulk import columns
from services.chassis.handling import Transaction
from services.disclosure.domain.edition import CatalogueItem, Edition
from services.disclosure.domain.events import CardChanged, Code, EditionKnown, FieldRule
from services.disclosure.domain.subject_card import SubjectCard

EDITIONS = "SELECT code, version, fields, names_subject FROM catalogue"
EDITION_UPSERT = """
INSERT INTO catalogue (code, version, fields, names_subject) VALUES ($1, $2, $3, $4)
ON CONFLICT (code, version) DO UPDATE SET fields = excluded.fields, names_subject = excluded.names_subject
"""
RAISE = "UPDATE catalogue_revision SET number = number + 1"

CARDS = """
SELECT s.subject_id, s.version, s.kind, s.name, s.code_kinds, s.codes, s.merged_into
FROM unnest($1::bytea[]) AS k (subject_id) JOIN subjects AS s USING (subject_id)
"""
# unnest would flatten an array of arrays: the codes of a card travel as one text.
CARD_UPSERT = """
INSERT INTO subjects (subject_id, version, kind, name, code_kinds, codes, merged_into, changed_at)
SELECT id, version, kind, name, string_to_array(code_kinds, E'\\n'), string_to_array(codes, E'\\n'), merged_into, at
FROM unnest($1::bytea[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bytea[], $8::bigint[])
    AS new (id, version, kind, name, code_kinds, codes, merged_into, at)
ON CONFLICT (subject_id) DO UPDATE SET version = excluded.version, kind = excluded.kind, name = excluded.name,
    code_kinds = excluded.code_kinds, codes = excluded.codes, merged_into = excluded.merged_into,
    changed_at = excluded.changed_at
"""
CODES_GONE = """
DELETE FROM subject_codes AS c USING unnest($1::text[], $2::text[], $3::bytea[]) AS gone (kind, code, subject_id)
WHERE c.code = gone.code AND c.kind = gone.kind AND c.subject_id = gone.subject_id
"""
CODES_NEW = """
INSERT INTO subject_codes (kind, code, subject_id) SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[])
ON CONFLICT DO NOTHING
"""


async def newer_editions(tx: Transaction, known: int) -> tuple[int, dict[str, list[Edition]]] | None:
    """One small query a batch; everything is read when the revision has moved past the known one."""
    revision = await tx.fetchval("SELECT number FROM catalogue_revision")
    return None if revision == known else (revision, await _editions(tx, EDITIONS))


async def load_items(tx: Transaction, codes: Iterable[str]) -> dict[str, CatalogueItem]:
    """The known ones among these items."""
    found = await _editions(tx, EDITIONS + " WHERE code = ANY($1::text[])", sorted(codes))
    return {code: CatalogueItem({e.version: e for e in editions}) for code, editions in found.items()}


async def _editions(tx: Transaction, query: str, *values: object) -> dict[str, list[Edition]]:
    found: dict[str, list[Edition]] = {}
    for row in await tx.fetch(query, *values):
        rules = map(FieldRule, row["fields"], row["names_subject"])
        found.setdefault(row["code"], []).append(Edition(row["version"], tuple(rules)))
    return found


async def save_editions(tx: Transaction, events: Sequence[tuple[str, EditionKnown]]) -> None:
    """Write new editions; every process reads the catalogue anew with its next batch."""
    for code, event in events:
        fields, names = [r.code for r in event.rules], [r.names_subject for r in event.rules]
        await tx.execute(EDITION_UPSERT, code, event.version, fields, names)
    await tx.execute(RAISE)


async def load_cards(tx: Transaction, subject_ids: Iterable[bytes]) -> dict[bytes, SubjectCard]:
    """The known ones among these subjects; they come in one lane only, so no row is locked."""
    cards: dict[bytes, SubjectCard] = {}
    for row in await tx.fetch(CARDS, sorted(subject_ids)):
        codes = tuple(map(Code, row["code_kinds"], row["codes"]))
        who = (row["subject_id"], row["version"], row["kind"], row["name"])
        cards[row["subject_id"]] = SubjectCard(*who, codes, row["merged_into"])
    return cards


async def save_cards(
    tx: Transaction,
    before: Mapping[bytes, SubjectCard],
    after: Mapping[bytes, SubjectCard],
    events: Sequence[tuple[bytes, CardChanged]],
) -> None:
    """Write cards and the look-up by code."""
    changed_at = {key: event.at_ms for key, event in events}
    rows = [(*_row(after[key]), at_ms) for key, at_ms in sorted(changed_at.items())]
    await tx.execute(CARD_UPSERT, *columns(rows))
    had = {(*code, key) for key in changed_at if key in before for code in before[key].codes}
    has = {(*code, key) for key in changed_at for code in after[key].codes}
    if had - has:
        await tx.execute(CODES_GONE, *columns(sorted(had - has)))
    if has - had:
        await tx.execute(CODES_NEW, *columns(sorted(has - had)))


def _row(card: SubjectCard) -> tuple[object, ...]:
    kinds, codes = "\n".join(c.kind for c in card.codes), "\n".join(c.code for c in card.codes)
    return card.subject_id, card.version, card.kind, card.name, kinds, codes, card.merged_into
