"""Subject files: what of a batch's events is written where.

Records and subjects can be reached from two lanes (a correction may say that a record is another subject's), but that
is rare. So no row is locked; every write compares what it read and a batch that lost the race is tried again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.chassis.handling import Transaction
from services.disclosure.domain.events import Event, FileErased, RecordChanged, RecordStands, Standing
from services.disclosure.domain.subject_file import SubjectFile
from services.disclosure.store.counts import save_counts
from services.disclosure.store.disclosed import save_shown
from services.disclosure.store.standings import save_standings


async def save(
    tx: Transaction,
    before: Mapping[bytes, SubjectFile],
    after: Mapping[bytes, SubjectFile],
    events: Sequence[tuple[bytes, Event]],
) -> None:
    """Write the records that moved and the counts that rose."""
    moved: dict[bytes, tuple[Standing | None, RecordStands]] = {}
    counted: dict[bytes, tuple[bytes, SubjectFile]] = {}
    for key, event in events:
        if isinstance(event, RecordStands):
            record_id = event.standing.record_id
            moved[record_id] = before[key].records.get(record_id), event
        elif isinstance(event, RecordChanged | FileErased):
            counted[event.subject_id] = key, after[key]
    if moved:
        await save_standings(tx, moved)
        await save_shown(tx, moved)
    if counted:
        await save_counts(tx, before, counted)
