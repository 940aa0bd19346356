"""The spine alone, on the real broker and database: applied exactly once, whatever is killed and wherever."""

from __future__ import annotations

import os
import signal
from collections import defaultdict
from itertools import count
from threading import Event

import pytest

from tests.support.stack import Stack, eventually, ledger

KEYS = [b"account-%d" % n for n in range(40)]
rounds = count(1)  # tests share the topics: each works on keys of its own


def own(name: bytes) -> bytes:
    """A key of this test run alone: the topics may have been used before."""
    return b"%s-%d-" % (name, os.getpid())


def entries(stack: Stack, per_key: int) -> dict[bytes, int]:
    """Publish `per_key` entries of 1..per_key for fresh keys; returns the sum each key must end with."""
    mark = b"%d" % next(rounds)
    keys = [own(key) + mark for key in KEYS]
    stack.send("ledger.in.v1", [(key, b"%d" % n) for n in range(1, per_key + 1) for key in keys])
    return dict.fromkeys(keys, per_key * (per_key + 1) // 2)


def settled(stack: Stack, expected: dict[bytes, int]) -> bool:
    rows = stack.sql("ledger", "SELECT key, total FROM ledger WHERE key = ANY($1)", list(expected))
    return {row["key"]: row["total"] for row in rows} == expected


def said(stack: Stack, keys: dict[bytes, int]) -> dict[bytes, list[bytes]]:
    """What the service has said per key, repeats dropped the way every consumer drops them."""
    heard: dict[tuple[int, bytes], int] = defaultdict(int)
    told: dict[bytes, list[bytes]] = defaultdict(list)
    for message in stack.as_user("platform-admin").read(["ledger.out.v1"]):
        headers = dict(message.headers())
        place, position = (message.partition(), headers["origin"]), int(headers["position"])
        if position > heard[place]:
            heard[place] = position
            if message.key() in keys:
                told[message.key()].append(message.value())
    return told


def assert_applied_once(stack: Stack, expected: dict[bytes, int], per_key: int) -> None:
    eventually(lambda: settled(stack, expected), "every entry applied")
    right = [b"%d %d" % (n, n * (n + 1) // 2) for n in range(1, per_key + 1)]
    eventually(lambda: sum(map(len, said(stack, expected).values())) >= per_key * len(expected), "everything said")
    assert said(stack, expected) == dict.fromkeys(expected, right)


@pytest.mark.parametrize("point", ["cp1", "cp2", "cp3", "cp4", "cp5", "cp6", "cp7", "cp10"])
@pytest.mark.parametrize("passes", [1, 3])
def test_killed_at_a_crash_point(spine: Stack, point: str, passes: int) -> None:
    per_key = 25
    expected = entries(spine, per_key)
    with ledger(spine, crash_at=f"ledger:{point}:{passes if point != 'cp10' else 1}") as first:
        if point == "cp10" or passes == 1:
            assert first.wait(60) == -signal.SIGKILL
        else:
            spine.send("ledger.in.v1", [(b"nudge", b"1")])
            eventually(lambda: first.poll() is not None or nudge(spine), "the crash point is passed often enough")
    with ledger(spine):
        assert_applied_once(spine, expected, per_key)


def nudge(stack: Stack) -> bool:
    """One more batch for the process under test."""
    stack.send("ledger.in.v1", [(b"nudge", b"1")])
    return False


def test_a_frozen_worker_that_wakes_after_its_lanes_moved_changes_nothing(spine: Stack) -> None:
    with ledger(spine) as first:
        expected = entries(spine, 5)
        assert_applied_once(spine, expected, 5)
        first.send_signal(signal.SIGSTOP)
        late = entries(spine, 20)
        with ledger(spine, worker=1):
            assert_applied_once(spine, late, 20)
            first.send_signal(signal.SIGCONT)
            after = entries(spine, 20)
            assert_applied_once(spine, after, 20)
        assert_applied_once(spine, late, 20)


def test_sigterm_in_the_middle_ends_within_ten_seconds_and_loses_nothing(spine: Stack) -> None:
    expected = entries(spine, 200)
    with ledger(spine) as process:
        eventually(lambda: spine.sql("ledger", "SELECT FROM ledger WHERE key = $1", next(iter(expected))), "begun")
        process.terminate()
        assert process.wait(10) == 0
    with ledger(spine):
        assert_applied_once(spine, expected, 200)


def test_bad_bytes_are_parked_and_their_key_waits_until_an_operator_releases_it(spine: Stack) -> None:
    key, other = own(b"parked"), own(b"other")
    spine.send("ledger.in.v1", [(key, b"1"), (key, b"no number"), (key, b"2"), (other, b"5")])
    with ledger(spine):
        eventually(lambda: settled(spine, {key: 1, other: 5}), "neighbours applied")
        rows = spine.sql("ledger", 'SELECT code FROM parked WHERE key = $1 ORDER BY "offset"', key)
        assert [row["code"] for row in rows] == ["NO_NUMBER", "BEHIND_PARKED"]
        spine.sql("ledger", "UPDATE parked SET value = '3' WHERE key = $1 AND code = 'NO_NUMBER'", key)
        spine.sql("ledger", "UPDATE parked SET released_at = now() WHERE key = $1 AND code = 'NO_NUMBER'", key)
        eventually(lambda: settled(spine, {key: 6}), "released in order")
        assert not spine.sql("ledger", "SELECT FROM parked WHERE key = $1", key)


def test_a_message_that_crashes_the_service_is_parked_alone_with_its_traceback(spine: Stack) -> None:
    before, culprit, beside = own(b"before"), own(b"culprit"), own(b"beside")
    good = {before: 1, beside: 2}
    spine.send("ledger.in.v1", [(before, b"1"), (culprit, b"-1"), (beside, b"2")])
    parked = "SELECT code, detail FROM parked WHERE key = $1"
    for _ in range(6):
        with ledger(spine) as process:
            eventually(lambda p=process: p.poll() is not None or spine.sql("ledger", parked, culprit), "dead or parked")
            if spine.sql("ledger", parked, culprit):
                eventually(lambda: settled(spine, good), "neighbours applied")
                break
    (row,) = spine.sql("ledger", parked, culprit)
    assert row["code"] == "CRASHED"
    assert "ZeroDivisionError" in row["detail"]


def test_a_timer_fires_once_across_a_restart(spine: Stack) -> None:
    key = own(b"timer")
    spine.send("ledger.in.v1", [(key, b"-2")])
    with ledger(spine):
        eventually(lambda: settled(spine, {key: -2}), "set")
    with ledger(spine):
        eventually(lambda: settled(spine, {key: 98}), "fired")
        spine.send("ledger.in.v1", [(key, b"2")])
        eventually(lambda: settled(spine, {key: 100}), "fired once")


def places(stack: Stack, keys: list[bytes]) -> list[tuple[bytes, int]]:
    """Key and place of what is parked under these keys, in the order in which it is released."""
    asked = 'SELECT key, "offset" FROM parked WHERE key = ANY($1) ORDER BY partition, abs("offset")'
    return [(row["key"], row["offset"]) for row in stack.sql("ledger", asked, keys)]


def test_timers_of_one_lane_are_parked_side_by_side_and_released_in_order(spine: Stack) -> None:
    key, other = keys = of_one_partition(spine)
    spine.send("ledger.in.v1", [(key, b"-3"), (other, b"-3")])
    with ledger(spine):
        eventually(lambda: len(places(spine, keys)) == 2, "both parked")
        spine.sql("ledger", "INSERT INTO timers SELECT topic, partition, 'interest', key, now(), 'none' FROM parked "
                  "WHERE key = $1", key)  # fmt: skip
        eventually(lambda: len(places(spine, keys)) == 3, "the first one's next timer is parked too")
        found = places(spine, keys)
        assert len({place for _, place in found}) == 3
        first, second = [place for k, place in found if k == key]
        for place, value in ((first, b"5"), (second, b"7")):
            spine.sql("ledger", 'UPDATE parked SET value = $3 WHERE key = $1 AND "offset" = $2', key, place, value)
        spine.sql("ledger", 'UPDATE parked SET released_at = now() WHERE key = $1 AND "offset" = $2', key, second)
        eventually(lambda: settled(spine, {key: -3 + 5 + 7}), "both of the key taken up")
        assert said(spine, {key: 0})[key] == [b"1 0", b"2 -3", b"3 2", b"4 9"], "in the order in which they were parked"
        left = places(spine, keys)
        again = (
            "SELECT FROM parked WHERE key = $1 AND parked_at > message_at + interval '1 day' AND released_at IS NULL"
        )
        spine.sql("ledger", "UPDATE parked SET released_at = now(), message_at = 'epoch' WHERE key = $1", other)
        eventually(lambda: spine.sql("ledger", again, other), "taken up unmended, so parked again")
        assert places(spine, keys) == left, "in its old place"
        spine.send("ledger.in.v1", [(key, b"-3")])
        eventually(lambda: len(places(spine, keys)) == 2, "a further one parked")
        assert places(spine, keys)[1][1] < min(place for _, place in found), "no place is given twice"


def of_one_partition(stack: Stack) -> list[bytes]:
    """Two keys of this test run whose messages lie in one lane."""
    sent = [own(b"timed-%d" % n) for n in range(3)]
    stack.send("ledger.in.v1", [(key, b"0") for key in sent])
    lanes: dict[int, list[bytes]] = defaultdict(list)
    for message in stack.as_user("platform-admin").read(["ledger.in.v1"]):
        if message.key() in sent:
            lanes[message.partition()].append(message.key())
    return next(keys for keys in lanes.values() if len(keys) > 1)[:2]


def test_the_database_ends_every_connection_again_and_again(spine: Stack) -> None:
    with ledger(spine):
        expected = entries(spine, 100)
        pace = Event()  # four times a second: faster, and no transaction could ever end
        while not (settled(spine, expected) or pace.wait(0.25)):
            spine.sql("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'ledger'")
        assert_applied_once(spine, expected, 100)
