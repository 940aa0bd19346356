"""Which subjects of a batch are decided together: those that share a record, directly or through others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from services.disclosure.domain.events import Standing
from services.disclosure.domain.feed_changes import Seqs
from services.disclosure.domain.subject_file import SubjectFile


def group(
    pairs: Iterable[tuple[bytes, bytes]],
    standings: Mapping[bytes, Standing],
    counts: Mapping[bytes, Seqs],
    erased: Collection[bytes] = (),
    alone: Iterable[bytes] = (),
) -> tuple[dict[bytes, bytes], dict[bytes, SubjectFile]]:
    """(subject -> key of its file, key -> file) from (record, subject) pairs, the standing ones among them.

    `erased`: those of the subjects of whom nothing is shown any more; `alone`: subjects that the batch names without a
    record.
    """
    parents: dict[bytes, bytes] = {subject_id: subject_id for subject_id in alone}
    first_of: dict[bytes, bytes] = {}
    for record_id, subject_id in pairs:
        parents.setdefault(subject_id, subject_id)
        first = first_of.setdefault(record_id, subject_id)
        if first != subject_id:  # rare: a record is nearly always of one subject
            one, other = _root(parents, subject_id), _root(parents, first)
            parents[max(one, other)] = min(one, other)
    keys = {subject_id: _root(parents, subject_id) for subject_id in parents}
    counted: dict[bytes, dict[bytes, Seqs]] = {key: {} for key in keys.values()}
    standing: dict[bytes, dict[bytes, Standing]] = {key: {} for key in keys.values()}
    for subject_id, key in keys.items():
        if subject_id in counts:
            counted[key][subject_id] = counts[subject_id]
    for record_id, found in standings.items():
        standing[keys[found.subject_id]][record_id] = found
    tombs: dict[bytes, set[bytes]] = defaultdict(set)
    for subject_id in erased:
        tombs[keys[subject_id]].add(subject_id)
    return keys, {key: SubjectFile(counted[key], standing[key], frozenset(tombs.get(key, ()))) for key in counted}


def _root(parents: dict[bytes, bytes], subject_id: bytes) -> bytes:
    while parents[subject_id] != subject_id:
        parents[subject_id] = parents[parents[subject_id]]
        subject_id = parents[subject_id]
    return subject_id
