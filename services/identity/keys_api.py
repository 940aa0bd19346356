"""gRPC request -> persons' keys -> response; who calls is checked first, and nobody is told why they were turned away.

`GetKeys` writes: it makes the keys that are missing (keys/vault.py says why that is no command).
"""

from __future__ import annotations

import hmac
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, cast

import asyncpg
import grpc
import grpc.aio
from credit.identity.v1 import keys_pb2 as pb
from credit.identity.v1 import keys_pb2_grpc as pb_grpc

from services.chassis import postgres
from services.identity import metrics
from services.identity.domain.persons import Document, PersonReference, refer_to_person
from services.identity.keys import store
from services.identity.keys.files import INGESTION, OPERATOR, KeyFiles
from services.identity.keys.vault import Held, Vault

BATCH_LIMIT = 2000
KEEP_MS = 60_000  # an erasure is over when the last copy of the key is
STATES: Mapping[str, Any] = {
    "LIVE": pb.KEY_STATE_LIVE,
    "ERASED": pb.KEY_STATE_ERASED,
    "REFUSED": pb.KEY_STATE_REFUSED,
    "NONE": pb.KEY_STATE_NONE,
}


class KeysApi(pb_grpc.KeysServicer):
    """Three methods, each for one caller."""

    def __init__(self, pool: asyncpg.Pool[Any], vault: Vault, pepper: bytes, files: KeyFiles) -> None:
        self._pool, self._vault, self._pepper, self._files = pool, vault, pepper, files
        self._guard = store.guard(files.kms)

    async def GetKeys(self, request: pb.GetKeysRequest, context: Any) -> pb.GetKeysResponse:
        """Subject ids and keys of a batch."""
        await self._demand(context, INGESTION)
        if len(request.documents) > BATCH_LIMIT:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "TOO_MANY_DOCUMENTS")
        named = [refer_to_person(self._pepper, _document(one)) for one in request.documents]
        held = await self._vault.keys(one.id for one in named if one.fault is None)
        keys = [_key(one, held.get(one.id)) for one in named]
        _count(keys)
        return pb.GetKeysResponse(keys=keys, cipher=self._files.suite.name, keep_ms=KEEP_MS)

    async def FindPerson(self, request: pb.FindPersonRequest, context: Any) -> pb.FindPersonResponse:
        """The subject id of a document, or of itself, and whether there is a key."""
        await self._demand(context, OPERATOR)
        if request.WhichOneof("person") == "document":
            named = refer_to_person(self._pepper, _document(request.document))
            if named.fault is not None:
                return pb.FindPersonResponse(state=pb.KEY_STATE_REFUSED, fault=named.fault)
            subject_id, notes = named.id, named.notes
        else:
            subject_id, notes = _subject_id(request.subject_id), ()
            if len(subject_id) != 16:
                return pb.FindPersonResponse(state=pb.KEY_STATE_REFUSED, fault="SUBJECT_ID_FORMAT")
        state = STATES[await self._vault.state(subject_id)]
        return pb.FindPersonResponse(state=state, subject_id=subject_id.hex(), notes=notes)

    async def GetKeyring(self, request: pb.GetKeyringRequest, context: Any) -> pb.GetKeyringResponse:
        """How a rotation goes."""
        await self._demand(context, OPERATOR)
        self._files.kms.refresh()
        async with postgres.transaction(self._pool) as tx:
            standing = await self._guard(tx)
            counts: Any = await tx.fetchrow(store.COUNTS, standing, store.COUNT_LIMIT)
        return pb.GetKeyringResponse(
            standing=standing,
            newest=self._files.kms.newest(),
            wrapped_under_others=counts["under_others"],
            erased=counts["erased"],
            cipher=self._files.suite.name,
            certificate_public_key=self._files.certifier.public_key,
        )

    async def _demand(self, context: Any, caller: str) -> None:
        """Compared in constant time, with every caller's, so that the time says nothing either."""
        shown = _bearer(context)
        found = [name for name, known in self._files.credentials.items() if hmac.compare_digest(known, shown)]
        if not found:
            metrics.KEYS_DENIED.labels("unknown").inc()
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "CALLER_UNKNOWN")
        if caller not in found:
            metrics.KEYS_DENIED.labels("not_allowed").inc()
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, "CALLER_NOT_ALLOWED")

    def register(self, server: grpc.aio.Server) -> None:
        """Add this servicer to the process' server."""
        cast(Any, pb_grpc).add_KeysServicer_to_server(self, server)


def _bearer(context: Any) -> bytes:
    metadata: dict[str, str | bytes] = dict(context.invocation_metadata() or ())
    kind, _, shown = str(metadata.get("authorization", "")).partition(" ")
    try:
        return bytes.fromhex(shown) if kind == "Bearer" else b""
    except ValueError:
        return b""


def _document(asked: pb.Document) -> Document:
    return Document(asked.kind, asked.number, asked.country)


def _subject_id(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


def _key(named: PersonReference, held: Held | None) -> pb.PersonKey:
    if held is None:
        return pb.PersonKey(state=pb.KEY_STATE_REFUSED, fault=named.fault or "")
    state = pb.KEY_STATE_ERASED if held.key is None else pb.KEY_STATE_LIVE
    told = pb.PersonKey(state=state, subject_id=named.id, notes=named.notes, merges=named.merges)
    if held.key is not None:
        told.key, told.key_id = held.key, held.key_id
    return told


def _count(keys: Sequence[pb.PersonKey]) -> None:
    names = {pb.KEY_STATE_LIVE: "live", pb.KEY_STATE_ERASED: "erased", pb.KEY_STATE_REFUSED: "refused"}
    for answer, times in Counter(names[key.state] for key in keys).items():
        metrics.KEYS_ASKED.labels(answer).inc(times)
