"""Cuts what was loaded into clusters that have nothing to do with each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from services.identity.domain.cluster import Cluster
from services.identity.domain.neighbours import Groups, touched
from services.identity.domain.records import RecordSeen
from services.identity.store.found import Found

Loaded = tuple[dict[bytes, bytes], dict[bytes, Cluster]]
T = TypeVar("T")


def cut(found: Found, everything: Sequence[RecordSeen]) -> Loaded:
    """The cluster of each record, and the clusters: whatever one of their rows names is in the same."""
    groups = Groups()
    for one in everything:
        groups.join(touched(one))
    for alias in found.aliases.values():
        if alias.subject_id is not None:
            groups.join((alias.alias_id, alias.subject_id))
    for record in found.records.values():
        if record.link is not None:
            groups.join((record.record_id, record.link.subject_id))
    for subject in found.subjects.values():
        if subject.merged_into is not None:
            groups.join((subject.subject_id, subject.merged_into))
    subjects = _by_group(groups, found.subjects)
    aliases = _by_group(groups, found.aliases)
    records = _by_group(groups, found.records)
    cluster_of = {one.record_id: groups.of(one.record_id) for one in everything}
    empty: dict[bytes, Any] = {}
    clusters = {
        key: Cluster(subjects.get(key, empty), aliases.get(key, empty), records.get(key, empty), found.ledger)
        for key in set(cluster_of.values())
    }
    return cluster_of, clusters


def _by_group(groups: Groups, rows: Mapping[bytes, T]) -> dict[bytes, dict[bytes, T]]:
    parts: dict[bytes, dict[bytes, T]] = defaultdict(dict)
    for one, row in rows.items():
        parts[groups.of(one)][one] = row
    return parts
