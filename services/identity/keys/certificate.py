"""The certificate of an erasure: who, when, which subject id, why; signed, so that anybody can check it.

Ed25519 over the canonical JSON of the statement: equal facts give equal bytes, so a replay says what was said.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from services.identity.domain.erasure import PersonErased

KIND = "cn.hubei.credit.erasure-certificate.v1"
DONE = "the data key of this subject was destroyed and is never made again"


def statement(erased: PersonErased) -> dict[str, str]:
    """What is certified."""
    return {
        "kind": KIND,
        "subject_id": erased.subject_id.hex(),
        "erased_at": datetime.fromtimestamp(erased.at_ms / 1000, UTC).isoformat(timespec="milliseconds"),
        "issued_by": erased.issued_by,
        "command_id": erased.command_id,
        "reason": erased.reason,
        "done": DONE,
    }


def canonical(said: dict[str, str]) -> bytes:
    """The one form that is hashed and signed: keys in order, no space, UTF-8."""
    return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


class Certifier:
    """Signs with a key that is never rotated, since what it signed must stay checkable."""

    def __init__(self, seed: bytes) -> None:
        """`seed`: 32 bytes."""
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public_key = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()

    def certify(self, erased: PersonErased) -> dict[str, Any]:
        """The statement, its SHA-256, and the signature with the key to check it by, all in hexadecimal."""
        said = statement(erased)
        text = canonical(said)
        return {
            "statement": said,
            "digest": hashlib.sha256(text).hexdigest(),
            "public_key": self.public_key,
            "signature": self._key.sign(text).hex(),
        }
