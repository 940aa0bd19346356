"""The two authenticated ciphers that may be chosen: AES-256-GCM, and SM4-GCM (GB/T 32907, GM/T 0009 family)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE_BYTES = 12
TAG_BYTES = 16

Work = Callable[[bytes, bytes, bytes, bytes], bytes]  # key, nonce, text or sealed text with tag, associated data


class Suite(NamedTuple):
    """A cipher; `number` stands in front of everything that it has sealed. `unseal` raises `InvalidTag`."""

    number: int
    name: str
    key_bytes: int
    seal: Work
    unseal: Work


def _aes_seal(key: bytes, nonce: bytes, text: bytes, about: bytes) -> bytes:
    return AESGCM(key).encrypt(nonce, text, about)


def _aes_unseal(key: bytes, nonce: bytes, sealed: bytes, about: bytes) -> bytes:
    return AESGCM(key).decrypt(nonce, sealed, about)


def _sm4_seal(key: bytes, nonce: bytes, text: bytes, about: bytes) -> bytes:
    work = Cipher(algorithms.SM4(key), modes.GCM(nonce)).encryptor()
    work.authenticate_additional_data(about)
    return work.update(text) + work.finalize() + work.tag


def _sm4_unseal(key: bytes, nonce: bytes, sealed: bytes, about: bytes) -> bytes:
    if len(sealed) < TAG_BYTES:
        raise InvalidTag
    work = Cipher(algorithms.SM4(key), modes.GCM(nonce, sealed[-TAG_BYTES:])).decryptor()
    work.authenticate_additional_data(about)
    return work.update(sealed[:-TAG_BYTES]) + work.finalize()


AES = Suite(1, "aes-256-gcm", 32, _aes_seal, _aes_unseal)
SM4 = Suite(2, "sm4-gcm", 16, _sm4_seal, _sm4_unseal)
SUITES = {suite.number: suite for suite in (AES, SM4)}


def suite_named(name: str) -> Suite:
    """The suite of this name, tried out first: not every build of the library has SM4. Raises ValueError."""
    found = next((suite for suite in SUITES.values() if suite.name == name), None)
    if found is None:
        raise ValueError(f"must be one of {', '.join(suite.name for suite in SUITES.values())}")
    key, nonce = bytes(found.key_bytes), bytes(NONCE_BYTES)
    if found.unseal(key, nonce, found.seal(key, nonce, b"text", b"about"), b"about") != b"text":
        raise ValueError(f"{name} does not work here")
    return found


def derived(key: bytes, suite: Suite, purpose: bytes) -> bytes:
    """The key of one suite and purpose from a master key (HKDF-SHA-256): no key serves two ciphers."""
    info = purpose + b"|" + suite.name.encode()
    return HKDF(algorithm=hashes.SHA256(), length=suite.key_bytes, salt=None, info=info).derive(key)
