"""The state that decisions need together: the subjects, aliases and records that inputs of one batch can touch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from services.identity.domain.events import (
    Event,
    NumberTaken,
    RecordHeld,
    RecordLinked,
    RecordSuperseded,
    RecordUnlinked,
    RelationBegan,
    RelationEnded,
    VersionArrived,
    VersionsMissing,
)
from services.identity.domain.ledger import NOTHING, Answer, Claimed, Ledger
from services.identity.domain.order_events import (
    OrderAnswered,
    RecordRejected,
    ReviewClaimed,
    ReviewDecided,
    SubjectsJudged,
)
from services.identity.domain.records import Held, Link, RecordSeen
from services.identity.domain.relations import Relation
from services.identity.domain.subject_events import (
    AliasBound,
    AliasContested,
    AliasFreed,
    MappingStands,
    NameConfirmed,
    SubjectChanged,
)
from services.identity.domain.subjects import Alias, Subject

UNCLAIMED = Claimed()


class Record(NamedTuple):
    """A record's own link, by the subject that its code names, and its versions in review, oldest first."""

    record_id: bytes
    version: int = 0  # the highest seen
    link: Link | None = None
    held: tuple[Held, ...] = ()
    linked: int = 0  # the highest linked
    missing: tuple[int, ...] = ()  # below the highest seen, and not seen
    link_no: int = 0  # under which it was linked again, or made nobody's
    by_code: RecordSeen | None = None  # what an old code, or a person, linked last; not known of a USCC's
    relation: Relation | None = None  # that it says, and that has not ended


class Cluster(NamedTuple):
    """Small by construction; what is missing in it is not known."""

    subjects: Mapping[bytes, Subject]
    aliases: Mapping[bytes, Alias]
    records: Mapping[bytes, Record]
    ledger: Ledger = NOTHING

    def subject(self, subject_id: bytes) -> Subject:
        return self.subjects.get(subject_id) or Subject(subject_id)

    def alias(self, alias_id: bytes, kind: str) -> Alias:
        return self.aliases.get(alias_id) or Alias(alias_id, kind)

    def record(self, record_id: bytes) -> Record:
        return self.records.get(record_id) or Record(record_id)

    def root(self, subject_id: bytes) -> bytes:
        """Who stands for this subject."""
        while (subject := self.subjects.get(subject_id)) is not None and subject.merged_into is not None:
            subject_id = subject.merged_into
        return subject_id

    def tree(self, subject_id: bytes) -> Iterator[bytes]:
        """The subject and all for whom it stands, directly or through others."""
        yield subject_id
        for subject in self.subjects.values():
            if subject.merged_into == subject_id:
                yield from self.tree(subject.subject_id)

    def waiting(self, alias_id: bytes) -> list[RecordSeen]:
        """The versions that wait for a code, in the order in which they were accepted."""
        found = [h.given for r in self.records.values() for h in r.held if h.alias_id == alias_id]
        return sorted(found, key=lambda given: (given.accepted_at, given.record_id, given.version))

    def in_review(self, record_id: bytes, version: int) -> Held | None:
        """A version, if it waits."""
        return next((held for held in self.record(record_id).held if held.given.version == version), None)


EMPTY = Cluster({}, {}, {})


def evolve(cluster: Cluster, event: Event) -> Cluster:
    """Apply a fact; judges nothing."""
    if type(event) is RecordLinked:  # nearly always
        return _with_record(cluster, _linked(cluster.record(event.given.record_id), event))
    match event:
        case SubjectChanged(subject):
            return _with_subject(cluster, subject)
        case NameConfirmed(subject_id, named_at):
            return _with_subject(cluster, cluster.subject(subject_id)._replace(named_at=named_at))
        case AliasBound(alias):
            return cluster._replace(aliases={**cluster.aliases, alias.alias_id: alias})
        case RecordHeld(held):
            record = _without(cluster.record(held.given.record_id), held.given.version)
            queue = sorted((*record.held, held), key=lambda h: h.given.version)
            version = max(record.version, held.given.version)
            return _with_record(cluster, record._replace(held=tuple(queue), version=version))
        case RecordSuperseded() | RecordRejected():
            return _with_record(cluster, _without(cluster.record(event.record_id), event.version))
        case _:
            return _rare(cluster, event)


def _rare(cluster: Cluster, event: Event) -> Cluster:
    match event:
        case AliasContested(alias_id):
            contested = cluster.alias(alias_id, "")._replace(contested=True)
            return cluster._replace(aliases={**cluster.aliases, alias_id: contested})
        case AliasFreed(alias_id):
            free = cluster.alias(alias_id, "")._replace(subject_id=None, source="", contested=False)
            return cluster._replace(aliases={**cluster.aliases, alias_id: free})
        case VersionsMissing(record_id, versions):
            record = cluster.record(record_id)
            return _with_record(cluster, record._replace(missing=(*record.missing, *versions)))
        case VersionArrived(record_id, version):
            record = cluster.record(record_id)
            return _with_record(cluster, record._replace(missing=tuple(v for v in record.missing if v != version)))
        case RecordUnlinked():
            record = cluster.record(event.record_id)
            free = record._replace(link=None, linked=0, link_no=event.link_no, by_code=None)
            return _with_record(cluster, free)
        case RelationBegan(record_id, relation):
            return _with_record(cluster, cluster.record(record_id)._replace(relation=relation))
        case RelationEnded(record_id):
            return _with_record(cluster, cluster.record(record_id)._replace(relation=None))
        case _:
            return cluster._replace(ledger=_entered(cluster.ledger, event))


def _entered(ledger: Ledger, event: Event) -> Ledger:
    match event:
        case NumberTaken(number):
            return ledger._replace(number=number)
        case MappingStands(record_id, mapped):
            others = {key: found for key, found in ledger.mappings.items() if key != record_id}
            return ledger._replace(mappings=others if mapped is None else {**others, record_id: mapped})
        case SubjectsJudged(judgement):
            pair = frozenset((judgement.one, judgement.other))
            return ledger._replace(newest={**ledger.newest, pair: judgement})
        case ReviewClaimed(record_id, version, by, until_ms):
            claim = ledger.claims.get((record_id, version), UNCLAIMED)._replace(by=by, until_ms=until_ms)
            return ledger._replace(claims={**ledger.claims, (record_id, version): claim})
        case ReviewDecided():
            place = event.record_id, event.version
            proposed = (None, None) if event.carried_out else (event.order.by, event.decision)
            return ledger._replace(claims={**ledger.claims, place: Claimed(None, 0, *proposed)})
        case OrderAnswered(order, faults, detail):
            return ledger._replace(answered={**ledger.answered, order.command_id: Answer(faults, detail)})
        case _:
            return ledger  # told to others, or kept by the store alone


def _linked(old: Record, event: RecordLinked) -> Record:
    given, link = event.given, event.link
    record = _without(old, given.version)
    by_code = None if link.rule == "USCC" else given
    version, link_no = max(record.version, given.version), event.link_no or record.link_no
    rest = (record.held, given.version, record.missing, link_no, by_code, record.relation)
    return Record(record.record_id, version, link, *rest)


def _with_subject(cluster: Cluster, subject: Subject) -> Cluster:
    subjects = {**cluster.subjects, subject.subject_id: subject}
    return Cluster(subjects, cluster.aliases, cluster.records, cluster.ledger)


def _with_record(cluster: Cluster, record: Record) -> Cluster:
    records = {**cluster.records, record.record_id: record}
    return Cluster(cluster.subjects, cluster.aliases, records, cluster.ledger)


def _without(record: Record, version: int) -> Record:
    if not record.held:
        return record
    return record._replace(held=tuple(h for h in record.held if h.given.version != version))
