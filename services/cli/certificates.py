"""Checks the certificate of an erasure as anybody can: a hash and an Ed25519 signature over canonical JSON."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from deploy.local.faults import StackFault

NAMES = {"statement", "digest", "public_key", "signature"}


def read(file: Path) -> dict[str, Any]:
    """A certificate as `credit erase --json` printed it; raises `StackFault`."""
    try:
        found: Any = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise StackFault(f"{file} holds no certificate: it is what credit erase --json printed") from None
    if not isinstance(found, dict) or set(found) != NAMES:  # pyright: ignore[reportUnknownArgumentType]
        raise StackFault(f"{file} holds no certificate: it has {', '.join(sorted(NAMES))}")
    return found  # pyright: ignore[reportUnknownVariableType]


def check(certificate: dict[str, Any]) -> None:
    """Raises `StackFault` unless digest and signature are the statement's. Whose key it is, the reader must compare:
    `credit keys status` shows the platform's.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    said = certificate["statement"]
    text = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    try:
        if hashlib.sha256(text).hexdigest() != certificate["digest"]:
            raise StackFault("the digest is not the statement's: the certificate was changed")
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(certificate["public_key"]))
        key.verify(bytes.fromhex(certificate["signature"]), text)
    except (InvalidSignature, ValueError, TypeError):
        raise StackFault("the signature is not the statement's: the certificate was changed") from None
