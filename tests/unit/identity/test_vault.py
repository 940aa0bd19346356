"""Persons' keys over a store: made once, the same for everybody, wrapped anew while used, gone when erased."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from services.chassis.cipher import AES, SM4, SUITES, Suite
from services.chassis.errors import Transient
from services.identity.keys import store
from services.identity.keys.kms import FileKms, id_of
from services.identity.keys.rewrapping import Rewrapper
from services.identity.keys.vault import Held, Vault
from tests.contract.sim.store.case import begin
from tests.contract.sim.store.fakes import FakeStore
from tests.sim.virtual import VirtualLoop

A, B, C = b"a" * 16, b"b" * 16, b"c" * 16
FIRST, SECOND = "1a" * 32, "2b" * 32
Check = Callable[[FakeStore], Coroutine[Any, Any, None]]


def on_a_store(check: Check) -> None:
    """On virtual time: whoever waits, waits for somebody."""
    loop = VirtualLoop()
    try:
        loop.run(check(FakeStore("identity", loop)))
    finally:
        loop.close()


def kek_file(folder: Path, *keys: str) -> Path:
    draft = folder / "draft"
    draft.write_text("\n".join(keys))
    draft.chmod(0o600)
    return draft.replace(folder / "kek")


def opened(held: FakeStore, folder: Path, suite: Suite = AES) -> Vault:
    return Vault(held.pool, FileKms(folder / "kek"), suite, lambda: 5)


async def said(held: FakeStore, statement: str, *arguments: Any) -> None:
    async with begin(held.pool) as tx:
        await tx.execute(statement, *arguments)


@pytest.mark.parametrize("suite", SUITES.values(), ids=lambda suite: suite.name)
def test_a_key_is_made_when_it_is_first_asked_for_and_stays(tmp_path: Path, suite: Suite) -> None:
    kek_file(tmp_path, FIRST)

    async def check(held: FakeStore) -> None:
        first = await opened(held, tmp_path, suite).keys([A, B, A])
        assert set(first) == {A, B}
        assert {len(one.key or b"") for one in first.values()} == {suite.key_bytes}
        assert first[A].key != first[B].key
        assert len(first[A].key_id) == 8
        assert await opened(held, tmp_path, suite).keys([B, A]) == first  # by the next process
        for (wrapped,) in await stored(held):
            assert not any((one.key or b"") in wrapped for one in first.values())

    on_a_store(check)


async def stored(held: FakeStore) -> list[tuple[Any, ...]]:
    return await held.rows("person_keys", "wrapped")


def test_however_many_ask_at_once_they_get_one_key(tmp_path: Path) -> None:
    kek_file(tmp_path, FIRST)

    async def check(held: FakeStore) -> None:
        vaults = [opened(held, tmp_path) for _ in range(4)]
        asked = [vault.keys(ids) for vault in vaults for ids in ([A, B], [B, C], [C, A])]
        answers = await asyncio.gather(*asked)
        for one in (A, B, C):
            assert len({answer[one] for answer in answers if one in answer}) == 1
        assert len(await stored(held)) == 3

    on_a_store(check)


def test_what_is_told_is_durable(tmp_path: Path) -> None:
    """A commit that may be lost raises; the key of an answer is one that the next process finds."""
    kek_file(tmp_path, FIRST)

    async def check(held: FakeStore) -> None:
        fates = iter(["lost", "done"])
        troubles: Any = held.pool.troubles
        before, troubles.commit = troubles.commit, lambda database: next(fates, "done")
        with pytest.raises(Transient):
            for _ in range(3):
                await opened(held, tmp_path).keys([A])
        troubles.commit = before
        assert await opened(held, tmp_path).keys([A]) == await opened(held, tmp_path).keys([A])

    on_a_store(check)


def test_an_erased_person_has_no_key_and_gets_none_again(tmp_path: Path) -> None:
    kek_file(tmp_path, FIRST)

    async def check(held: FakeStore) -> None:
        vault = opened(held, tmp_path)
        others = (await vault.keys([A, B]))[B]
        assert [await vault.state(one) for one in (A, C)] == ["LIVE", "NONE"]
        await said(held, store.DESTROY, [A, C], [7, 7])  # of C there was none
        assert await vault.keys([A, B, C]) == {A: Held(None), B: others, C: Held(None)}
        assert Held(None).key_id == b""
        assert [await vault.state(one) for one in (A, B, C)] == ["ERASED", "LIVE", "ERASED"]
        assert sorted(await held.rows("person_keys", "subject_id kek_id"))[0] == (A, None)

    on_a_store(check)


def test_keys_stay_the_same_through_a_rotation_and_the_old_kek_opens_nothing(tmp_path: Path) -> None:
    kek_file(tmp_path, FIRST)

    async def check(held: FakeStore) -> None:
        old = FileKms(tmp_path / "kek")
        before = await opened(held, tmp_path, SM4).keys([A, B])
        kek_file(tmp_path, SECOND, FIRST)
        vault = opened(held, tmp_path)
        await said(held, store.MOVE_MARK, id_of(bytes.fromhex(SECOND)))
        assert await vault.keys([A, B]) == before  # both are accepted meanwhile
        made = (await vault.keys([C]))[C]
        assert await Rewrapper(held.pool, FileKms(tmp_path / "kek")).catch_up() == 2
        kek_file(tmp_path, SECOND)
        assert await opened(held, tmp_path).keys([A, B, C]) == {**before, C: made}
        for subject_id, wrapped, kek_id in await held.rows("person_keys", "subject_id wrapped kek_id"):
            assert kek_id == id_of(bytes.fromhex(SECOND))
            with pytest.raises(Exception, match=r"kek|^$"):
                old.unwrap(old.newest(), subject_id, wrapped)

    on_a_store(check)


class Tiring(FileKms):
    """Away after 700 keys."""

    wraps = 0

    def wrap(self, *arguments: Any) -> bytes:
        self.wraps += 1
        if self.wraps > 700:
            raise Transient("kek")
        return super().wrap(*arguments)


def test_a_rotation_goes_on_where_it_was_cut_short_and_leaves_the_erased_alone(tmp_path: Path) -> None:
    kek_file(tmp_path, FIRST)

    async def check(held: FakeStore) -> None:
        many = [bytes([n // 256, n % 256]) * 8 for n in range(1100)]
        before = await opened(held, tmp_path).keys(many)
        await said(held, store.DESTROY, many[:100], [7] * 100)
        kek_file(tmp_path, SECOND, FIRST)
        await said(held, store.MOVE_MARK, id_of(bytes.fromhex(SECOND)))
        with pytest.raises(Transient):
            await Rewrapper(held.pool, Tiring(tmp_path / "kek")).catch_up()
        left = await Rewrapper(held.pool, FileKms(tmp_path / "kek")).catch_up()
        assert left == 500  # the half that was not committed
        kek_file(tmp_path, SECOND)
        after = await opened(held, tmp_path).keys(many)
        assert [after[one].key for one in many[:100]] == [None] * 100
        assert all(after[one] == before[one] for one in many[100:])

    on_a_store(check)


def test_another_kek_than_the_stores_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    kek_file(tmp_path, FIRST)

    async def check(held: FakeStore) -> None:
        await opened(held, tmp_path).keys([A])
        kek_file(tmp_path, SECOND)
        with pytest.raises(store.KekChanged, match=r"identity\.kek"):
            await opened(held, tmp_path).keys([B])
        with pytest.raises(store.KekChanged):
            await Rewrapper(held.pool, FileKms(tmp_path / "kek")).run()
        assert len(await stored(held)) == 1

    on_a_store(check)
