"""The key file: read, never made, never told; what it wraps is bound to its subject."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from services.chassis.cipher import AES, SM4, SUITES, Suite
from services.chassis.settings import Settings, SettingsFault
from services.identity.keys.files import CERTIFICATE, CIPHER, INGESTION, KEK, OPERATOR, load_key_files
from services.identity.keys.kms import FileKms, KekAway, WrappedDamaged, id_of
from tests.sim.process import settings

ONE, OTHER, KEY = bytes(range(16)), bytes(16), b"k" * 32
FIRST, SECOND = "1a" * 32, "2b" * 32


def write(file: Path, *keys: str, mode: int = 0o600) -> Path:
    file.write_text("\n".join(keys) + "\n")
    file.chmod(mode)
    return file


def replace(file: Path, *keys: str) -> None:
    """As an operator does: a new file in the place of the old one."""
    write(file.with_suffix(".draft"), *keys).replace(file)


@pytest.mark.parametrize("suite", SUITES.values(), ids=lambda suite: suite.name)
def test_what_is_wrapped_is_unwrapped_for_its_subject_alone(tmp_path: Path, suite: Suite) -> None:
    kms = FileKms(write(tmp_path / "kek", FIRST, SECOND))
    key = KEY[: suite.key_bytes]
    wrapped = kms.wrap(kms.newest(), suite, ONE, key)
    assert key not in wrapped
    assert kms.unwrap(kms.newest(), ONE, wrapped) == key
    assert kms.wrap(kms.newest(), suite, ONE, key) != wrapped
    second = id_of(bytes.fromhex(SECOND))
    moved = [(kms.newest(), OTHER, wrapped), (second, ONE, wrapped), (kms.newest(), ONE, wrapped[:-1] + b"?")]
    for wrong in (*moved, (second, ONE, b""), (second, ONE, b"\x09" + wrapped[1:]), (second, ONE, wrapped[:10])):
        with pytest.raises(WrappedDamaged):
            kms.unwrap(*wrong)


def test_the_first_line_is_the_newest_and_all_are_accepted(tmp_path: Path) -> None:
    kms = FileKms(write(tmp_path / "kek", FIRST, SECOND))
    assert kms.newest() == id_of(bytes.fromhex(FIRST))
    assert kms.holds(id_of(bytes.fromhex(SECOND)))
    with pytest.raises(KekAway):
        kms.unwrap("00" * 8, ONE, kms.wrap(kms.newest(), AES, ONE, KEY))


def test_a_new_file_is_seen_and_what_was_taken_out_is_forgotten(tmp_path: Path) -> None:
    file = write(tmp_path / "kek", FIRST)
    kms = FileKms(file)
    wrapped = kms.wrap(kms.newest(), SM4, ONE, KEY[:16])
    replace(file, SECOND, FIRST)
    assert kms.holds(id_of(bytes.fromhex(SECOND)))  # asked for: read again by itself
    assert kms.newest() == id_of(bytes.fromhex(SECOND))
    assert kms.unwrap(id_of(bytes.fromhex(FIRST)), ONE, wrapped) == KEY[:16]
    replace(file, SECOND)
    kms.refresh()
    with pytest.raises(KekAway):
        kms.unwrap(id_of(bytes.fromhex(FIRST)), ONE, wrapped)


def test_a_file_that_is_opened_to_others_while_it_is_used_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "kek", FIRST)
    kms = FileKms(file)
    file.chmod(0o640)
    with pytest.raises(ValueError, match="chmod 600"):
        kms.refresh()


@pytest.mark.parametrize("content", ["", "not hexadecimal", "1a" * 31, f"{FIRST}\n{'2b' * 33}"])
def test_a_bad_key_is_refused_without_being_told(tmp_path: Path, content: str) -> None:
    with pytest.raises(ValueError) as fault:
        FileKms(write(tmp_path / "kek", content))
    assert not content or content[:8] not in str(fault.value)


def test_all_that_is_wrong_with_the_files_is_said_at_once_and_none_is_made(tmp_path: Path) -> None:
    write(tmp_path / KEK, FIRST, mode=0o644)
    write(tmp_path / CERTIFICATE, "short")
    write(tmp_path / INGESTION, SECOND)
    with pytest.raises(SettingsFault) as fault:
        load_key_files(_here(tmp_path, CREDIT_IDENTITY_CIPHER="rot13"))
    assert [line.partition(":")[0] for line in str(fault.value).splitlines()] == [KEK, CERTIFICATE, OPERATOR, CIPHER]
    assert SECOND not in str(fault.value)
    assert not (tmp_path / OPERATOR).exists()


def test_two_callers_never_show_the_same(tmp_path: Path) -> None:
    for name in (KEK, CERTIFICATE, INGESTION, OPERATOR):
        write(tmp_path / name, FIRST)
    with pytest.raises(SettingsFault, match="must not be the same"):
        load_key_files(_here(tmp_path))


@pytest.mark.parametrize("suite", SUITES.values(), ids=lambda suite: suite.name)
def test_the_cipher_is_chosen_by_configuration(tmp_path: Path, suite: Suite) -> None:
    for number, name in enumerate((KEK, CERTIFICATE, INGESTION, OPERATOR)):
        write(tmp_path / name, f"{number:02x}" * 32)
    assert load_key_files(_here(tmp_path, CREDIT_IDENTITY_CIPHER=suite.name)).suite is suite
    files = load_key_files(_here(tmp_path))
    assert files.suite is AES
    assert "01" * 8 not in repr(files)


def _here(folder: Path, **environment: str) -> Settings:
    return dataclasses.replace(settings("identity", 0), secrets=folder, environment=environment)
