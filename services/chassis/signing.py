"""What binds a command to who gives it: an Ed25519 signature (RFC 8032) in the header `signature`, 64 raw bytes.

Signed are the topic, the key and the value with its schema id, so a command is good for one service and one aggregate.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

HEADER = "signature"
PURPOSE = b"creditbus command 1"


def public_key(seed: str) -> str:
    """Of a private key of 32 bytes in hexadecimal; in hexadecimal too. Raises ValueError."""
    return _private(seed).public_key().public_bytes_raw().hex()


def sign(seed: str, topic: str, key: bytes, value: bytes) -> bytes:
    """The signature of a command as it will be published; raises ValueError for what is no private key."""
    return _private(seed).sign(_signed(topic, key, value))


def holds(public: bytes, signature: bytes, topic: str, key: bytes, value: bytes) -> bool:
    """Whether this key (32 bytes) has signed this command."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, _signed(topic, key, value))
    except InvalidSignature:
        return False
    return True


def _private(seed: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed))


def _signed(topic: str, key: bytes, value: bytes) -> bytes:
    parts = (PURPOSE, topic.encode(), key, value)
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
