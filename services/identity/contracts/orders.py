"""Commands about subjects and about what is in review -> inputs, and their outcomes.

| command | arguments |
|---|---|
| `merge_subjects`, `unmerge_subjects` | `into`, `gone` (subjects), `reason` |
| `judge_subjects` | `one`, `other` (subjects), `verdict` (SAME, NOT_SAME, UNSURE), `overrule`, `reason` |
| `claim_review` | `record_id`, `version`, `minutes` |
| `decide_review` | `record_id`, `version`, `decision` (link, leave, reject), `subject`, `reason` |

A subject is a unified social credit code, or an id of 32 hexadecimal digits. `by` says who orders it, where the sender
orders for somebody. What is wrong with an order is answered; only what is no command at all is parked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

from services.chassis import commands
from services.chassis.commands import Codec, Command
from services.chassis.logs import LOOKS_LIKE_AN_ID
from services.chassis.message import Message, Moment, Outgoing
from services.identity.domain import codes
from services.identity.domain.order_events import OrderAnswered
from services.identity.domain.orders import (
    FAULTS,
    ClaimAsked,
    DecideAsked,
    JudgeAsked,
    MergeAsked,
    Order,
    UnmergeAsked,
)
from services.identity.domain.terms import Decision, Verdict

SERVICE = "identity"
REASON_LIMIT, NAME_LIMIT = 500, 64
MINUTES = range(1, 241)
VERDICTS, DECISIONS = ("SAME", "NOT_SAME", "UNSURE"), ("link", "leave", "reject")


class OrderReader:
    """Reads commands; raises `Unhandleable` for what is none."""

    def __init__(self, codec: Codec, pepper: bytes) -> None:
        self._codec = codec
        self._pepper = pepper

    def merge(self, message: Message, moment: Moment) -> MergeAsked:
        """`merge_subjects`."""
        order, into, gone = self._pair(message, moment, "into", "gone")
        return MergeAsked(order, into, gone)

    def unmerge(self, message: Message, moment: Moment) -> UnmergeAsked:
        """`unmerge_subjects`."""
        order, into, gone = self._pair(message, moment, "into", "gone")
        return UnmergeAsked(order, into, gone)

    def judge(self, message: Message, moment: Moment) -> JudgeAsked:
        """`judge_subjects`."""
        order, one, other = self._pair(message, moment, "one", "other")
        said = commands.read_command(self._codec, message).arguments
        verdict = said.get("verdict")
        if verdict not in VERDICTS:
            order = _faulty(order, ["VERDICT"])
        return JudgeAsked(order, one, other, cast("Verdict", verdict), bool(said.get("overrule")))

    def claim(self, message: Message, moment: Moment) -> ClaimAsked:
        """`claim_review`."""
        command = commands.read_command(self._codec, message)
        record_id, version, faults = _version(command)
        minutes = command.arguments.get("minutes")
        if not isinstance(minutes, int) or minutes not in MINUTES:
            faults, minutes = [*faults, "MINUTES"], 0
        return ClaimAsked(_order(command, moment, faults), record_id, version, minutes)

    def decide(self, message: Message, moment: Moment) -> DecideAsked:
        """`decide_review`."""
        command = commands.read_command(self._codec, message)
        record_id, version, faults = _version(command)
        decision = command.arguments.get("decision")
        if decision not in DECISIONS:
            faults.append("DECISION")
        subject_id = self._subject(command.arguments.get("subject")) if decision == "link" else None
        if decision == "link" and subject_id is None:
            faults.append("SUBJECT_FORMAT")
        order = _order(command, moment, [*faults, *_reason(command)])
        return DecideAsked(order, record_id, version, cast("Decision", decision), subject_id)

    def _pair(self, message: Message, moment: Moment, one: str, other: str) -> tuple[Order, bytes, bytes]:
        command = commands.read_command(self._codec, message)
        found = [self._subject(command.arguments.get(name)) for name in (one, other)]
        faults = ["SUBJECT_FORMAT"] if None in found else []
        return _order(command, moment, [*faults, *_reason(command)]), found[0] or b"", found[1] or b""

    def _subject(self, written: object) -> bytes | None:
        if not isinstance(written, str):
            return None
        if len(written) == 32:
            return _id(written)
        named = codes.refer(self._pepper, "uscc", written)
        return None if named.fault else named.id


def _version(command: Command) -> tuple[bytes, int, list[str]]:
    record_id, version = _id(command.arguments.get("record_id")), command.arguments.get("version")
    if record_id is None or not isinstance(version, int):
        return b"", 0, ["RECORD_FORMAT"]
    return record_id, version, []


def _id(written: object) -> bytes | None:
    try:
        found = bytes.fromhex(str(written))
    except ValueError:
        return None
    return found if len(found) == 16 else None


def _reason(command: Command) -> list[str]:
    reason = command.arguments.get("reason")
    if not isinstance(reason, str) or not reason.strip() or len(reason) > REASON_LIMIT:
        return ["REASON_MISSING"]
    return ["REASON_NAMES"] if LOOKS_LIKE_AN_ID.search(reason) else []


def _order(command: Command, moment: Moment, faults: Sequence[str]) -> Order:
    reason = command.arguments.get("reason")
    by = command.arguments.get("by") or command.issued_by
    return Order(
        command.command_id,
        command.type,
        _storable(str(by), NAME_LIMIT),
        _storable(reason if isinstance(reason, str) else "", REASON_LIMIT),
        moment.now_ms,
        tuple(faults),
    )


def _faulty(order: Order, faults: Sequence[str]) -> Order:
    return order._replace(faults=(*order.faults, *faults))


def _storable(text: str, limit: int) -> str:
    """Cut to what is kept; PostgreSQL text holds no NUL."""
    return text[:limit].replace("\0", "\ufffd")


def answered(codec: Codec, event: OrderAnswered) -> Iterable[Outgoing]:
    """The outcome, for whoever waits for it."""
    order = event.order
    faults = [commands.Fault(*FAULTS[code]) for code in event.faults]
    known: dict[str, Any] = {}
    command = Command(order.command_id, order.type, order.by, known)
    yield commands.answer(codec, SERVICE, command, faults, order.at_ms, event.detail)
