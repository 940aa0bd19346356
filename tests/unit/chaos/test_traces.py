"""The search for persons finds what lies about in clear: one that found nothing would let every fault pass."""

from __future__ import annotations

import json
import os
import random
from base64 import b64encode
from pathlib import Path

import pytest

from deploy.local.layout import Layout
from services.kernel import resident_id
from tests.chaos import persons, traces
from tests.chaos.traces import Search

NAME, NUMBER = "演示甲乙丙丁戊己庚", "42010618880808"
CLEAR = {
    "utf8": NAME.encode(),
    "gb18030": NAME.encode("gb18030"),
    "hex": NAME.encode().hex().encode(),
    "HEX": NUMBER.encode().hex().upper().encode(),
    "json": json.dumps({"xm": f"{NAME}007"}).encode(),
    "number": f"{NUMBER}0075".encode(),
    "base64": b64encode(f"x{NUMBER}0075".encode()),
    "base64 of a name": b64encode(f"xy{NAME}7".encode()),
}


@pytest.fixture
def search(tmp_path: Path) -> Search:
    return Search(Layout(tmp_path, 19000, tmp_path), (NUMBER, NAME))


@pytest.mark.parametrize("form", CLEAR)
def test_it_is_found_in_whatever_form(search: Search, form: str) -> None:
    assert search.holds(b"before" + CLEAR[form] + b"after")
    assert not search.holds("演示辛壬癸 19990101 42010619990101".encode())


def test_a_file_is_read_over_the_end_of_a_piece(
    search: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traces, "PIECE", 64)
    file = tmp_path / "segment"
    for before in range(40, 70):
        file.write_bytes(b"." * before + CLEAR["utf8"] + b"." * 50)
        assert search.in_file(file), before
    file.write_bytes(b"." * 500)
    assert not search.in_file(file)
    assert not search.in_file(tmp_path / "gone")


def test_only_the_submit_topics_may_hold_it_and_older_files_are_not_asked(search: Search, tmp_path: Path) -> None:
    for name in ("kafka/credit.submit.420000-gat.v1-0/0.log", "postgres/pg_wal/1", "log/identity.log", "old/0.log"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(CLEAR["number"])
    os.utime(tmp_path / "old/0.log", (1, 1))
    assert search.files(2) == ["log/identity.log", "postgres/pg_wal/1"]


def test_invented_persons_begin_alike_and_hold_numbers_of_nobody_who_lives() -> None:
    first, second = (persons.invented(random.Random(7), 12) for _ in range(2))
    assert first.number != second.number or first.name != second.name  # of one seed, for one stack
    assert len({one.number for one in first.everybody}) == len({one.name for one in first.everybody}) == 12
    for one in first.everybody:
        assert resident_id.is_valid(one.number)
        assert 1880 <= int(one.number[6:10]) <= 1905
        assert (one.number[:14], one.name[: len(first.name)]) == (first.number, first.name)
