"""What was sealed of somebody who is erased now, for a replay: taken from what was said while the key was there.

Taken are the sealed texts, whether the key was still known at that moment, and of the standing version the hash of what
it says: only the destroyed key could make them again, and nobody can ever check them. The subject id is the one that
identity's tombstone answers with for the document that was sent, so a journal that named anybody else would differ; all
other fields, every decision, receipt, count and position are made anew, and a sealed text must be as long as the plain.
"""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple, Protocol

from services.chassis.cipher import NONCE_BYTES, TAG_BYTES
from services.chassis.message import Outgoing
from services.chassis.schemas import read_record
from services.chassis.wire import HEAD
from services.ingestion.contracts.answers import RECORD, receipts_topic
from services.ingestion.contracts.edition import Edition
from services.ingestion.contracts.sealing import SEALED, Gone, Unsealed, rewritten, said
from services.ingestion.contracts.submissions import SUBMIT, VERSION
from services.ingestion.domain.submission import RecordKey, Submission, record_key

NO_SEAL = f"{SEALED}?"  # equal to nothing that was ever sealed
Decode = Callable[[bytes], tuple[int, dict[str, Any]]]
Lane = tuple[str, int]  # agency, partition


class Standing(Protocol):
    """A record as it stands in the live store."""

    @property
    def version(self) -> int: ...
    @property
    def content(self) -> bytes: ...


class History(Protocol):
    """The part of the live store that is needed."""

    async def said(self, topic: str, partition: int, at_ms: int) -> Sequence[Outgoing]: ...
    async def standing(self, key: RecordKey) -> Standing | None: ...


class Told(NamedTuple):
    """What a turn said: accepted versions by (record id, submission id), and the submissions of the erased by id."""

    accepted: dict[tuple[bytes, str], dict[str, Any]]
    erased: frozenset[tuple[str, str]]  # record_no, submission_id


class Recaller:
    """Put into the sealer of a replay; counts how often it was needed."""

    def __init__(self, decode: Decode, history: History) -> None:
        self._decode, self._history = decode, history
        self._key = secrets.token_bytes(16)  # tells apart what was said, within this replay
        self._contents: dict[tuple[bytes, bytes], bytes] = {}
        self._count = 0

    def counted(self) -> dict[str, int]:
        """How many submissions were decided with what the journal holds of them."""
        return {"submissions of erased persons": self._count}

    async def recall(self, gone: Sequence[Gone]) -> dict[int, Submission]:
        """By `id` of the input; what was refused already then, because the person was erased, is left out."""
        lanes = {(one.origin.agency, one.origin.partition): one.origin.now for one, _, _ in gone}
        told = {lane: self._told(lane, await self._said(lane, now)) for lane, now in lanes.items()}
        found: dict[int, Submission] = {}
        for one, unsealed, subject_id in gone:
            then = told[one.origin.agency, one.origin.partition]
            if (one.record_no, one.submission_id) not in then.erased:
                accepted = then.accepted.get((one.record_id, one.submission_id))
                found[id(one)] = await self._recalled(one, unsealed, subject_id, accepted)
        self._count += len(found)
        return found

    async def _said(self, lane: Lane, now_ms: int) -> Sequence[Outgoing]:
        agency, partition = lane
        return await self._history.said(f"{SUBMIT}{agency}{VERSION}", partition, now_ms)

    def _told(self, lane: Lane, events: Iterable[Outgoing]) -> Told:
        by_topic: dict[str, list[dict[str, Any]]] = {RECORD: [], receipts_topic(lane[0]): []}
        for event in events:
            if event.topic in by_topic:
                by_topic[event.topic].append(self._decode(event.value)[1])
        records, receipts = by_topic.values()
        return Told({(r["record_id"], r["submission_id"]): r for r in records}, frozenset(_erased(receipts)))

    async def _recalled(
        self, given: Submission, unsealed: Unsealed, subject_id: bytes, accepted: Mapping[str, Any] | None
    ) -> Submission:
        """As it was sealed; what was not accepted left no sealed text, and is compared by its content alone."""
        content = blake2b(said(given, unsealed), digest_size=16, key=self._key).digest()
        known = given.record_id, content
        if accepted is None:
            return given._replace(value=b"", content=self._contents.get(known, content), ahead=None)
        standing = await self._history.standing(record_key(given))
        if standing is not None and standing.version == accepted["version"]:
            self._contents[known] = standing.content
        texts = sealed_texts(unsealed.edition, accepted["submission"])
        value = rewritten(given.value, unsealed.edition, subject_id, texts)
        return given._replace(value=value, content=self._contents.get(known, content), ahead=None)


def _erased(receipts: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, str]]:
    for receipt in receipts:
        if any(fault["code"] == "SUBJECT_ERASED" for fault in receipt["faults"]):
            yield receipt["record_no"], receipt["submission_id"]


def sealed_texts(edition: Edition, submission: bytes) -> Callable[[str, str], str]:
    """(field, plain text) -> its sealed text in this framed submission, which may stand in no other."""
    record = read_record(edition.schema, submission[HEAD.size :])
    fields: dict[str, Any] = record | record["payload"]

    def text(field: str, plain: str) -> str:
        found = fields.get(field)
        return found if isinstance(found, str) and _may_hold(found, plain) else NO_SEAL

    return text


def _may_hold(sealed: str, plain: str) -> bool:
    """Whether this is a seal, and of so many bytes."""
    if not sealed.startswith(SEALED):
        return False
    return len(urlsafe_b64decode(sealed.removeprefix(SEALED))) == 1 + NONCE_BYTES + len(plain.encode()) + TAG_BYTES
