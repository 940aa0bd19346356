"""Writes what the events of a batch changed, one statement per table."""

from __future__ import annotations

from collections.abc import Mapping

from services.chassis.handling import Transaction
from services.identity.domain.cluster import Cluster
from services.identity.domain.events import RecordUnlinked, VersionArrived, VersionsMissing
from services.identity.store import ledger, rates, relations
from services.identity.store.aliases import SAVE_ALIASES, changed_aliases
from services.identity.store.code_links import save_codes
from services.identity.store.links import MOVE_LINKS, NEW_AGAIN, NEW_LINKS, changed_links, unlink
from services.identity.store.missing import save_missing
from services.identity.store.reviews import HOLD, SETTLE, settled, waiting
from services.identity.store.subjects import SAVE_SUBJECTS, changed_subjects
from services.identity.store.writing import Told, write


async def save(tx: Transaction, before: Mapping[bytes, Cluster], after: Mapping[bytes, Cluster], events: Told) -> None:
    """Write the subjects, aliases, links and reviews that had an event, as they are now."""
    await write(tx, SAVE_SUBJECTS, changed_subjects(after, events))
    await write(tx, SAVE_ALIASES, changed_aliases(after, events))
    new, again, known = changed_links(before, after, events)
    await NEW_LINKS.insert(tx, sorted(new))
    await NEW_AGAIN.insert(tx, sorted(again))
    await write(tx, MOVE_LINKS, known)
    await save_codes(tx, before, events)
    kinds = {type(event) for _, event in events}  # most batches have few
    if RecordUnlinked in kinds:
        await unlink(tx, after, events)
    await write(tx, HOLD, waiting(events))
    await write(tx, SETTLE, settled(after, events))
    if not kinds.isdisjoint(ledger.RARE):
        await ledger.save(tx, after, events)
    if not kinds.isdisjoint(relations.EVENTS):
        await relations.save(tx, events)
    if VersionsMissing in kinds or VersionArrived in kinds:
        await save_missing(tx, events)
    await rates.save(tx, rates.counted(before, events), events)
