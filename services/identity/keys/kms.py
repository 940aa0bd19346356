"""The master key: wraps and unwraps persons' keys, and is never seen outside of here."""

from __future__ import annotations

import os
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag

from services.chassis.cipher import NONCE_BYTES, SUITES, Suite, derived
from services.chassis.errors import Transient
from services.chassis.settings import secret

KEY_BYTES = 32
ABOUT = b"identity|person_keys|wrapped|"


class KekAway(Transient):
    """The key under which something is wrapped is not at hand; it may be put back."""


class WrappedDamaged(Exception):
    """A wrapped key that this KEK has not wrapped for this subject: the row was changed or moved."""


class Kms(Protocol):
    """A key management service. Ids of keys say nothing of the keys."""

    def newest(self) -> str:
        """The id of the key that the operator has put in last."""
        ...

    def holds(self, kek_id: str) -> bool:
        """Whether this key is at hand."""
        ...

    def wrap(self, kek_id: str, suite: Suite, subject_id: bytes, key: bytes) -> bytes:
        """Suite (1 byte), nonce (12), sealed key with tag; raises `KekAway`."""
        ...

    def unwrap(self, kek_id: str, subject_id: bytes, wrapped: bytes) -> bytes:
        """The key; raises `KekAway`, `WrappedDamaged`."""
        ...


def id_of(kek: bytes) -> str:
    """16 hexadecimal digits that cannot be turned back."""
    return blake2b(b"identity.kek", digest_size=8, key=kek).hexdigest()


class FileKms:
    """The key lies in a file that only its owner may read: one a line in hexadecimal, the newest first.

    The first line is what a rotation goes to; the lines below it are accepted for as long as they stand there.
    """

    def __init__(self, path: Path) -> None:
        """Raises ValueError or OSError, without a word of the content."""
        self._path = path
        self._seen: tuple[int, int, int] = (0, 0, 0)
        self._keys: Mapping[str, Mapping[int, bytes]] = {}  # by id the key of each suite, the newest first
        self.refresh()

    def refresh(self) -> None:
        """Read the file again if it is another one now; raises ValueError or OSError."""
        stat = self._path.stat()
        # The mode counts too: a file that was opened to others is refused although its content is the same.
        seen = (stat.st_ino, stat.st_mtime_ns, stat.st_mode)
        if seen != self._seen:
            keys = [_key(line) for line in secret(os.fspath(self._path)).splitlines()]
            self._keys, self._seen = {id_of(key): _derived(key) for key in keys}, seen

    def newest(self) -> str:
        return next(iter(self._keys))

    def holds(self, kek_id: str) -> bool:
        if kek_id not in self._keys:
            self.refresh()
        return kek_id in self._keys

    def wrap(self, kek_id: str, suite: Suite, subject_id: bytes, key: bytes) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        about = ABOUT + kek_id.encode() + subject_id
        return bytes((suite.number,)) + nonce + suite.seal(self._kek(kek_id, suite), nonce, key, about)

    def unwrap(self, kek_id: str, subject_id: bytes, wrapped: bytes) -> bytes:
        suite = SUITES.get(wrapped[0]) if wrapped else None
        if suite is None:
            raise WrappedDamaged
        nonce, sealed = wrapped[1 : 1 + NONCE_BYTES], wrapped[1 + NONCE_BYTES :]
        kek = self._kek(kek_id, suite)
        try:
            return suite.unseal(kek, nonce, sealed, ABOUT + kek_id.encode() + subject_id)
        except (InvalidTag, ValueError):
            raise WrappedDamaged from None

    def _kek(self, kek_id: str, suite: Suite) -> bytes:
        if not self.holds(kek_id):
            raise KekAway("kek", kek_id)
        return self._keys[kek_id][suite.number]


def _derived(kek: bytes) -> Mapping[int, bytes]:
    """Once for each reading of the file: deriving costs more than wrapping."""
    return {suite.number: derived(kek, suite, b"identity.kek") for suite in SUITES.values()}


def _key(line: str) -> bytes:
    try:
        key = bytes.fromhex(line)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError(f"must hold keys of {KEY_BYTES} bytes in hexadecimal, one a line") from None
    return key
