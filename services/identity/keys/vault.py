"""Hands out persons' keys, and makes the ones that are missing.

A key is random and stored, not derived from the master key: what can be derived again cannot be destroyed. It is made
by the question and not by a message, the second exception from architecture §3.2 beside disclosure's audit row, and for
the same reason turned round: the answer may not leave before the row is durable, and the key may not lie in a topic, an
outbox or a journal, where it would outlive its destruction.

Free of races by the row alone. `INSERT … ON CONFLICT DO NOTHING`, then read: whoever was first, the row that stands is
committed and is what everybody gets; the key that a second one had made is forgotten unseen. An erasure leaves a row
too, so a question that meets it finds it, and never makes the key again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

import asyncpg

from services.chassis import postgres
from services.chassis.cipher import Suite
from services.chassis.errors import Transient
from services.identity import metrics
from services.identity.keys import store
from services.identity.keys.kms import Kms

ATTEMPTS = 3  # a rotation may come between; it does not come again and again


class Held(NamedTuple):
    """The key of a subject; `key` is None when it was destroyed, for ever."""

    key: bytes | None

    @property
    def key_id(self) -> bytes:
        """8 bytes that tell this key from any other and say nothing of it; empty without a key."""
        return b"" if self.key is None else blake2b(b"key id", digest_size=8, key=self.key).digest()


class Vault:
    """`keys` answers for many subjects at once; raises `Transient` while the store or the master key is away."""

    def __init__(self, pool: asyncpg.Pool[Any], kms: Kms, suite: Suite, clock_ms: Callable[[], int]) -> None:
        self._pool, self._kms, self._suite, self._clock_ms = pool, kms, suite, clock_ms
        self._guard = store.guard(kms)

    async def keys(self, subject_ids: Iterable[bytes]) -> Mapping[bytes, Held]:
        """The key of each; of a person who was never asked for, it is made and durable first."""
        wanted = sorted(set(subject_ids))
        found = await self._find(wanted)
        for _ in range(ATTEMPTS):
            missing = [one for one in wanted if one not in found]
            if not missing:
                return found
            await self._make(missing)
            found |= await self._find(missing)
        raise Transient("kek", "it was replaced again and again")

    async def _find(self, wanted: Sequence[bytes]) -> dict[bytes, Held]:
        if not wanted:
            return {}
        async with postgres.transaction(self._pool) as tx:
            rows = await tx.fetch(store.FIND, wanted)
        return {row["subject_id"]: Held(self._unwrapped(row)) for row in rows}

    def _unwrapped(self, row: Mapping[str, Any]) -> bytes | None:
        if row["wrapped"] is None:
            return None
        return self._kms.unwrap(row["kek_id"], row["subject_id"], row["wrapped"])

    async def _make(self, missing: Sequence[bytes]) -> None:
        """A transaction of its own: when this returns, what it has made is on disk, and nobody has seen it yet."""
        async with postgres.transaction(self._pool) as tx:
            mark = await self._guard(tx)
            made = [self._kms.wrap(mark, self._suite, one, os.urandom(self._suite.key_bytes)) for one in missing]
            tag = await tx.execute(store.MAKE, missing, made, mark, self._clock_ms())
        metrics.KEYS_MADE.inc(int(tag.rpartition(" ")[2]))

    async def state(self, subject_id: bytes) -> str:
        """NONE, LIVE or ERASED, for the operator; makes nothing."""
        async with postgres.transaction(self._pool) as tx:
            row = await tx.fetchrow(store.FIND, [subject_id])
        if row is None:
            return "NONE"
        return "ERASED" if row["wrapped"] is None else "LIVE"
