"""What agencies send in one seed: few organisations, few records, and every turn a record's life can take."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from services.kernel import organisation_code, uscc
from tests.sim.shared import shared
from tests.sim.virtual import START_MS
from tests.support.road import AGENCY_OF, PAYLOADS, Organisation

DAY = date(2017, 9, 28)
REPORTERS = ("420000-gsj", "420000-hbt", "420000-fy")
LATE = "420100-xyb"  # registered while the others publish
CHANGED = {
    "enterprise-registration": "registered_address",
    "org-penalty": "CF_NR",
    "court-defaulter": "duty",
    "code-mapping": "",
}


class Sent(NamedTuple):
    """One submission, as plainly as the model needs it; `content` is equal when the records say the same."""

    at: float
    agency: str
    item: str
    record_no: str
    submission_id: str
    action: str
    content: tuple[object, ...]
    produced_at: int
    by: str  # the kind of code that names the subject
    organisation: Organisation
    fault: str
    value: bytes

    @property
    def topic(self) -> str:
        """Where it is sent."""
        return f"credit.submit.{self.agency}.v1"


@dataclass
class Life:
    """A record and what has been sent about it."""

    item: str
    record_no: str
    organisation: Organisation
    by: str
    sent: list[Sent] = field(default_factory=list[Sent])

    @property
    def agency(self) -> str:
        """Who reports it."""
        return AGENCY_OF[self.item]


def organisations(count: int) -> list[Organisation]:
    """Synthetic ones with valid codes."""
    found: list[Organisation] = []
    for number in range(count):
        body = f"MA{number:06d}"
        code = uscc.complete("91420100" + body + organisation_code.check_character(body))
        found.append(Organisation(code, f"演示{number}有限公司"))
    return found


class Traffic:
    """Makes the submissions of a seed, in the order of their times."""

    def __init__(self, chance: random.Random, seconds: float) -> None:
        self._chance, self._seconds = chance, seconds
        self._numbers = 0

    def all(self) -> list[Sent]:
        """Everything that will be sent; submissions of one record keep their order."""
        sent = [one for life in self._lives() for one in self._live(life)]
        return sorted(sent, key=lambda one: one.at)

    def _lives(self) -> Iterator[Life]:
        chance = self._chance
        for number, org in enumerate(organisations(chance.randint(2, 4))):
            old = chance.random() < 0.4
            yield Life("enterprise-registration", f"reg-{number}", org, "uscc")
            for penalty in range(chance.randint(1, 2)):
                yield Life("org-penalty", f"cf-{number}-{penalty}", org, "reg_no" if old else "uscc")
            if old and chance.random() < 0.8:
                yield Life("code-mapping", f"map-{number}", org, "uscc")
            if chance.random() < 0.7:
                yield Life("court-defaulter", f"fy-{number}", org, "uscc")

    def _live(self, life: Life) -> Iterator[Sent]:
        chance = self._chance
        at = chance.uniform(0.0, self._seconds * 0.7)
        action = "report" if chance.random() < 0.95 else "correct"
        for _ in range(chance.randint(1, 5)):
            yield self._send(life, action, min(at, self._seconds))
            at += chance.choice((0.0, 0.001, 0.05, 1.0, 4.0)) * chance.random()
            action = chance.choice(("correct", "correct", "withdraw", "again", "same", "stale", "reuse", "wrong"))

    def _send(self, life: Life, action: str, at: float) -> Sent:
        again = action == "again" and life.sent
        one = life.sent[-1]._replace(at=at) if again else self._new(life, action, at)
        life.sent.append(one)
        return one

    def _new(self, life: Life, action: str, at: float) -> Sent:
        self._numbers += 1
        produced_at = START_MS - 1_000_000 + self._numbers * 1000
        if action == "stale":
            produced_at -= 900_000
        variant = self._numbers if action in ("report", "correct", "stale", "reuse") else None
        if action == "same" and life.sent:
            variant = life.sent[-1].content[0]
        said = {"stale": "correct", "same": "report", "reuse": "report", "wrong": "correct"}.get(action, action)
        if life.item == "code-mapping":
            variant = None
        fault = "AGENCY_MISMATCH" if action == "wrong" else ""
        return self._encoded(life, said, at, variant, produced_at, fault)

    def _encoded(self, life: Life, action: str, at: float, variant: object, produced_at: int, fault: str) -> Sent:
        org = life.organisation
        submission_id = f"s-{self._numbers}"
        changes: dict[str, Any] = (
            {CHANGED[life.item]: f"演示{variant}"} if variant is not None and CHANGED[life.item] else {}
        )
        if life.by == "reg_no":
            changes |= {"CF_XDR_SHXYM": None, "CF_XDR_GSZC": org.reg_no}
        record: dict[str, Any] = {
            "submission_id": submission_id,
            "item": life.item,
            "agency": "420000-qt" if fault else life.agency,
            "source_unit": "",
            "action": action,
            "record_no": life.record_no,
            "subject_kind": "org",
            "subject_code_kind": life.by,
            "subject_code": org.uscc if life.by == "uscc" else org.reg_no,
            "subject_name": org.name,
            "decided_on": DAY,
            "produced_at": produced_at,
            "payload": {**PAYLOADS[life.item](org), **changes},
        }
        value = shared().catalogue[life.item].encode(record)
        return Sent(
            at, life.agency, life.item, life.record_no, submission_id, action, (variant,), produced_at, life.by, org,
            fault, value,
        )  # fmt: skip
