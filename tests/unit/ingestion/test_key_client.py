"""Keys are asked of identity once a batch, kept for a minute at most, and waited for when identity is away."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from deploy.local.programs import STUBS
from services.chassis.errors import Transient
from services.chassis.grpc_server import GrpcServer
from services.chassis.settings import Address, SettingsFault
from services.ingestion.domain.person import Document, PersonKey
from tests.unit.ingestion import persons

if str(STUBS) not in sys.path:
    sys.path.append(str(STUBS))

from credit.identity.v1 import keys_pb2 as pb
from credit.identity.v1 import keys_pb2_grpc as pb_grpc

from services.ingestion.key_client import KeyClient, load_credential

ONE, OTHER = Document("resident_id", persons.NUMBER), Document("resident_id", persons.OTHER)


class Identity(pb_grpc.KeysServicer):
    """Answers by a table; without an entry the person lives."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.shown: list[Any] = []
        self.states: dict[str, int] = {}
        self.keep_ms = 60_000
        self.trouble: Any = None

    async def GetKeys(self, request: Any, context: Any) -> Any:
        self.asked.append([document.number for document in request.documents])
        self.shown.append(dict(context.invocation_metadata())["authorization"])
        if self.trouble is not None:
            await context.abort(self.trouble, "no")
        keys = [self._key(document.number) for document in request.documents]
        return pb.GetKeysResponse(keys=keys, cipher="aes-256-gcm", keep_ms=self.keep_ms)

    def _key(self, number: str) -> Any:
        state: Any = self.states.get(number, pb.KEY_STATE_LIVE)
        # A key that should not be there is not taken either.
        return pb.PersonKey(state=state, subject_id=number[:16].encode(), key=b"k" * 32)

    def register(self, server: grpc.aio.Server) -> None:
        pb_grpc.add_KeysServicer_to_server(self, server)


class Watch:
    """The client's clock."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def opened() -> AsyncGenerator[tuple[Identity, KeyClient, Watch]]:
    identity, watch = Identity(), Watch()
    async with GrpcServer(Address("127.0.0.1", 0), [identity.register], lambda: True) as server:
        yield identity, KeyClient(server.address, "ab" * 32, watch), watch


async def test_a_batch_is_one_question_and_shows_who_asks() -> None:
    async with opened() as (identity, client, _):
        found = await client.keys([ONE, OTHER])
    assert found == {
        ONE: PersonKey(persons.NUMBER[:16].encode(), b"k" * 32),
        OTHER: PersonKey(persons.OTHER[:16].encode(), b"k" * 32),
    }
    assert identity.asked == [[persons.NUMBER, persons.OTHER]]
    assert identity.shown == [f"Bearer {'ab' * 32}"]


async def test_a_key_is_kept_for_a_minute_and_no_longer() -> None:
    async with opened() as (identity, client, watch):
        await client.keys([ONE])
        watch.now += 59.9
        await client.keys([ONE, OTHER])
        assert identity.asked == [[persons.NUMBER], [persons.OTHER]]
        identity.states[persons.NUMBER] = pb.KEY_STATE_ERASED
        watch.now += 0.2
        assert (await client.keys([ONE, OTHER]))[ONE].key is None
    assert len(identity.asked) == 3


async def test_identity_may_say_a_shorter_time_but_no_longer_one() -> None:
    for keep_ms, later, times in ((1000, 1.1, 2), (600_000, 60.1, 2), (600_000, 59.0, 1)):
        async with opened() as (identity, client, watch):
            identity.keep_ms = keep_ms
            await client.keys([ONE])
            watch.now += later
            await client.keys([ONE])
            assert len(identity.asked) == times


async def test_the_erased_and_the_unknown_have_no_key() -> None:
    async with opened() as (identity, client, _):
        identity.states = {persons.NUMBER: pb.KEY_STATE_ERASED, persons.OTHER: pb.KEY_STATE_REFUSED}
        found = await client.keys([ONE, OTHER])
    assert [found[one].key for one in (ONE, OTHER)] == [None, None]


async def test_more_than_a_batch_is_asked_in_parts() -> None:
    many = [Document("resident_id", f"{n:018d}") for n in range(4100)]
    async with opened() as (identity, client, _):
        assert len(await client.keys(many)) == 4100
    assert [len(asked) for asked in identity.asked] == [2000, 2000, 100]


@pytest.mark.parametrize("code", ["UNAVAILABLE", "UNAUTHENTICATED", "PERMISSION_DENIED", "INTERNAL"])
async def test_whatever_identity_says_instead_of_keys_is_waited_out(code: str) -> None:
    async with opened() as (identity, client, _):
        identity.trouble = getattr(grpc.StatusCode, code)
        with pytest.raises(Transient) as error:
            await client.keys([ONE])
        assert error.value.args == ("identity", code)
        identity.trouble = None
        assert (await client.keys([ONE]))[ONE].key


async def test_nobody_at_the_door_is_waited_out() -> None:
    client = KeyClient(Address("127.0.0.1", 1), "ab" * 32)
    with pytest.raises(Transient) as error:
        await client.keys([ONE])
    assert persons.NUMBER not in str(error.value.args)
    assert error.value.__cause__ is None


def test_the_credential_is_read_and_never_made(tmp_path: Path) -> None:
    with pytest.raises(SettingsFault, match=r"keys\.ingestion"):
        load_credential(tmp_path)
    assert list(tmp_path.iterdir()) == []
    file = tmp_path / "keys.ingestion"
    file.write_text("ab" * 32)
    file.chmod(0o640)
    with pytest.raises(SettingsFault, match="chmod 600"):
        load_credential(tmp_path)
    file.chmod(0o600)
    assert load_credential(tmp_path) == "ab" * 32
