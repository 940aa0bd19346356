"""F27: a person is erased while services are killed, and records of this one and of others go on coming."""

from __future__ import annotations

import json
import random
import signal
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from deploy.local.layout import SERVICES
from tests.chaos import operator, persons, standing
from tests.chaos.fault import Measured, fault, require
from tests.chaos.faults.data import name_of, receipts
from tests.chaos.faults.database import locked
from tests.chaos.ground import Ground, until
from tests.chaos.kills import Kill, gone, log_end, log_since, one
from tests.chaos.persons import Person
from tests.chaos.traces import SUBMITTED, Search

PEOPLE = 12
POINTS = ("cp3", "cp4", "cp5", "cp6", "cp7")
MORE = 2  # deaths at the crash point, after the first
KILLED = "exited: identity (terminated by SIGKILL"
KEPT_S = 90.0  # ingestion keeps a key for a minute
COMMANDS = "credit.identity.command."


class Cast(NamedTuple):
    """Who is erased and who is not; the ids, in hex, of the first records of each and of the subject."""

    gone: Person
    others: Sequence[Person]
    records: Mapping[Person, Sequence[str]]
    subjects: Mapping[Person, str]

    def as_they_are(self, ground: Ground) -> standing.Rows:
        """What the stores have of the others."""
        ids = [record_id for person in self.others for record_id in self.records[person]]
        return standing.of(ground.doors, ids, [self.subjects[person] for person in self.others])


@fault("F27", "a person is erased during F1",
       f"records of {PEOPLE} persons go on coming; `credit erase` of one: identity killed with the command unread, "
       f"then {MORE} times at a crash point of the seed (CP3–CP7) in its first turn; ingestion, disclosure meanwhile",
       "answered, the certificate verifies, the same again changes nothing; name and number in no topic but the submit "
       "topic, no store, log, metric; others as they were; SUBJECT_ERASED; I1–I8", 30)  # fmt: skip
def erased(ground: Ground, chance: random.Random) -> Measured:
    """What was sealed of the person can be read by nobody afterwards, and nobody else notices."""
    people, began, since = persons.invented(chance, PEOPLE), time.time_ns() / 1e9, ground.verifier.listener.ends()
    persons.admitted(ground.layout)
    cast = _reported(ground, people.everybody)
    before = cast.as_they_are(ground)
    measured, certificate = _erased(ground, cast, chance)
    _destroyed(ground, cast, certificate)
    _refused(ground, cast)
    ground.load.rest()
    ground.recovery(SERVICES, time.monotonic())
    changed = standing.differing(before, cast.as_they_are(ground))
    require(not changed, f"others are not as they were: {', '.join(changed)}")
    _nowhere(Search(ground.layout, (people.number, people.name)), since, began)
    return measured


def _reported(ground: Ground, everybody: Sequence[Person]) -> Cast:
    """A permit and a penalty of each, accepted, linked, and shown to the government."""
    sent = {person: [persons.report(ground, person, item) for item in persons.ITEMS] for person in everybody}
    every = [record for records in sent.values() for record in records]
    for record in every:
        ground.load.send(record, "ACCEPTED")
    found = receipts(ground, [name_of(record) for record in every])
    records = {person: [str(found[name_of(each)][0].record_id) for each in told] for person, told in sent.items()}
    ids = [record_id for told in records.values() for record_id in told]
    until(lambda: len(standing.rows(ground.doors, "disclosure", "disclosed_records", "record_id", ids)) == len(ids),
          "the government sees what was reported of them")  # fmt: skip
    whose = standing.subjects(ground.doors, ids)
    return Cast(everybody[0], everybody[1:], records, {person: whose[told[0]] for person, told in records.items()})


def _erased(ground: Ground, cast: Cast, chance: random.Random) -> tuple[Measured, dict[str, Any]]:
    """How each service that was killed recovered, and the certificate."""
    point, others = chance.choice(POINTS), ("ingestion", "disclosure")
    kills = [Kill(service, chance.choice(POINTS), chance.randrange(1 << 20)) for service in others]
    with persons.reported_on(ground, cast.gone, cast.others, chance), ThreadPoolExecutor(len(kills)) as pool:
        died = [pool.submit(one, ground, kill) for kill in kills]
        dead, call = _killed_with_the_command(ground, cast.gone, point)
        recovery = [ground.recovery(["identity"], dead), *(each.result().recovery for each in died)]
        certificate, tries = operator.certified(ground.layout, cast.gone.number, ground.tell, call)
    where = ", ".join(f"{kill.service} at {kill.point}" for kill in kills)
    return Measured(recovery, f"identity at {point}, {where}; answered when asked {tries} ×"), certificate


def _killed_with_the_command(ground: Ground, whom: Person, point: str) -> tuple[float, operator.Call]:
    """The moment of identity's last death, and the command line that waits for its answer.

    No turn ends while the lanes are locked. What waits when it starts again is in its first turn: the command, and what
    came meanwhile.
    """
    mark, commands = log_end(ground), sum(ground.verifier.listener.ends(COMMANDS).values())
    with locked(ground, "identity"):
        call = operator.erase(ground.layout, whom.number)
        until(lambda: sum(ground.verifier.listener.ends(COMMANDS).values()) > commands, "the command is in its topic")
        require(call.poll() is None, "answered before anybody can have read it")
        ground.order("identity", {"CREDIT_CRASH_AT": f"identity:{point}:1"}, times=MORE)
        pid = ground.signal("identity", signal.SIGKILL)
        until(lambda: gone(pid), "identity dies", 10, 0.02)
    until(lambda: log_since(ground, mark).count(KILLED) > MORE, f"identity dies {MORE} times at {point}", 90, 0.05)
    return time.monotonic(), call


def _destroyed(ground: Ground, cast: Cast, certificate: dict[str, Any]) -> None:
    """The key is gone, the certificate says whose and verifies, and to ask again changes nothing."""
    subject_id, file = cast.subjects[cast.gone], ground.layout.var / "erased.json"
    require(certificate["statement"]["subject_id"] == subject_id, "the certificate is about somebody else")
    file.write_text(json.dumps(certificate, ensure_ascii=False), encoding="utf-8")
    require(operator.verifies(ground.layout, file), "the certificate does not verify")
    require(not standing.has_key(ground.doors, subject_id), "the key of who was erased is still there")
    stands = standing.tombstone(ground.doors, subject_id)
    again, _ = operator.certified(ground.layout, cast.gone.number, ground.tell)
    require(again == certificate, "asked again, it answers with another certificate")
    require(standing.tombstone(ground.doors, subject_id) == stands, "asked again, it is another erasure")


def _refused(ground: Ground, cast: Cast) -> None:
    """Of the erased person nothing is taken in once the last copy of the key is gone; of the others everything is."""

    def refused() -> bool:
        name = name_of(record := persons.report(ground, cast.gone))
        ground.load.send_again(record)
        return receipts(ground, [name])[name][0].codes == ("SUBJECT_ERASED",)

    until(refused, "a record of who was erased is refused", KEPT_S, 1)
    last = [persons.report(ground, cast.gone, item) for item in persons.ITEMS]
    others = [persons.report(ground, person) for person in cast.others]
    for records, answer in ((last, ("REFUSED", "SUBJECT_ERASED")), (others, ("ACCEPTED", ""))):
        for record in records:
            ground.load.send(record, *answer)
    found = receipts(ground, [name_of(record) for record in (*last, *others)])
    wrong = [told[0] for name, told in found.items() if told[0].outcome != ground.load.expected[name].outcome]
    require(not wrong, f"{len(wrong)} answered otherwise, first {wrong[:1]}")


def _nowhere(search: Search, since: Mapping[tuple[str, int], int], began: float) -> None:
    """No person of this run stands in clear, but in the submit topic, where the search must find them."""
    found = search.topics(dict(since))
    require(f"{SUBMITTED}{persons.AGENCY}.v1" in found, "the search finds not even what the agency has sent")
    elsewhere = sorted(topic for topic in found if not topic.startswith(SUBMITTED))
    require(not elsewhere, f"a person in clear on {', '.join(elsewhere)}")
    files = search.files(began)
    require(not files, f"a person in clear in {len(files)} files, first {files[:1]}")
    require(not (told := search.metrics()), f"a person in clear in the metrics of {', '.join(told)}")
