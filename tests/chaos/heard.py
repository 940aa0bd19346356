"""What is heard on the topics, each message a fact of its own; imports nothing of the product."""

from __future__ import annotations

from typing import Any, NamedTuple

RECORD = "credit.ingestion.record.v1"
CATALOGUE = "credit.ingestion.catalogue.v1"
LINKED = "credit.identity.record.v1"
LINK = "credit.identity.link.v1"
SUBJECT = "credit.identity.subject.v1"
PUBLIC = "credit.disclosure.public-change.v1"
GOVERNMENT = "credit.disclosure.government-change.v1"
EXCHANGE = "credit.national-sync.exchange.v1"
FEEDS = {"public": PUBLIC, "government": GOVERNMENT}

Version = tuple[bytes, int]  # record id, version


class Finding(NamedTuple):
    """A broken invariant (I1 … I12) and where: agency and record_no, a record id, a lane; never a subject's code."""

    invariant: str
    what: str
    where: str

    def __str__(self) -> str:
        return f"{self.invariant} {self.what}: {self.where}"


class Heard(NamedTuple):
    """One message; `record` is None where the bytes are no record, `digest` 8 bytes of the value's hash as a number."""

    topic: str
    partition: int
    offset: int
    key: bytes
    headers: dict[str, bytes]
    record: dict[str, Any] | None
    digest: int = 0


class Submitted(NamedTuple):
    """A message on a submit topic."""

    agency: str
    partition: int
    offset: int
    key: bytes
    submission_id: str | None

    @property
    def place(self) -> str:
        """How a receipt names bytes that hold no submission."""
        return f"credit.submit.{self.agency}.v1/{self.partition}/{self.offset}"

    @property
    def name(self) -> str:
        """Agency and record_no, which is the key."""
        return f"{self.agency}/{self.key.decode(errors='backslashreplace')}"


class Receipt(NamedTuple):
    """A final answer."""

    outcome: str
    record_id: str | None
    codes: tuple[str, ...]
    partition: int
    key: bytes


class Linked(NamedTuple):
    """A version that identity has linked."""

    subject_id: bytes
    item: str
    disclosure: str
    action: str


class LinkTold(NamedTuple):
    """A record's link changed without a new version; `again`: the version that was told again with it, or 0."""

    link_no: int
    subject_id: bytes
    linked: bool
    again: int

    @property
    def about(self) -> bytes | None:
        """Whom the record is about from then on."""
        return self.subject_id if self.linked else None


class TaskTold(NamedTuple):
    """How a task stands by one message; `version` 0: told before tasks were counted."""

    version: int
    change: str
    subject_id: bytes | None


class Exchange(NamedTuple):
    """Where a push to the nation stands, in the order of becoming: lanes tell of one exchange in no order.

    A push is of a version and of the link that was lost or found last; both together are its number. A final answer
    ends it, also when it is the answer to an earlier attempt.
    """

    number: int
    final: bool
    attempt: int
    answered: bool
    state: str
    version: int


class Change(NamedTuple):
    """A line of a feed."""

    version: Version
    subject_seq: int
    change: str


def version_named(record_id: bytes, version: int) -> str:
    """A version of a record, as a finding names it."""
    return f"record {record_id.hex()} v{version}"
