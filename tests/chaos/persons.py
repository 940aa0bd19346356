"""Made-up persons and what is reported of them. Nobody who lives can hold these numbers: they are of 1880 to 1905."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from itertools import count
from typing import Any, NamedTuple

from deploy.local.layout import Layout
from services.cli.agency import onboard
from services.cli.synthetic.codes import body_uscc
from services.cli.synthetic.draft import Draft
from services.kernel.resident_id import check_character
from tests.chaos.ground import Ground

AGENCY, BODY = "420000-gat", "湖北省公安厅"
ITEMS = ("person-permit", "person-penalty")
FIRST, DAYS = date(1880, 1, 1), 9490  # the last day is one of 1905
DECIDED = date(2019, 3, 4)
CYCLE = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥"
OFFICE = body_uscc("420000", random.Random(BODY))
PAUSE_S = 0.1  # between two reports while they go on
numbers = count(1)


class Person(NamedTuple):
    """Whom a record is about."""

    number: str
    name: str


class People(NamedTuple):
    """Persons whose numbers and names begin alike, as no other does: who looks for the beginnings finds any of them."""

    number: str
    name: str
    everybody: Sequence[Person]


def invented(chance: random.Random, many: int) -> People:
    """Persons of one birthday; others than any run before had on the same stack, which may have erased them."""
    chance = random.Random(f"{chance.random()}/{time.time_ns()}")
    number = f"420106{FIRST + timedelta(chance.randrange(DAYS)):%Y%m%d}"
    name = "演示" + "".join(chance.sample(CYCLE, 7))
    serials = chance.sample(range(1000), many)
    bodies = [f"{number}{serial:03d}" for serial in serials]
    return People(number, name, [Person(body + check_character(body), f"{name}{body[-3:]}") for body in bodies])


def admitted(layout: Layout) -> None:
    """The agency that may report persons; harmless when it is there already."""
    onboard(layout, AGENCY, BODY, ITEMS)


def report(ground: Ground, person: Person, item: str = ITEMS[0]) -> dict[str, Any]:
    """A submission that is taken as long as the person is not erased."""
    serial = next(numbers)
    payload = {
        "xm": person.name, "wh": f"演示〔2019〕{serial}号", "mc": "演示决定", "nr": "演示内容", "yj": "演示条例第一条",
        "rq": DECIDED, "jg": BODY, "jgbm": OFFICE, "zt": "1", "bz": f"{person.name}之家",
    }  # fmt: skip
    payload |= {"lb": "普通"} if item == "person-permit" else {"lb": "其他处罚", "cx": "普通程序"}
    whom = ("person", "resident_id", person.number, person.name)
    return ground.load.record(Draft(AGENCY, item, "report", f"p{serial}", *whom, DECIDED, payload))


@contextmanager
def reported_on(ground: Ground, gone: Person, others: Sequence[Person], chance: random.Random) -> Generator[None]:
    """Reports go on meanwhile: the others' must be taken, those of who is being erased are taken or not."""
    over, failures = threading.Event(), list[BaseException]()

    def flow() -> None:
        try:
            for turn in count():
                if over.wait(PAUSE_S):
                    return
                if turn % 4:
                    ground.load.send(report(ground, chance.choice(others), chance.choice(ITEMS)), "ACCEPTED")
                else:
                    ground.load.send_again(report(ground, gone))
        except BaseException as error:  # noqa: BLE001 - raised again below, in the runner's own thread
            failures.append(error)

    thread = threading.Thread(target=flow, name="persons", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    if failures:
        raise failures[0]
