"""A message, or all timers, that the code of one service cannot process or dies of, until the fixed version runs."""

from __future__ import annotations

import random
from typing import Any

from services.chassis.errors import Unhandleable
from services.chassis.message import Message
from tests.sim.process import SERVICES


class Poison:
    """Some seeds have one: the n-th message that a service reads is it, wherever it lies."""

    def __init__(self, chance: random.Random) -> None:
        self.service = chance.choice(SERVICES) if chance.random() < 0.5 else ""
        self._countdown = chance.randint(1, 15)
        self._bug = chance.random() < 0.3
        self._place: tuple[str, int, int] | None = None
        self._timers = chance.random() < 0.3
        self.fixed = False

    @property
    def crashes(self) -> bool:
        """Whether processes of the service are meant to die of it."""
        return self._bug and (self._place is not None or self._timers)

    def strike(self, service: str, message: Message) -> None:
        """Raise for the poisoned message, also when it is released, or for a timer if the code for them is lost."""
        if self.fixed or service != self.service:
            return
        if message.offset < 0:
            if self._timers:
                self._raise()
            return
        place = (message.topic, message.partition, message.offset)
        if self._place is None and message.key:
            self._countdown -= 1
            if self._countdown == 0:
                self._place = place
        if place == self._place:
            self._raise()

    def _raise(self) -> Any:
        if self._bug:
            raise ZeroDivisionError("a planted bug")
        raise Unhandleable("POISONED")
