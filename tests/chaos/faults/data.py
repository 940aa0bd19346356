"""F11, F12: what is delivered again, elsewhere or too late."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from confluent_kafka import Consumer, Message, Producer, TopicPartition

from services.cli.outsider import settings
from services.cli.synthetic.changes import CORRECTED, changed
from services.cli.synthetic.draft import Draft
from tests.chaos.fault import Measured, fault, require
from tests.chaos.ground import Ground, until
from tests.chaos.heard import FEEDS, LINKED, RECORD, SUBJECT, Receipt

ADMIN = "platform-admin"  # may write where no agency may
TIMES = 5
AGAIN = (
    RECORD,
    LINKED,
    SUBJECT,
    *FEEDS.values(),
    "credit.national-sync.answer.v1",
    "credit.sanctions.task.420000-gsj.v1",
)
SHARE = 0.1

Name = tuple[str, str]  # agency, submission id


def receipts(ground: Ground, names: Sequence[Name], many: int = 1, seconds: float = 90) -> dict[Name, list[Receipt]]:
    """The final receipts of these submissions, once each has this many."""

    def all_there() -> bool:
        facts = ground.verifier.listener.listen()
        return all(len(facts.receipts.get(name, ())) >= many for name in names)

    until(all_there, f"{many} final receipts for each of {len(names)} submissions", seconds)
    facts = ground.verifier.listener.facts
    return {name: list(facts.receipts[name]) for name in names}


def name_of(record: Mapping[str, Any]) -> Name:
    """How its receipts are found."""
    return record["agency"], record["submission_id"]


@fault("F11", "events delivered five times", "120 submissions five times each, in the same and the other partition, "
       "with two workers of ingestion; a tenth of every internal topic five times more", "one apply, DUPLICATE "
       "receipts, I1–I8", None)  # fmt: skip
def delivered_again(ground: Ground, chance: random.Random) -> Measured:
    """Whoever sends again is answered again; what was applied is not applied again."""
    with ground.second_workers(["ingestion"]):
        sent = [ground.load.record(ground.load.draft()) for _ in range(120)]
        deliveries = [(record, chance.randrange(2)) for record in sent for _ in range(TIMES)]
        chance.shuffle(deliveries)
        for record, partition in deliveries:
            ground.load.send_again(record, partition)
            time.sleep(0.005)
        found = receipts(ground, [name_of(record) for record in sent], TIMES)
    right = {"ACCEPTED": 1, "DUPLICATE": TIMES - 1}
    wrong = [said for heard in found.values() if (said := Counter(r.outcome for r in heard)) != right]
    require(not wrong, f"{len(wrong)} of {len(sent)} answered otherwise, first {dict(wrong[0]) if wrong else ''}")
    again = sum(redelivered(ground, topic, chance) for topic in AGAIN)
    return Measured([], f"{len(deliveries)} submissions, {again} internal messages delivered again")


def redelivered(ground: Ground, topic: str, chance: random.Random) -> int:
    """A tenth of what a topic holds, four times more, where it stands already: as a producer's retries would."""
    producer: Any = Producer(settings(ground.layout, ADMIN))
    picked = [m for m in _latest(ground, topic, 300) if chance.random() < SHARE]
    for _ in range(TIMES - 1):
        for m in picked:
            producer.produce(topic, m.value(), m.key(), m.partition(), headers=m.headers(), timestamp=m.timestamp()[1])
    require(producer.flush(30) == 0, f"{topic} took the repeats not")
    return len(picked) * (TIMES - 1)


def _latest(ground: Ground, topic: str, each: int) -> Iterator[Message]:
    """The last messages of every partition."""
    ends = ground.verifier.listener.ends(topic)
    wanted = {"group.id": "chaos.again", "enable.auto.commit": False, "enable.partition.eof": True,
              "auto.offset.reset": "earliest"}  # fmt: skip
    consumer: Any = Consumer(settings(ground.layout, ADMIN) | wanted)
    consumer.assign([TopicPartition(*at, max(0, end - each)) for at, end in ends.items()])
    open_ends = set(ends)
    give_up = time.monotonic() + 30
    while open_ends and time.monotonic() < give_up:
        message = consumer.poll(0.2)
        if message is None:
            continue
        if message.error() is not None:
            open_ends.discard((message.topic(), message.partition()))
        else:
            yield message
    consumer.close()
    require(not open_ends, f"{topic} could not be read to its end")


class Story(NamedTuple):
    """One record told in the wrong order: what is sent, in which partition, and how each must be answered."""

    records: list[dict[str, Any]]
    partitions: list[int]
    answers: list[tuple[str, str]]


@fault("F12", "later version first", "corrections before the report, an older correction after a newer one, a "
       "correction after the withdrawal; versions of one record in two partitions of its topic",
       "one stated rule (by arrival, never an older correction), the late one answered, I1–I8", None)  # fmt: skip
def later_first(ground: Ground, chance: random.Random) -> Measured:
    """The rule of record.py: versions count as they arrive; a correction produced before what stands is refused."""
    stories = [story for n in range(40) for story in _stories(ground, n % 2)]
    for step in range(3):
        for story in stories:
            ground.load.send(story.records[step], *story.answers[step], partition=story.partitions[step])
        # Those of two partitions wait for each other: between partitions there is no order but that of arrival.
        receipts(ground, [name_of(story.records[step]) for story in stories])
    found = receipts(ground, [name_of(r) for story in stories for r in story.records])
    for story in stories:
        for record, (outcome, code) in zip(story.records, story.answers, strict=True):
            heard = found[name_of(record)][0]
            require(heard.outcome == outcome and (not code or code in heard.codes),
                    f"{heard.outcome} {heard.codes} where {outcome} {code} was due")  # fmt: skip
    return Measured([], f"{sum(len(s.records) for s in stories)} submissions in the wrong order")


def _stories(ground: Ground, apart: int) -> Iterator[Story]:
    """Three wrong orders; `apart`: every other message goes to the other partition of the topic."""
    stale, gone, unknown = (
        ("REFUSED", "CORRECTION_STALE"),
        ("REFUSED", "ALREADY_WITHDRAWN"),
        ("REFUSED", "RECORD_UNKNOWN"),
    )
    yes = ("ACCEPTED", "")
    now = time.time_ns() // 1_000_000
    for words, moments, answers in (
        (("report", "correct", "correct"), (0, 2, 1), (yes, yes, stale)),
        (("report", "withdraw", "correct"), (0, 2, 1), (yes, yes, gone)),
        (("correct", "report", "correct"), (1, 0, 2), (unknown, yes, yes)),
    ):
        draft = _correctable(ground)
        records: list[dict[str, Any]] = []
        for action, moment in zip(words, moments, strict=True):
            said = draft
            for _ in range(moment if action == "correct" else 0):
                said = changed(said)
            record = ground.load.record(replace(said, action=action))
            records.append(record | {"produced_at": now - 10_000 + moment * 1000})
        yield Story(records, [n % 2 if apart else 0 for n in range(3)], list(answers))


def _correctable(ground: Ground) -> Draft:
    while (draft := ground.load.draft()).item not in CORRECTED:
        pass
    return draft
