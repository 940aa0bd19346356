"""What the sender of a submission is told when it is parked, and when it is thrown away."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from services.chassis.message import Message, Moment, Outgoing
from services.ingestion.contracts.answers import Speaker
from services.ingestion.contracts.submissions import SUBMIT, waiting
from services.ingestion.domain import faults


def tell_waiting(speaker: Speaker) -> Callable[[Message, str, Moment], Iterable[Outgoing]]:
    """The sender of a parked submission is told that it waits; a final receipt follows its release."""

    def parked(message: Message, code: str, moment: Moment) -> Iterable[Outgoing]:
        if not message.topic.startswith(SUBMIT):
            return ()
        return (speaker.receipt(waiting(message, moment.now_ms), "WAITING", ()),)

    return parked


def tell_discarded(speaker: Speaker) -> Callable[[Message, Moment], Iterable[Outgoing]]:
    """The sender of a submission that an operator has thrown away gets its final receipt."""

    def discarded(message: Message, moment: Moment) -> Iterable[Outgoing]:
        if not message.topic.startswith(SUBMIT):
            return ()
        return (speaker.receipt(waiting(message, moment.now_ms), "REFUSED", (faults.fault("DISCARDED_BY_OPERATOR"),)),)

    return discarded
