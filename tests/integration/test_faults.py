"""Whatever is killed, frozen or cut off on the road: every submission is answered once, nothing is lost or doubled."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any, NamedTuple

import pytest

from deploy.local import kafka_admin, postgres
from deploy.local.layout import REPO, SERVICES
from deploy.local.programs import service_environment
from deploy.local.supervisor import Supervisor
from tests.support.road import FINAL, NATIONAL, PUBLIC, Record, Road, again, organisation, submission
from tests.support.stack import eventually

pytestmark = pytest.mark.usefixtures("well_behaved")

TASKS_OF = {"420000-gsj": 3, "420000-hbt": 4, "420000-gsui": 2, "420100-xyb": 3}  # measures of fgcj-2016-141
PER_ORGANISATION = 10


class Sent(NamedTuple):
    """A submission and how it must be answered."""

    record: Record
    outcome: str


def crowd(organisations: int) -> list[Sent]:
    """Ten submissions about each organisation: every item, corrections, withdrawals, repeats and faulty ones."""
    return [sent for number in range(organisations) for sent in _about_one(listed=number % 10 == 0)]


def _about_one(listed: bool) -> Iterator[Sent]:
    org = organisation()
    permit, penalty = submission("org-permit", org), submission("org-penalty", org)
    corrected = again(penalty, "correct", CF_NR="罚款三千元", CF_NR_FK="0.3")
    wrong = org.uscc[:-1] + ("A" if org.uscc[-1] != "A" else "B")
    yield Sent(submission("enterprise-registration", org), "ACCEPTED")
    yield Sent(permit, "ACCEPTED")
    yield Sent(penalty, "ACCEPTED")
    yield Sent(again(permit, "report"), "DUPLICATE")
    yield Sent(corrected, "ACCEPTED")
    yield Sent(submission("code-mapping", org), "ACCEPTED")
    yield Sent(submission("org-permit", org, subject_code=wrong), "REFUSED")
    yield Sent(again(permit, "withdraw"), "ACCEPTED")
    yield Sent(submission("court-defaulter" if listed else "black-list-environment", org), "ACCEPTED")
    yield Sent(submission("red-list-tax-a" if listed else "credit-commitment", org), "ACCEPTED")


def send(road: Road, sent: Iterable[Sent]) -> None:
    """Publish, acknowledged by the broker."""
    road.send(*(one.record for one in sent))


# --- the one check -------------------------------------------------------------------------------------------------

Version = tuple[bytes, int]


def assert_whole(road: Road, sent: list[Sent], unreadable: dict[str, set[str]] | None = None) -> None:
    """One final receipt for everything sent, and downstream every accepted version exactly once.

    `unreadable`: the places (topic/partition/offset) of an agency's bytes that are no submission.
    """
    receipts = assert_answered(road, sent, unreadable or {})
    versions: Counter[str] = Counter()
    accepted: dict[Version, str] = {}
    for one in sent:
        receipt = receipts[one.record["submission_id"]]
        if receipt["outcome"] == "ACCEPTED":
            versions[receipt["record_id"]] += 1
            accepted[bytes.fromhex(receipt["record_id"]), versions[receipt["record_id"]]] = one.record["item"]
    assert_told_once(road, "credit.ingestion.record.v1", accepted.keys())
    assert_told_once(road, "credit.identity.record.v1", accepted.keys())
    assert_told_once(road, feed("public"), {v for v, item in accepted.items() if item in PUBLIC})
    assert_told_once(road, feed("government"), accepted.keys())
    assert_counted(road, "public", {record_id for record_id, _ in accepted})
    assert_counted(road, "government", {record_id for record_id, _ in accepted})
    assert_tasks(road, {record_id for (record_id, _), item in accepted.items() if item == "court-defaulter"})
    last = dict(sorted(v for v, item in accepted.items() if item in NATIONAL))
    assert_exchanged(road, last)
    # Once more at the end: a second answer would have come by now.
    assert_answered(road, sent, unreadable or {})


def feed(name: str) -> str:
    """The topic of a change feed."""
    return f"credit.disclosure.{name}-change.v1"


def assert_answered(road: Road, sent: list[Sent], unreadable: dict[str, set[str]]) -> dict[str, Record]:
    """Exactly one final receipt each, with the outcome it had to have."""
    right = {one.record["submission_id"]: one.outcome for one in sent}
    right |= dict.fromkeys((place for places in unreadable.values() for place in places), "REFUSED")
    agencies = {one.record["agency"] for one in sent} | unreadable.keys()

    def answers() -> list[Record]:
        heard = [t.record for code in agencies for t in road.told(f"credit.receipts.{code}.v1", code)]
        return [r for r in heard if r["submission_id"] in right and r["outcome"] in FINAL]

    eventually(lambda: len(answers()) >= len(right), f"{len(right)} final receipts", 90)
    found = answers()
    assert Counter(r["submission_id"] for r in found) == dict.fromkeys(right, 1)
    assert {r["submission_id"]: r["outcome"] for r in found} == right
    return {r["submission_id"]: r for r in found}


def assert_told_once(road: Road, topic: str, expected: Iterable[Version]) -> None:
    """Each version of each record once, after dropping repeats; of these records nothing else."""
    wanted = set(expected)
    records = {record_id for record_id, _ in wanted}

    def told() -> list[Version]:
        heard = [t.record for t in road.told(topic)]
        return [(r["record_id"], r["version"]) for r in heard if r["record_id"] in records]

    eventually(lambda: len(told()) >= len(wanted), f"{len(wanted)} versions on {topic}", 90)
    assert Counter(told()) == dict.fromkeys(wanted, 1)


def assert_counted(road: Road, name: str, records: set[bytes]) -> None:
    """subject_seq counts 1, 2, 3 … for each of these subjects, which no other test has used."""
    told = [t.record for t in road.told(feed(name))]
    subjects = {r["subject_id"] for r in told if r["record_id"] in records}
    counts: dict[bytes, list[int]] = defaultdict(list)
    for change in told:
        if change["subject_id"] in subjects:
            counts[change["subject_id"]].append(change["subject_seq"])
    assert all(seqs == list(range(1, len(seqs) + 1)) for seqs in counts.values())


def assert_tasks(road: Road, listings: set[bytes]) -> None:
    """Every department has each of its tasks opened once."""
    for department, how_many in TASKS_OF.items():

        def told(d: str = department) -> Counter[tuple[str, str]]:
            heard = [t.record for t in road.told(f"credit.sanctions.task.{d}.v1", d)]
            return Counter((r["task_id"], r["change"]) for r in heard if r["record_id"] in listings)

        wanted = how_many * len(listings)
        eventually(lambda n=wanted, t=told: t().total() >= n, f"tasks of {department}")
        assert set(told().values()) <= {1}
        assert len(told()) == wanted


def assert_exchanged(road: Road, last: dict[bytes, int]) -> None:
    """The newest version of each record was acknowledged, no version has two ends, and the counts agree."""

    def ends() -> Counter[tuple[bytes, int, str]]:
        heard = [t.record for t in road.told("credit.national-sync.exchange.v1")]
        return Counter(
            (r["exchange_id"], r["version"], r["state"])
            for r in heard
            if r["exchange_id"] in last and r["state"] in ("ACKNOWLEDGED", "REFUSED")
        )

    wanted = {(record_id, version, "ACKNOWLEDGED") for record_id, version in last.items()}
    eventually(lambda: ends().keys() >= wanted, f"{len(wanted)} exchanges final", 90)
    assert set(ends().values()) <= {1}
    assert {state for _, _, state in ends()} <= {"ACKNOWLEDGED"}
    done = road.program("national_sync", "reconcile")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stderr
    assert all(line["ledger"] == line["national"] and not line["waiting"] for line in lines), lines


# --- killed in the middle ------------------------------------------------------------------------------------------


@contextmanager
def unsupervised(road: Road, service: str) -> Iterator[None]:
    """The supervised process of a service is stopped; it is back afterwards."""
    supervisor = Supervisor(road.layout)
    supervisor.stop([service])
    try:
        yield
    finally:
        supervisor.begin(service)


@contextmanager
def by_hand(road: Road, service: str, crash_at: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of a service that kills itself at a crash point."""
    environment = os.environ | service_environment(road.layout, service) | {"CREDIT_CRASH_AT": crash_at}
    with (road.layout.logs / f"{service}-by-hand.log").open("ab") as log:
        command = [sys.executable, "-m", f"services.{service}", "run"]
        process = subprocess.Popen(command, env=environment, cwd=REPO, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


CRASHES = ("cp3:2", "cp6:1", "cp5:1")  # in the transaction; committed and half published; committed, nothing published


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_killed_at_three_crash_points_while_records_flow(road: Road, service: str) -> None:
    sent = crowd(40)
    with unsupervised(road, service):
        for number, point in enumerate(CRASHES):
            with by_hand(road, service, f"{service}:{point}") as process:
                send(road, sent[number * 100 : number * 100 + 100])
                assert process.wait(60) == -signal.SIGKILL, point
    send(road, sent[300:])
    assert_whole(road, sent)


# --- what everything stands on -------------------------------------------------------------------------------------


def test_the_broker_is_killed_under_load(road: Road) -> None:
    sent = crowd(50)
    send(road, sent[:200])
    old = pid(road, "kafka")
    os.kill(old, signal.SIGKILL)
    for one in sent[200:350]:  # the agencies' producers hold them until the broker is back
        road.agency(one.record["agency"]).publish(one.record)
    eventually(lambda: pid(road, "kafka") not in (0, old) and kafka_admin.ready(road.layout), "the broker is back")
    send(road, sent[350:])
    assert_whole(road, sent)


def pid(road: Road, name: str) -> int:
    """The process of a supervised program; 0 while it does not run."""
    return int(Supervisor(road.layout).processes()[name]["pid"])


def test_the_database_ends_all_connections_again_and_again_under_load(road: Road) -> None:
    sent = crowd(50)
    with repeated(lambda: cut(road)):
        for start in range(0, len(sent), 100):
            send(road, sent[start : start + 100])
        assert_answered(road, sent, {})
    assert_whole(road, sent)


def cut(road: Road) -> None:
    """End every connection of the services' roles."""
    terminate = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = ANY($1)"
    road.stack.sql(postgres.SUPERUSER, terminate, list(SERVICES))


@contextmanager
def repeated(action: Callable[[], Any]) -> Iterator[None]:
    """Do something four times a second in the background."""
    over, failed = Event(), list[BaseException]()

    def loop() -> None:
        try:
            while not over.wait(0.25):
                action()
        except BaseException as error:  # noqa: BLE001 - raised again below, in the test's own thread
            failed.append(error)

    thread = Thread(target=loop)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert not failed, failed[0]


# --- frozen --------------------------------------------------------------------------------------------------------


def test_frozen_workers_that_wake_after_their_lanes_moved_change_nothing(road: Road) -> None:
    seconds = [f"{service}-1" for service in SERVICES]
    road.stack.credit("up", "--only", ",".join(seconds))
    frozen = [pid(road, service) for service in SERVICES]
    try:
        early = crowd(20)
        send(road, early)
        for number in frozen:
            os.kill(number, signal.SIGSTOP)
        late = crowd(30)
        send(road, late)
        assert_whole(road, [*early, *late])
        for number in frozen:
            os.kill(number, signal.SIGCONT)
        after = crowd(20)
        send(road, after)
        assert_whole(road, [*early, *late, *after])
    finally:
        for number in frozen:
            os.kill(number, signal.SIGCONT)
        Supervisor(road.layout).stop(seconds)


# --- noise ---------------------------------------------------------------------------------------------------------


def test_a_thousand_byte_strings_among_ten_thousand_records(road: Road) -> None:
    noise = random.Random(20170929)  # the same bytes every time
    sent = crowd(1000)
    agency = road.agency("420000-hbt")
    places = set[str]()

    def delivered(error: object, message: Any) -> None:
        assert error is None, error
        places.add(f"{message.topic()}/{message.partition()}/{message.offset()}")

    for number, one in enumerate(sent):
        road.agency(one.record["agency"]).publish(one.record)
        if number % 10 == 0:
            value, key = noise.randbytes(noise.randrange(200)), noise.randbytes(noise.randrange(1, 20))
            agency.producer.produce(agency.topic, value, key, on_delivery=delivered)
            agency.producer.poll(0)
    for code in {one.record["agency"] for one in sent}:
        road.agency(code).flush()
    assert len(places) == 1000
    assert_whole(road, sent, {"420000-hbt": places})
