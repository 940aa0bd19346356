"""The pepper: read, never made, never told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from services.chassis.settings import SettingsFault
from services.identity.config import load_pepper
from services.identity.domain.codes import keyed_id
from services.identity.store.pepper import MARK, SET_MARK, PepperChanged, guard


def test_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "identity.pepper"
    file.write_text("ab" * 32 + "\n")
    file.chmod(0o600)
    assert load_pepper(tmp_path) == b"\xab" * 32


@pytest.mark.parametrize("content", ["", "not hexadecimal", "ab" * 15, "ab" * 65])
def test_a_bad_one_is_refused_without_being_told(tmp_path: Path, content: str) -> None:
    file = tmp_path / "identity.pepper"
    file.write_text(content)
    file.chmod(0o600)
    with pytest.raises(SettingsFault) as fault:
        load_pepper(tmp_path)
    assert not content or content not in str(fault.value)


def test_a_readable_one_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "identity.pepper"
    file.write_text("ab" * 32)
    file.chmod(0o644)
    with pytest.raises(SettingsFault, match="chmod 600"):
        load_pepper(tmp_path)


def test_a_missing_one_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(SettingsFault):
        load_pepper(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_ids_depend_on_pepper_and_kind() -> None:
    ids = {keyed_id(p, k, "MA4KLM0N5") for p in (b"a" * 16, b"b" * 16) for k in ("uscc", "org_code")}
    assert {len(i) for i in ids} == {16}
    assert len(ids) == 4


class Store:
    """The one row, as the database has it."""

    mark: bytes | None = None

    async def fetchval(self, query: str) -> bytes | None:
        assert query == MARK
        return self.mark

    async def execute(self, query: str, mark: bytes) -> str:
        assert query == SET_MARK
        assert self.mark is None
        self.mark = mark
        return "INSERT 0 1"


async def test_the_first_one_is_marked_and_no_other_is_ever_taken() -> None:
    store: Any = Store()
    for _ in range(2):  # the first process, then the next
        check = guard(b"a" * 32)
        await check(store)
        await check(store)
    with pytest.raises(PepperChanged, match=r"identity\.pepper"):
        await guard(b"b" * 32)(store)


async def test_a_mark_that_was_rolled_back_is_set_again() -> None:
    store: Any = Store()
    check = guard(b"a" * 32)
    await check(store)
    store.mark = None
    await check(store)
    assert store.mark is not None
