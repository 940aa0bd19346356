"""A natural person as ingestion knows one: by a document, and by what identity says of it."""

from __future__ import annotations

from typing import NamedTuple


class Document(NamedTuple):
    """A document as the envelope names it."""

    kind: str
    number: str


class PersonKey(NamedTuple):
    """Subject id (16 bytes) and data key. No key: the person was erased; no id either: the document names nobody."""

    subject_id: bytes
    key: bytes | None
