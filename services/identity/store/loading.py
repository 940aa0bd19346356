"""Locks and loads what a batch of records can touch."""

from __future__ import annotations

from collections.abc import Sequence

from services.chassis.handling import Transaction
from services.identity.domain.cluster import Cluster
from services.identity.domain.deciding import alone
from services.identity.domain.ledger import Ledger
from services.identity.domain.orders import Asked, ClaimAsked, DecideAsked
from services.identity.domain.records import RecordSeen
from services.identity.domain.terms import MAPPING
from services.identity.store import ledger, locks, relations
from services.identity.store.aliases import lock_aliases
from services.identity.store.code_links import LINKED_BY, load_by_person, load_linked
from services.identity.store.cutting import Loaded, cut
from services.identity.store.found import Found, ReadHeld
from services.identity.store.links import load_records
from services.identity.store.missing import load_missing
from services.identity.store.subjects import load_standing, load_subjects

WHOLE = b"whole"  # the key of the one cluster of a batch that is alone


async def load(tx: Transaction, seen: Sequence[RecordSeen], orders: Sequence[Asked], read_held: ReadHeld) -> Loaded:
    """The cluster of each record or order, and the clusters; there is one for all in a batch that is alone."""
    if not (seen or orders):
        return {}, {}
    found = Found()
    by_itself = bool(orders) or any(map(alone, seen))
    await locks.enter(tx, by_itself)
    if by_itself:
        return await _load_alone(tx, found, seen, orders, read_held)
    everything = await lock_aliases(tx, found, seen, read_held)
    await _load_rest(tx, found, seen, everything, set(), read_held)
    if any(held.link_no for queue in found.held.values() for held in queue):
        found.ledger = Ledger(await tx.fetchval(ledger.NUMBER))
    return cut(found, everything)


async def _load_alone(
    tx: Transaction, found: Found, seen: Sequence[RecordSeen], orders: Sequence[Asked], read_held: ReadHeld
) -> Loaded:
    """Also the records that a code linked which may be taken back, and all of the subjects that orders name."""
    found.ledger = await ledger.load(tx, seen, orders)
    codes = {mapped.alias_id for mapped in found.ledger.mappings.values()}
    codes |= {claim.alias.id for one in seen if one.item == MAPPING for claim in one.claims}
    linked = await load_linked(tx, found, LINKED_BY, codes, read_held)
    reviewed = {one.record_id for one in orders if isinstance(one, ClaimAsked | DecideAsked)}
    reviewed |= {one.record_id for one in linked}
    everything = await lock_aliases(tx, found, seen, read_held, codes, reviewed)
    everything += linked
    subjects = ledger.named(orders) | {mapped.subject_id for mapped in found.ledger.mappings.values()}
    subjects |= found.ledger.members.keys()
    await _load_rest(tx, found, seen, everything, subjects, read_held)
    whole = Cluster(found.subjects, found.aliases, found.records, found.ledger)
    keys = [one.record_id for one in everything] + [one.order.command_id.encode() for one in orders]
    return dict.fromkeys(keys, WHOLE), {WHOLE: whole}


async def _load_rest(
    tx: Transaction,
    found: Found,
    seen: Sequence[RecordSeen],
    everything: Sequence[RecordSeen],
    subjects: set[bytes],
    read_held: ReadHeld,
) -> None:
    await load_subjects(tx, found, everything, subjects)
    await load_records(tx, found, {one.record_id for one in everything})
    await load_by_person(tx, found, read_held)
    found.records |= await relations.load(tx, everything, found.records)
    await load_standing(tx, found)
    await load_missing(tx, found, seen)
