"""The two commands about persons' keys: `erase_person` and `rotate_keys`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from services.chassis import commands
from services.chassis.commands import Codec, Command
from services.chassis.handling import Handler, Transaction
from services.chassis.logs import LOOKS_LIKE_AN_ID
from services.chassis.message import Message, Moment, Outgoing, Timer
from services.identity import metrics
from services.identity.contracts import telling
from services.identity.domain import erasure, refusals, rotation
from services.identity.domain.erasure import EraseAsked, ErasureEvent, ErasureKnown, ErasureRefused, PersonErased
from services.identity.domain.rotation import KekReplaced, Keks, RotationAsked, RotationEvent, RotationRefused
from services.identity.keys import store
from services.identity.keys.certificate import Certifier

SERVICE = "identity"
KEK_ID = re.compile("[0-9a-f]{16}")
SUBJECT_ID = re.compile("[0-9a-f]{32}")
THE_ONE = "kek"
W = TypeVar("W")


class Asked(NamedTuple):
    """A command with the wish it holds (an `EraseAsked` or a `RotationAsked`)."""

    command: Command
    wish: Any


class Erasures:
    """Persons by subject id."""

    name = "erasure"

    def __init__(self, codec: Codec, certifier: Certifier) -> None:
        self._codec, self._certifier = codec, certifier

    def key(self, given: Asked) -> bytes:
        subject_id: bytes = given.wish.subject_id
        return subject_id

    async def load(self, tx: Transaction, given: Sequence[Asked]) -> dict[bytes, erasure.Standing]:
        ids = sorted({self.key(one) for one in given})
        erased = {row["subject_id"]: PersonErased(*row.values()) for row in await tx.fetch(store.ERASED, ids)}
        organisations = {row["subject_id"] for row in await tx.fetch(store.ORGANISATIONS, ids)}
        return {one: erasure.Standing(erased.get(one), one in organisations) for one in ids}

    def initial(self, key: bytes) -> erasure.Standing:
        return erasure.NOBODY

    def decide(self, state: erasure.Standing, given: Asked) -> Sequence[ErasureEvent]:
        return erasure.decide(state, given.wish)

    def evolve(self, state: erasure.Standing, event: ErasureEvent) -> erasure.Standing:
        return erasure.evolve(state, event)

    async def save(
        self,
        tx: Transaction,
        before: Mapping[bytes, erasure.Standing],
        after: Mapping[bytes, erasure.Standing],
        events: Sequence[tuple[bytes, ErasureEvent]],
    ) -> None:
        """The tombstone and the end of the key are one transaction with the answer."""
        erased = sorted(event for _, event in events if isinstance(event, PersonErased))
        if erased:
            await store.NEW_ERASURES.insert(tx, erased)
            gone = [one.subject_id for one in erased]
            await tx.execute(store.DESTROY, gone, [one.at_ms for one in erased])
            await tx.execute(store.LEAVE, gone)
            metrics.ERASED.inc(len(erased))

    def announce(self, event: ErasureEvent, given: Asked) -> Iterable[Outgoing]:
        if isinstance(event, ErasureRefused):
            yield _answer(self._codec, given, event.faults, None)
        else:
            stands = event.erased if isinstance(event, ErasureKnown) else event
            # Also when it is asked again: so is told of whom it was not told yet, and who has heard it does nothing.
            yield telling.person_erased(self._codec, stands.subject_id, stands.at_ms)
            yield _answer(self._codec, given, (), self._certifier.certify(stands))

    def timers(self, event: ErasureEvent, given: Asked) -> Iterable[Timer]:
        return ()


class Rotations:
    """The one key-encryption key that stands."""

    name = "rotation"

    def __init__(self, codec: Codec) -> None:
        self._codec = codec

    def key(self, given: Asked) -> str:
        return THE_ONE

    async def load(self, tx: Transaction, given: Sequence[Asked]) -> dict[str, Keks]:
        return {THE_ONE: tuple(row["kek_id"] for row in await tx.fetch(store.ROTATIONS))}

    def initial(self, key: str) -> Keks:
        return ()

    def decide(self, state: Keks, given: Asked) -> Sequence[RotationEvent]:
        return rotation.decide(state, given.wish)

    def evolve(self, state: Keks, event: RotationEvent) -> Keks:
        return rotation.evolve(state, event)

    async def save(
        self,
        tx: Transaction,
        before: Mapping[str, Keks],
        after: Mapping[str, Keks],
        events: Sequence[tuple[str, RotationEvent]],
    ) -> None:
        """The mark moves with the command; the rows follow (keys/rewrapping.py)."""
        replaced = [event for _, event in events if isinstance(event, KekReplaced)]
        if replaced:
            first = len(before.get(THE_ONE, ())) + 1
            await store.NEW_ROTATIONS.insert(tx, [(first + n, *event) for n, event in enumerate(replaced)])
            await tx.execute(store.MOVE_MARK, replaced[-1].kek_id)

    def announce(self, event: RotationEvent, given: Asked) -> Iterable[Outgoing]:
        if isinstance(event, RotationRefused):
            yield _answer(self._codec, given, event.faults, None)
        else:
            yield _answer(self._codec, given, (), {"kek_id": event.kek_id})

    def timers(self, event: RotationEvent, given: Asked) -> Iterable[Timer]:
        return ()


def _answer(
    codec: Codec, given: Asked, faults: Sequence[refusals.Refusal], detail: Mapping[str, Any] | None
) -> Outgoing:
    told = None if detail is None else json.dumps(detail, ensure_ascii=False)
    answered = [commands.Fault(*one) for one in faults]
    return commands.answer(codec, SERVICE, given.command, answered, given.wish.at_ms, told)


def erase_asked(command: Command, now_ms: int) -> EraseAsked:
    """Take the arguments `subject_id` and `reason` apart; what is wrong with them becomes a fault."""
    faults: list[refusals.Refusal] = []
    subject_id, reason = command.arguments.get("subject_id"), command.arguments.get("reason")
    if not isinstance(subject_id, str) or not SUBJECT_ID.fullmatch(subject_id):
        faults.append(refusals.SUBJECT_ID_FORMAT)
        subject_id = ""
    if not isinstance(reason, str) or not reason.strip() or len(reason) > refusals.REASON_LIMIT or "\0" in reason:
        faults.append(refusals.REASON_MISSING)
        reason = ""
    elif LOOKS_LIKE_AN_ID.search(reason):
        faults.append(refusals.REASON_NAMES)
    names = (command.command_id, command.issued_by, bytes.fromhex(subject_id), reason)
    return EraseAsked(*names, now_ms, tuple(faults))


def rotation_asked(command: Command, now_ms: int) -> RotationAsked:
    """Take the argument `kek_id` apart."""
    kek_id = command.arguments.get("kek_id")
    if isinstance(kek_id, str) and KEK_ID.fullmatch(kek_id):
        return RotationAsked(command.command_id, kek_id, now_ms)
    return RotationAsked(command.command_id, "", now_ms, (refusals.KEK_ID_FORMAT,))


def handlers(codec: Codec, certifier: Certifier) -> tuple[Handler, ...]:
    """`erase_person`: subject_id, reason. `rotate_keys`: kek_id."""

    def erase(message: Message, moment: Moment) -> Asked:
        command = commands.read_command(codec, message)
        return Asked(command, erase_asked(command, moment.now_ms))

    def rotate(message: Message, moment: Moment) -> Asked:
        command = commands.read_command(codec, message)
        return Asked(command, rotation_asked(command, moment.now_ms))

    erasures, rotations = Erasures(codec, certifier), Rotations(codec)
    return (Handler("command:erase_person", erasures, erase), Handler("command:rotate_keys", rotations, rotate))
