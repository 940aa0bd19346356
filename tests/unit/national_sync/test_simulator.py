"""What the simulator of the national platform remembers, in files of this release and of the one before."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from deploy.national_platform.behaviour import Behaviour
from deploy.national_platform.server import ACK, National, Pushed
from deploy.national_platform.store import Seen, Store

BEFORE = """
CREATE TABLE records (
    record_id TEXT PRIMARY KEY, item TEXT NOT NULL, version INTEGER NOT NULL, deleted INTEGER NOT NULL,
    fields TEXT NOT NULL);
CREATE INDEX records_item ON records (item, record_id);
CREATE TABLE answers (key TEXT PRIMARY KEY, answer TEXT NOT NULL, code TEXT NOT NULL, text TEXT NOT NULL);
CREATE TABLE seen (key TEXT PRIMARY KEY, times INTEGER NOT NULL);
INSERT INTO records VALUES ('a', 'org-permit', 1, 0, '{}');
INSERT INTO seen VALUES ('a:1', 3), ('b:1', 2);
INSERT INTO answers VALUES ('a:1', 'ACK', 'ACK', '');
"""
WITHDRAWAL = Pushed("a:2", "a", 2, "org-permit", None, "{}")
TAKE = National._take  # pyright: ignore[reportPrivateUsage]


def test_a_file_of_the_release_before_is_taken_over(tmp_path: Path) -> None:
    before = sqlite3.connect(tmp_path / "national.sqlite")
    before.executescript(BEFORE)
    before.close()
    for _ in range(2):
        store = Store(tmp_path / "national.sqlite")
        assert store.seen(["a:1", "b:1", "c:1"]) == {"a:1": Seen(3, ACK), "b:1": Seen(2, None)}
        assert store.counts() == {"counts": {"org-permit": {"active": 1, "deleted": 0}}, "answers": {"ACK": 1}}
        store.close()


def test_a_key_is_answered_once_and_counted_always(tmp_path: Path) -> None:
    store = Store(tmp_path / "national.sqlite")
    national, again = National(store), {"key": "a:2", "answer": "ACK", "code": "ACK", "text": ""}
    assert TAKE(national, [WITHDRAWAL, WITHDRAWAL], Behaviour()) == ("none", [again, again])
    assert store.seen(["a:2"]) == {"a:2": Seen(2, ACK)}
    # What was acknowledged stays so, whatever the record would be told today.
    assert TAKE(national, [WITHDRAWAL._replace(item="unknown")], Behaviour(busy_rate=1)) == ("none", [again])
    assert store.counts()["answers"] == {"ACK": 1}
    store.close()


def test_what_is_refused_whole_is_counted_and_not_judged(tmp_path: Path) -> None:
    store = Store(tmp_path / "national.sqlite")
    mishap, answers = TAKE(National(store), [WITHDRAWAL], Behaviour(fail_rate=1))
    assert (mishap, [answer["answer"] for answer in answers]) == ("fail", ["RETRY"])
    assert store.seen(["a:2"]) == {"a:2": Seen(1, None)}
    assert store.counts() == {"counts": {}, "answers": {}}
    store.close()


@pytest.mark.parametrize("text", ["\ud800", "\udfff 演示"])
async def test_half_a_surrogate_pair_is_the_sender_s_fault(tmp_path: Path, text: str) -> None:
    """JSON can name it; as an error of the platform it would be sent again without end."""
    store = Store(tmp_path / "national.sqlite")
    record: dict[str, Any] = {"key": "a:1", "record_id": "a", "version": 1, "item": "org-permit", "action": "put"}
    async with TestClient(TestServer(National(store).application())) as client:
        answer = await client.post("/v1/records", json={"records": [{**record, "fields": {"XK_XDR_MC": text}}]})
        assert answer.status == 400
    assert store.seen(["a:1"]) == {}
    store.close()
