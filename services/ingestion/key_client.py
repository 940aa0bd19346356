"""Asks identity for the keys of the persons that a batch speaks of."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from credit.identity.v1 import keys_pb2 as pb
from credit.identity.v1 import keys_pb2_grpc as pb_grpc

from services.chassis.errors import Transient
from services.chassis.settings import Address, Reader, secret
from services.ingestion.domain.person import Document, PersonKey

CREDENTIAL = "keys.ingestion"
DEADLINE_S = 3.0  # it is asked inside a turn's transaction, which the server ends after five idle seconds
BATCH_LIMIT = 2000
KEEP_S = 60.0  # an erasure is over when the last copy of the key is; identity may say less


def load_credential(folder: Path) -> str:
    """What is shown to identity; raises `SettingsFault`."""
    reader = Reader({CREDENTIAL: os.fspath(folder / CREDENTIAL)})
    shown: str = reader.read(CREDENTIAL, secret)
    reader.finish()
    return shown


class KeyClient:
    """Keys by document, kept for a minute at most, counted from before they were asked for."""

    def __init__(self, address: Address, credential: str, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._address, self._clock_s = address, clock_s
        self._shown = (("authorization", f"Bearer {credential}"),)
        self._kept: dict[Document, tuple[float, PersonKey]] = {}
        self._stub: Any = None

    async def keys(self, documents: Sequence[Document]) -> Mapping[Document, PersonKey]:
        """Of all of them; raises `Transient` when identity does not answer, or turns us away."""
        now = self._clock_s()
        self._kept = {document: kept for document, kept in self._kept.items() if kept[0] > now}
        missing = [document for document in documents if document not in self._kept]
        for first in range(0, len(missing), BATCH_LIMIT):
            await self._fetch(missing[first : first + BATCH_LIMIT])
        return {document: self._kept[document][1] for document in documents}

    async def _fetch(self, documents: Sequence[Document]) -> None:
        asked_at = self._clock_s()
        request = pb.GetKeysRequest(documents=[pb.Document(kind=d.kind, number=d.number) for d in documents])
        try:
            answer = await self._opened().GetKeys(request, timeout=DEADLINE_S, metadata=self._shown)
        except grpc.aio.AioRpcError as error:
            raise Transient("identity", error.code().name) from None  # its text could quote what was asked
        if len(answer.keys) != len(documents):
            raise Transient("identity", "another number of keys than was asked for")
        until = asked_at + min(KEEP_S, answer.keep_ms / 1000)
        for document, key in zip(documents, answer.keys, strict=True):
            self._kept[document] = until, _person(key)

    def _opened(self) -> Any:
        """Opened by the first who speaks of a person; it connects again by itself."""
        if self._stub is None:
            self._stub = pb_grpc.KeysStub(grpc.aio.insecure_channel(str(self._address)))
        return self._stub


def _person(key: pb.PersonKey) -> PersonKey:
    return PersonKey(key.subject_id, key.key if key.state == pb.KEY_STATE_LIVE else None)
