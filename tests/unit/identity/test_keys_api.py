"""The key service at its door: who may call, what is answered, and that no answer or error holds a number."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from deploy.local.programs import STUBS
from services.chassis.cipher import AES
from services.chassis.errors import Transient
from services.chassis.grpc_server import GrpcServer
from services.chassis.settings import Address
from services.identity.domain.persons import Document, refer_to_person
from services.identity.keys.certificate import Certifier
from services.identity.keys.files import INGESTION, OPERATOR, KeyFiles
from services.identity.keys.kms import FileKms
from services.identity.keys.vault import Held
from tests.unit.identity.samples import PEPPER

if str(STUBS) not in sys.path:
    sys.path.append(str(STUBS))

from credit.identity.v1 import keys_pb2 as pb
from credit.identity.v1 import keys_pb2_grpc as pb_grpc

from services.identity.keys_api import KeysApi

NUMBER, ERASED_NUMBER = "420106190003070015", "420101190112311007"
SHOWN = {INGESTION: b"i" * 32, OPERATOR: b"o" * 32}
KEY = b"k" * 32


def subject_id(number: str) -> bytes:
    return refer_to_person(PEPPER, Document("resident_id", number)).id


class Vault:
    """One person has no key any more, everybody else has the same one."""

    asked: list[list[bytes]]
    trouble: Exception | None = None

    def __init__(self) -> None:
        self.asked = []

    async def keys(self, ids: Any) -> Mapping[bytes, Held]:
        self.asked.append(list(ids))
        if self.trouble is not None:
            raise self.trouble
        return {one: Held(None if one == subject_id(ERASED_NUMBER) else KEY) for one in self.asked[-1]}

    async def state(self, one: bytes) -> str:
        return "ERASED" if one == subject_id(ERASED_NUMBER) else "NONE"


class Door:
    """The service behind the chassis' server, and a stub that shows what it is told to."""

    def __init__(self, vault: Vault, stub: Any) -> None:
        self.vault, self._stub = vault, stub

    async def call(self, method: str, request: Any, shown: str | None) -> Any:
        metadata = () if shown is None else (("authorization", shown),)
        return await getattr(self._stub, method)(request, timeout=5, metadata=metadata)


@asynccontextmanager
async def opened(folder: Path) -> AsyncGenerator[Door]:
    kek = folder / "kek"
    kek.write_text("1a" * 32)
    kek.chmod(0o600)
    files = KeyFiles(FileKms(kek), AES, Certifier(bytes(32)), SHOWN)
    vault: Any = Vault()
    nowhere: Any = None
    api = KeysApi(nowhere, vault, PEPPER, files)
    async with (
        GrpcServer(Address("127.0.0.1", 0), [api.register], lambda: True) as server,
        grpc.aio.insecure_channel(str(server.address)) as channel,
    ):
        yield Door(vault, pb_grpc.KeysStub(channel))


def bearer(name: str) -> str:
    return f"Bearer {SHOWN[name].hex()}"


def documents(*numbers: str) -> Any:
    return pb.GetKeysRequest(documents=[pb.Document(kind="resident_id", number=number) for number in numbers])


CALLS = [
    ("GetKeys", pb.GetKeysRequest()),
    ("FindPerson", pb.FindPersonRequest(subject_id="00" * 16)),
    ("GetKeyring", pb.GetKeyringRequest()),
]


@pytest.mark.parametrize(("method", "request_"), CALLS, ids=[method for method, _ in CALLS])
@pytest.mark.parametrize("shown", [None, "", "Bearer ", f"Bearer {'69' * 31}", "Bearer xyz", f"Basic {'69' * 32}"])
async def test_a_stranger_gets_nothing(tmp_path: Path, method: str, request_: Any, shown: str | None) -> None:
    async with opened(tmp_path) as door:
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await door.call(method, request_, shown)
        assert (error.value.code(), error.value.details()) == (grpc.StatusCode.UNAUTHENTICATED, "CALLER_UNKNOWN")
        assert door.vault.asked == []


@pytest.mark.parametrize(
    ("method", "request_", "caller"),
    [("GetKeys", documents(NUMBER), OPERATOR), (*CALLS[1], INGESTION), (*CALLS[2], INGESTION)],
)
async def test_each_method_has_one_caller(tmp_path: Path, method: str, request_: Any, caller: str) -> None:
    async with opened(tmp_path) as door:
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await door.call(method, request_, bearer(caller))
        assert error.value.code() == grpc.StatusCode.PERMISSION_DENIED
        assert door.vault.asked == []


async def test_a_batch_is_answered_in_order_with_one_question_to_the_store(tmp_path: Path) -> None:
    async with opened(tmp_path) as door:
        asked = documents(NUMBER, "420106190302290018", ERASED_NUMBER, NUMBER + " ")
        answer = await door.call("GetKeys", asked, bearer(INGESTION))
    live, wrong, erased, again = answer.keys
    assert (live.state, live.subject_id, live.key, live.merges) == (1, subject_id(NUMBER), KEY, True)
    assert (again.subject_id, again.key_id, list(again.notes)) == (live.subject_id, live.key_id, ["REPAIRED"])
    assert (erased.state, erased.subject_id, erased.key, erased.key_id) == (2, subject_id(ERASED_NUMBER), b"", b"")
    assert (wrong.state, wrong.fault, wrong.subject_id, wrong.key) == (3, "CODE_MALFORMED", b"", b"")
    assert (answer.cipher, answer.keep_ms) == ("aes-256-gcm", 60_000)
    assert len(door.vault.asked) == 1
    assert NUMBER not in str(answer)


async def test_more_than_a_batch_is_refused(tmp_path: Path) -> None:
    async with opened(tmp_path) as door:
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await door.call("GetKeys", documents(*[NUMBER] * 2001), bearer(INGESTION))
        assert error.value.details() == "TOO_MANY_DOCUMENTS"
        answer = await door.call("GetKeys", documents(*[NUMBER] * 2000), bearer(INGESTION))
    assert len(answer.keys) == 2000


@pytest.mark.parametrize(
    ("trouble", "code"),
    [(Transient("database"), grpc.StatusCode.UNAVAILABLE), (ValueError(NUMBER), grpc.StatusCode.INTERNAL)],
)
async def test_trouble_is_told_without_its_text(tmp_path: Path, trouble: Exception, code: Any) -> None:
    async with opened(tmp_path) as door:
        door.vault.trouble = trouble
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await door.call("GetKeys", documents(NUMBER), bearer(INGESTION))
    assert error.value.code() == code
    assert NUMBER not in str(error.value)


@pytest.mark.parametrize(
    ("person", "state", "fault"),
    [
        ({"document": pb.Document(kind="resident_id", number=ERASED_NUMBER)}, 2, ""),
        ({"document": pb.Document(kind="resident_id", number=NUMBER)}, 4, ""),
        ({"document": pb.Document(kind="resident_id", number="1")}, 3, "CODE_MALFORMED"),
        ({"subject_id": subject_id(ERASED_NUMBER).hex()}, 2, ""),
        ({"subject_id": NUMBER}, 3, "SUBJECT_ID_FORMAT"),
        ({"subject_id": "x"}, 3, "SUBJECT_ID_FORMAT"),
        ({}, 3, "SUBJECT_ID_FORMAT"),
    ],
)
async def test_the_operator_finds_an_id_and_never_a_key(tmp_path: Path, person: Any, state: int, fault: str) -> None:
    async with opened(tmp_path) as door:
        answer = await door.call("FindPerson", pb.FindPersonRequest(**person), bearer(OPERATOR))
    assert (answer.state, answer.fault) == (state, fault)
    assert door.vault.asked == []  # nothing is made
