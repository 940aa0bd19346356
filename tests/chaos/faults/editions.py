"""F23, F24: two editions of the services side by side, there and back again; a migration that is killed."""

from __future__ import annotations

import json
import random
import shutil
import time
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from deploy.local.layout import REPO, SERVICES
from services.cli.outsider import settings
from tests.chaos import kills
from tests.chaos.fault import Measured, fault, require
from tests.chaos.ground import Ground, until
from tests.chaos.heard import EXCHANGE, SUBJECT
from tests.chaos.kills import Kill

# What is encoded by its schema gets its field in the middle. What is written and read by place gets it at the end, and
# there a new edition is a change of code as well: what writes it says null, what reads it by place expects that.
ENCODED = ("credit.sanctions.task.v1",)
BY_PLACE = (SUBJECT, EXCHANGE, "credit.command.v1")
GROWN = (*ENCODED, *BY_PLACE)
NULL = ' + b"\\0"'
CODE = (  # in a file of the services, behind these words, this is put in
    ("identity/contracts/telling.py", "frame(schemas.schema_id(SUBJECT), body", NULL),
    ("disclosure/contracts/reference.py", '(*_HEAD, "codes", *_TAIL', ', "of_the_next_edition"'),
    ("disclosure/contracts/reference.py", "merged_into, at = _tail(body, at)", "; at += 1"),
    ("national_sync/contracts/exchange.py", "frame(schemas.schema_id(EXCHANGE), body", NULL),
    ("chassis/commands.py", "_written(command_id, kind, issued_by, issued_at, arguments)", NULL),
    ("chassis/commands.py", "if end", " + 1"),
)
TOGETHER_S = 30.0
NEXT = {"name": "of_the_next_edition", "type": ["null", "string"], "default": None, "doc": "演示"}


@contextmanager
def next_edition(ground: Ground) -> Generator[Path]:
    """A tree of the services whose families have one more edition."""
    tree = ground.layout.var / "next"
    shutil.rmtree(tree, ignore_errors=True)
    for part in ("services", "avro"):
        shutil.copytree(REPO / part, tree / part, ignore=shutil.ignore_patterns("__pycache__"))
    for family in GROWN:
        newest = max((tree / "avro" / family).glob("*.avsc"), key=lambda path: int(path.stem))
        schema = json.loads(newest.read_text())
        schema["fields"].insert(len(schema["fields"]) // 2 if family in ENCODED else len(schema["fields"]), NEXT)
        newest.with_name(f"{int(newest.stem) + 1}.avsc").write_text(json.dumps(schema))
    for file, words, more in CODE:
        _put_in(tree / "services" / file, words, more)
    try:
        yield tree
    finally:
        shutil.rmtree(tree)


def _put_in(file: Path, words: str, more: str) -> None:
    code = file.read_text()
    require(code.count(words) == 1, f"{file.name}: {words} is not there once, as it was")
    file.write_text(code.replace(words, words + more))


@fault("F23", "two editions side by side", f"second workers from a tree with one more edition of {len(GROWN)} families "
       f"of events beside the first ones for {TOGETHER_S:.0f} s; then the new ones alone; then the old ones alone",
       "each reads what the other writes, I1–I8", 30)  # fmt: skip
def side_by_side(ground: Ground, chance: random.Random) -> Measured:
    """A rolling upgrade, and the way back when it was a mistake."""
    measured, ends = Measured(), ground.verifier.listener.ends(EXCHANGE)
    with next_edition(ground) as tree:
        _ordered(ground, tree)
        try:
            with ground.second_workers():
                time.sleep(TOGETHER_S)
                ground.supervisor.stop(SERVICES)
                until(lambda: all(ground.ready(f"{name}-1") for name in SERVICES), "the new edition goes on alone", 90)
                time.sleep(TOGETHER_S / 2)
                for name in SERVICES:
                    ground.supervisor.begin(name)
                until(lambda: all(map(ground.ready, SERVICES)), "the old edition is back", 90)
        finally:
            for name in SERVICES:
                ground.supervisor.begin(name)
                ground.withdraw(f"{name}-1")
        measured.recovery.append(ground.recovery(SERVICES, time.monotonic()))
    written = _schema_ids(ground, ends)
    require(len(written) > 1, f"only one edition was written: {dict(written)}")
    measured.note = f"{EXCHANGE} written by edition: " + ", ".join(f"{n}" for n in sorted(written.values()))
    return measured


def _ordered(ground: Ground, tree: Path) -> None:
    for name in SERVICES:
        stubs = {"PYTHONPATH": str(tree / "services" / "_stubs")}
        ground.order(f"{name}-1", stubs, ["env", "-C", str(tree)], None)


def _schema_ids(ground: Ground, since: dict[tuple[str, int], int]) -> Counter[int]:
    """How many messages the topic has got of each schema."""
    ends = ground.verifier.listener.ends(EXCHANGE)
    consumer: Any = Consumer(settings(ground.layout, "operator") | {"group.id": "operator.editions"})
    consumer.assign([TopicPartition(*at, offset) for at, offset in since.items()])
    left, found = sum(ends[at] - since[at] for at in ends), Counter[int]()
    while left > 0 and (messages := consumer.consume(min(left, 1000), 10)):
        found.update(int.from_bytes(message.value()[1:5], "big") for message in messages)
        left -= len(messages)
    consumer.close()
    require(left <= 0, f"{left} messages could not be read")
    return found


@fault("F24", "migration killed", "CP9: every service's migration on an empty database of its own, killed at a pass "
       "of the seed, run again", "the second run leaves what the live store has",
       15, rate=0, accounted=False, quick=True)  # fmt: skip
def migration_killed(ground: Ground, chance: random.Random) -> Measured:
    """The same as F1 cp9, for every service at once."""
    seed = chance.randrange(10**6)
    return Measured([kills.one(ground, Kill(service, "cp9", seed)).recovery for service in SERVICES])
