"""The pepper: read, never made, never told."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.chassis.settings import SettingsFault
from services.identity.config import load_pepper
from services.identity.domain.codes import keyed_id


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
