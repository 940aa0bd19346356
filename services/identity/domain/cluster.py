"""The state that decisions need together: the subjects, aliases and records that inputs of one batch can touch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, assert_never

from services.identity.domain.events import (
    Alias,
    AliasBound,
    AliasContested,
    Event,
    Held,
    Link,
    NameConfirmed,
    RecordHeld,
    RecordLinked,
    RecordOvertaken,
    RecordSeen,
    RecordSuperseded,
    Subject,
    SubjectChanged,
    VersionArrived,
    VersionsMissing,
)


class Record(NamedTuple):
    """A record's own link, which is stable, and its versions in review, oldest first."""

    record_id: bytes
    version: int = 0  # the highest seen
    link: Link | None = None
    held: tuple[Held, ...] = ()
    linked: int = 0  # the highest linked
    missing: tuple[int, ...] = ()  # below the highest seen, and not seen


class Cluster(NamedTuple):
    """Small by construction; what is missing in it is not known."""

    subjects: Mapping[bytes, Subject]
    aliases: Mapping[bytes, Alias]
    records: Mapping[bytes, Record]

    def subject(self, subject_id: bytes) -> Subject:
        return self.subjects.get(subject_id) or Subject(subject_id)

    def alias(self, alias_id: bytes, kind: str) -> Alias:
        return self.aliases.get(alias_id) or Alias(alias_id, kind)

    def record(self, record_id: bytes) -> Record:
        return self.records.get(record_id) or Record(record_id)

    def waiting(self, alias_id: bytes) -> list[RecordSeen]:
        """The versions that wait for a code, in the order in which they were accepted."""
        found = [h.given for r in self.records.values() for h in r.held if h.alias_id == alias_id]
        return sorted(found, key=lambda given: (given.accepted_at, given.record_id, given.version))


EMPTY = Cluster({}, {}, {})


def evolve(cluster: Cluster, event: Event) -> Cluster:
    """Apply a fact; judges nothing."""
    match event:
        case SubjectChanged(subject):
            return _with_subject(cluster, subject)
        case NameConfirmed(subject_id, named_at):
            return _with_subject(cluster, cluster.subject(subject_id)._replace(named_at=named_at))
        case AliasBound(alias):
            return cluster._replace(aliases={**cluster.aliases, alias.alias_id: alias})
        case AliasContested(alias_id):
            contested = cluster.alias(alias_id, "")._replace(contested=True)
            return cluster._replace(aliases={**cluster.aliases, alias_id: contested})
        case RecordLinked(given, link):
            record = _without(cluster.record(given.record_id), given.version)
            version = max(record.version, given.version)
            linked = Record(record.record_id, version, link, record.held, given.version, record.missing)
            return _with_record(cluster, linked)
        case RecordHeld(held):
            record = _without(cluster.record(held.given.record_id), held.given.version)
            queue = sorted((*record.held, held), key=lambda h: h.given.version)
            version = max(record.version, held.given.version)
            return _with_record(cluster, record._replace(held=tuple(queue), version=version))
        case RecordSuperseded(record_id, version):
            return _with_record(cluster, _without(cluster.record(record_id), version))
        case VersionsMissing(record_id, versions):
            record = cluster.record(record_id)
            return _with_record(cluster, record._replace(missing=(*record.missing, *versions)))
        case VersionArrived(record_id, version):
            record = cluster.record(record_id)
            return _with_record(cluster, record._replace(missing=tuple(v for v in record.missing if v != version)))
        case RecordOvertaken():
            return cluster
        case _:
            assert_never(event)


def _with_subject(cluster: Cluster, subject: Subject) -> Cluster:
    return Cluster({**cluster.subjects, subject.subject_id: subject}, cluster.aliases, cluster.records)


def _with_record(cluster: Cluster, record: Record) -> Cluster:
    return Cluster(cluster.subjects, cluster.aliases, {**cluster.records, record.record_id: record})


def _without(record: Record, version: int) -> Record:
    if not record.held:
        return record
    return record._replace(held=tuple(h for h in record.held if h.given.version != version))
