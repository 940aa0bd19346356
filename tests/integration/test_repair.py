"""The operator's repair tools, on the real broker, registry and databases."""

from __future__ import annotations

import json
import os
import secrets
import signal

import pytest

from deploy.local.layout import SERVICES
from deploy.local.supervisor import Supervisor
from tests.support.road import Road, again, organisation, submission
from tests.support.stack import Stack, eventually

pytestmark = pytest.mark.usefixtures("well_behaved")


def told(stack: Stack, *words: str, code: int = 0) -> dict[str, object]:
    """The JSON object a command prints."""
    done = stack.credit(*words, "--json", check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)


def crowd(road: Road) -> None:
    """Records of every kind of fate, settled in every store."""
    org = organisation()
    first, listed = submission("org-permit", org), submission("court-defaulter", org)
    road.accepted(first, listed, submission("enterprise-registration", org), submission("code-mapping", org))
    road.accepted(again(first, "withdraw"), again(listed, "withdraw"))
    eventually(lambda: told(road.stack, "reconcile", "--settle", "1")["equal"], "everything arrived")


@pytest.mark.parametrize("service", SERVICES)
def test_a_store_is_rebuilt_from_the_journals_and_is_equal_until_a_row_is_changed(road: Road, service: str) -> None:
    crowd(road)
    assert told(road.stack, "replay", service)["equal"] is True
    statement = "UPDATE turns SET culprit = 'planted' WHERE number = (SELECT min(number) FROM turns)"
    road.stack.sql(service, statement)
    try:
        said = told(road.stack, "replay", service, "--verify", code=1)
    finally:
        road.stack.sql(service, statement.replace("'planted'", "''"))
    tables: list[dict[str, object]] = said["tables"]  # type: ignore[assignment] - JSON
    assert "turns" in {row["table"] for row in tables if row["live"] != row["replayed"]}


def test_a_deleted_row_is_named(road: Road) -> None:
    (record_id,) = road.accepted(submission("org-permit", organisation()))
    eventually(lambda: told(road.stack, "reconcile", "--settle", "1")["equal"], "everything arrived")
    (row,) = road.stack.sql(
        "disclosure", "DELETE FROM record_standing WHERE record_id = $1 RETURNING *", bytes.fromhex(record_id)
    )
    try:
        said = told(road.stack, "reconcile", "--settle", "0", code=1)
    finally:
        values = ", ".join(f"${n}" for n in range(1, len(row) + 1))
        road.stack.sql("disclosure", f"INSERT INTO record_standing VALUES ({values})", *row.values())
    pairs: list[dict[str, object]] = said["pairs"]  # type: ignore[assignment] - JSON
    found = {pair["other"]: pair["differences"] for pair in pairs if pair["differences"]}
    assert found == {"disclosure.standing": [{"record_id": record_id, "one": 1, "other": None}]}


def test_the_verifier_accounts_for_everything_until_a_row_is_deleted(road: Road) -> None:
    crowd(road)
    (record_id,) = road.accepted(submission("org-permit", organisation()))
    said = told(road.stack, "verify", "--allow-parked")
    assert (said["accounted"], said["findings"]) == (True, [])
    (row,) = road.stack.sql("identity", "DELETE FROM record_links WHERE record_id = $1 RETURNING *", named(record_id))
    try:
        said = told(road.stack, "verify", "--allow-parked", code=1)
        words = road.stack.credit("verify", "--allow-parked", check=False)
    finally:
        values = ", ".join(f"${n}" for n in range(1, len(row) + 1))
        road.stack.sql("identity", f"INSERT INTO record_links VALUES ({values})", *row.values())
    findings: list[dict[str, object]] = said["findings"]  # type: ignore[assignment] - JSON
    assert [finding["where"] for finding in findings] == [f"record {record_id}"]
    assert words.returncode == 1
    assert words.stdout.splitlines()[-1].startswith("NOT ACCOUNTED (1 findings), first: I7 no row in identity")


def named(record_id: str) -> bytes:
    return bytes.fromhex(record_id)


def test_what_is_thrown_away_leaves_a_reason_behind_and_its_key_free(road: Road) -> None:
    key = secrets.token_bytes(16)
    road.stack.send("credit.identity.command.v1", [(key, b"no command"), (key, b"none either")])
    count = "SELECT FROM parked WHERE key = $1"
    eventually(lambda: len(road.stack.sql("identity", count, key)) == 2, "both parked")
    dry = told(road.stack, "parked", "discard", "identity", "--all", "--reason", "演示：误发", "--dry-run")
    assert (dry["messages"], len(road.stack.sql("identity", count, key))) == (2, 2)
    told(road.stack, "parked", "discard", "identity", "--all", "--reason", "演示：误发")
    assert not road.stack.sql("identity", count, key)
    (order,) = road.stack.sql("identity", "SELECT * FROM orders ORDER BY decided_at DESC LIMIT 1")
    assert (order["kind"], order["issued_by"], order["reason"]) == ("discard", "operator", "演示：误发")
    outcomes = [t.record for t in road.told("credit.identity.outcome.v1")]
    (outcome,) = [r for r in outcomes if r["command_id"] == order["command_id"]]
    assert json.loads(outcome["detail"]) == {"issued_by": "operator", "reason": "演示：误发", "messages": 2}


def test_parked_timers_are_listed_released_and_thrown_away_by_place(road: Road) -> None:
    keys = [secrets.token_bytes(16), secrets.token_bytes(16)]
    put = "INSERT INTO timers VALUES ('credit.identity.command.v1', 0, 'gone', $1, now() + $2 * interval '1 ms', '')"
    for number, key in enumerate(keys):
        road.stack.sql("identity", put, key, number)
    eventually(lambda: len(_timers(road)) == 2, "both parked")
    first, second = _timers(road)
    shown = told(road.stack, "parked", "show", "identity", first)
    assert (shown["code"], shown["headers"]) == ("NO_HANDLER", {"timer": "gone"})
    assert told(road.stack, "parked", "release", "identity", first)["parked_again"] == 1
    assert _timers(road) == [first, second]
    told(road.stack, "parked", "discard", "identity", second, "--reason", "演示：误设")
    assert _timers(road) == [first]
    told(road.stack, "parked", "discard", "identity", first, "--reason", "演示：误设")
    assert _timers(road) == []


def _timers(road: Road) -> list[str]:
    lines = map(json.loads, road.stack.credit("parked", "list", "identity", "--json").stdout.splitlines())
    return [line["place"] for line in lines if line["offset"] < 0]


def test_the_sender_of_a_discarded_submission_is_answered(road: Road) -> None:
    """It is put down as if a bug had parked it, while the service is stopped; its own code never parks one."""
    sent = submission("org-permit", organisation())
    agency = road.agency(sent["agency"])
    supervisor = Supervisor(road.layout)
    supervisor.stop(["ingestion"])
    road.send(sent)
    (message,) = [m for m in agency_messages(road, agency.topic) if m.key() == sent["record_no"].encode()]
    place = (message.topic(), message.partition(), message.offset())
    road.stack.sql(
        "ingestion",
        "INSERT INTO parked VALUES ($1, $2, $3, $4, $5, '[]', now(), 'CRASHED', 'planted', now())",
        *place,
        message.key(),
        message.value(),
    )
    road.stack.sql(
        "ingestion", "UPDATE lanes SET next_offset = $3 WHERE topic = $1 AND partition = $2", *place[:2], place[2] + 1
    )
    supervisor.begin("ingestion")
    told(road.stack, "parked", "discard", "ingestion", "/".join(map(str, place)), "--reason", "演示：无法处理")
    receipt = road.receipts(sent["agency"], [sent["submission_id"]])[sent["submission_id"]].record
    assert (receipt["outcome"], [f["code"] for f in receipt["faults"]]) == ("REFUSED", ["DISCARDED_BY_OPERATOR"])


def agency_messages(road: Road, topic: str) -> list[object]:
    return list(road.stack.as_user("operator").read([topic]))  # type: ignore[return-value] - the library has no types


def test_a_worker_that_was_suspended_for_longer_than_the_watchdog_waits_goes_on(road: Road) -> None:
    worker = int(Supervisor(road.layout).processes()["sanctions"]["pid"])
    os.kill(worker, signal.SIGSTOP)
    try:
        eventually(lambda: stopped_for(worker, 35), "suspended long enough", 60)
    finally:
        os.kill(worker, signal.SIGCONT)
    road.accepted(submission("court-defaulter", organisation()))
    assert int(Supervisor(road.layout).processes()["sanctions"]["pid"]) == worker


_since: dict[int, float] = {}


def stopped_for(worker: int, seconds: float) -> bool:
    import time

    return time.monotonic() - _since.setdefault(worker, time.monotonic()) > seconds
