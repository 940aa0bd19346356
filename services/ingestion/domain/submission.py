"""What an agency sends, as values: the envelope, and the input of the record aggregate made from it."""

from __future__ import annotations

from typing import Any, NamedTuple

from services.ingestion.domain.faults import Fault


class Envelope(NamedTuple):
    """The fixed envelope, in its order; days and milliseconds since 1970."""

    submission_id: str
    item: str
    agency: str
    source_unit: str
    action: str
    record_no: str
    subject_kind: str
    subject_code_kind: str
    subject_code: str
    subject_name: str
    decided_on: int
    produced_at: int


class Origin(NamedTuple):
    """Where a submission came from and when; what its receipt needs beside the decision."""

    agency: str
    partition: int
    key: bytes
    received_at: int
    now: int


class Submission(NamedTuple):
    """A submission that was read. With faults it will be refused whatever the record's state is."""

    origin: Origin
    submission_id: str
    record_no: str
    item: str
    item_version: int
    schema_id: int
    action: str
    content: bytes
    digest: bytes
    produced_at: int
    record_id: bytes
    due_on: int | None
    facts: bytes
    value: bytes
    faults: tuple[Fault, ...]
    notes: tuple[Fault, ...]
    decided_on: int = 0
    from_unit: bool = False  # a lower unit produced it
    # What will be announced if this becomes version 1, made while reading; of a person, what has yet to be sealed.
    ahead: Any = None


RecordKey = tuple[str, str, str]  # agency, item, record_no


def record_key(given: Submission) -> RecordKey:
    """The business key of the record a submission is about."""
    return given.origin.agency, given.item, given.record_no
