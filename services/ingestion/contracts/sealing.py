"""What is said about a natural person is sealed before it leaves: only the submit topic has ever had it in plain text.

Sealed are the subject's name, every field that repeats name or code, and every field the catalogue calls sensitive. The
subject's code becomes the opaque subject id. The sealed submission is one of the same schema, so whoever reads records
reads it as any other, and finds texts that say nothing.

The same submission gives the same bytes, so a replay says what was said: the nonce is a keyed hash of record, field and
text. It comes again only for the same text at the same place, which then has the same sealed text; whoever sees both
learns that a correction left a field as it was, and nothing else. (AES-GCM-SIV does the same, but has no SM4 in it.)
Of who was erased meanwhile nothing can be sealed again: there a replay takes the sealed texts from the journal
(recalling.py).
"""

from __future__ import annotations

import io
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple, cast

import fastavro

from services.chassis.cipher import NONCE_BYTES, SUITES, derived
from services.chassis.schemas import read_record
from services.chassis.wire import HEAD
from services.ingestion.contracts.edition import Edition
from services.ingestion.domain.definition import Field
from services.ingestion.domain.faults import fault
from services.ingestion.domain.person import Document, PersonKey
from services.ingestion.domain.submission import Envelope, Submission

SEALED = "sealed:1:"
SUBJECT_ID = "subject_id"  # the kind of code that a sealed submission names its subject by
SUBJECT_NAMES = ("subject_name", "subject_code")


class Unsealed(NamedTuple):
    """Waits in `Submission.ahead` of a person's submission for what sealing needs."""

    envelope: Envelope
    edition: Edition
    payload_at: int

    @property
    def document(self) -> Document:
        """By which the key is asked for."""
        return Document(self.envelope.subject_code_kind, self.envelope.subject_code)


Ask = Callable[[Sequence[Document]], Awaitable[Mapping[Document, PersonKey]]]
Gone = tuple[Submission, Unsealed, bytes]  # of somebody who is erased; the subject id
Recall = Callable[[Sequence[Gone]], Awaitable[Mapping[int, Submission]]]


async def recall_nothing(gone: Sequence[Gone]) -> Mapping[int, Submission]:
    """Live: of who is erased nothing is taken in any more."""
    return {}


class Sealer:
    """Seals the submissions of a batch, with one question for all of them; raises `Transient` while keys are away.

    `recall` is set by a replay: of whose key is gone, what was sealed while it was there, by `id` of the input.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self.recall: Recall = recall_nothing

    async def seal(self, given: Iterable[Submission]) -> dict[int, Submission]:
        """By `id` of the input, which lives as long as its batch; a batch without persons asks nobody."""
        waiting = [(one, one.ahead) for one in given if isinstance(one.ahead, Unsealed)]
        if not waiting:
            return {}
        keys = await self._ask(list(dict.fromkeys(unsealed.document for _, unsealed in waiting)))
        found = [(one, unsealed, keys[unsealed.document]) for one, unsealed in waiting]
        gone = [(one, unsealed, who.subject_id) for one, unsealed, who in found if who.key is None and who.subject_id]
        before: Mapping[int, Submission] = await self.recall(gone) if gone else {}
        return {id(one): before.get(id(one)) or sealed(one, unsealed, who) for one, unsealed, who in found}


def sealed(given: Submission, unsealed: Unsealed, person: PersonKey) -> Submission:
    """The submission as it may leave; with a fault, and nothing in it, when the person is erased or unknown."""
    if person.key is None:
        wrong = fault("SUBJECT_ERASED" if person.subject_id else "SUBJECT_CODE_FORMAT", "subject_code")
        return given._replace(faults=(wrong,), value=b"", content=b"", ahead=None)
    seal = _Seal(person.key, given.record_id)
    content = seal.hash(said(given, unsealed))
    value = rewritten(given.value, unsealed.edition, person.subject_id, seal.text)
    return given._replace(value=value, content=content, ahead=None)


def is_sealed(field: Field) -> bool:
    """Whether a field of a person's record is sealed."""
    return field.sensitivity != "none" or field.same_as in SUBJECT_NAMES


class _Seal:
    """One key at work on one record; for each purpose a key of its own is derived."""

    def __init__(self, key: bytes, record_id: bytes) -> None:
        self._suite = next(suite for suite in SUITES.values() if suite.key_bytes == len(key))
        self._text, self._nonce, self._content = (
            derived(key, self._suite, b"ingestion|" + purpose) for purpose in (b"text", b"nonce", b"content")
        )
        self._record_id = record_id

    def hash(self, said: bytes) -> bytes:
        """Of what a record says, to know it again; nobody can try out names without the person's key."""
        return blake2b(said, digest_size=16, key=self._content).digest()

    def text(self, field: str, text: str) -> str:
        """Bound to record and field: moved elsewhere it does not open."""
        about = self._record_id + field.encode()
        nonce = blake2b(about + b"\0" + text.encode(), digest_size=NONCE_BYTES, key=self._nonce).digest()
        closed = self._suite.seal(self._text, nonce, text.encode(), about)
        return SEALED + urlsafe_b64encode(bytes((self._suite.number,)) + nonce + closed).decode()


def said(given: Submission, unsealed: Unsealed) -> bytes:
    """As `content_of` has it: how it was sent is no part of it."""
    envelope = unsealed.envelope
    names = "\0".join((*envelope[1:4], *envelope[5:10], str(envelope.decided_on))).encode()
    return names + given.value[unsealed.payload_at :]


def rewritten(value: bytes, edition: Edition, subject_id: bytes, seal: Callable[[str, str], str]) -> bytes:
    """The framed submission in the same schema, with the sealed texts in the place of the plain ones.

    `seal`: (field, plain text) -> sealed text.
    """
    record: dict[str, Any] = read_record(edition.schema, value[HEAD.size :])
    record["subject_code_kind"], record["subject_code"] = SUBJECT_ID, subject_id.hex()
    record["subject_name"] = seal("subject_name", record["subject_name"])
    payload = record["payload"]
    for field in filter(is_sealed, edition.item.fields):
        if payload[field.code] is not None:
            by_code = field.same_as == "subject_code"
            payload[field.code] = subject_id.hex() if by_code else seal(field.code, payload[field.code])
    body = io.BytesIO()
    cast(Any, fastavro).schemaless_writer(body, edition.schema, record)
    return value[: HEAD.size] + body.getvalue()
