"""A service that keeps lists of numbers, with a bug that can be mended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from services.chassis.carrying_out import Orders
from services.chassis.commands import Command
from services.chassis.errors import Unhandleable
from services.chassis.handling import Handler, Service
from services.chassis.message import Message, Moment, Outgoing, Timer
from services.chassis.orders import Kind, OrderEvent, OrderGiven, Place
from tests.sim.store.transactions import current

BAD, BUG = 13, 99  # a number that is parked; one that ends the process until the code is mended


class Given(NamedTuple):
    """A number for the list of a key, and the timers that follow from it: (number, moment)."""

    key: bytes
    number: int
    timers: Sequence[tuple[bytes, int]]


class Lists:
    """The numbers that a key has had, in their order."""

    name = "lists"

    def __init__(self, code: Code) -> None:
        self._code = code

    def key(self, given: Given) -> bytes:
        return given.key

    async def load(self, tx: Any, given: Sequence[Given]) -> dict[bytes, tuple[int, ...]]:
        rows = {g.key: current().get("lists", g.key) for g in given}
        return {key: row["numbers"] for key, row in rows.items() if row is not None}

    def initial(self, key: bytes) -> tuple[int, ...]:
        return ()

    def decide(self, state: tuple[int, ...], given: Given) -> Sequence[Given]:
        if given.number == BUG and self._code.broken:
            raise ZeroDivisionError("a planted bug")
        if given.number == BAD:
            raise Unhandleable("BAD_NUMBER")
        return [given]

    def evolve(self, state: tuple[int, ...], event: Given) -> tuple[int, ...]:
        return (*state, event.number)

    async def save(self, tx: Any, before: Any, after: Mapping[bytes, tuple[int, ...]], events: Any) -> None:
        for key, numbers in after.items():
            await current().lock("lists", key)
            current().put("lists", key, {"key": key, "numbers": numbers})

    def announce(self, event: Given, given: Given) -> Iterable[Outgoing]:
        yield Outgoing("told", given.key, b"%d" % given.number)

    def timers(self, event: Given, given: Given) -> Iterable[Timer]:
        return [Timer(at_ms, given.key, "later", body) for body, at_ms in given.timers]


class QuietOrders(Orders):
    """As in production, but nobody is answered."""

    def announce(self, event: OrderEvent, given: OrderGiven) -> Iterable[Outgoing]:
        return ()


class Code:
    """The edition that runs. `broken`: it dies of `BUG`, and of discarding it."""

    broken = True

    def service(self) -> Service:
        """What the loop sees of it."""
        codec: Any = None  # nothing is answered
        lists, orders = Lists(self), QuietOrders("test", codec)

        def read(message: Message, moment: Moment) -> Given:
            number, *timers = (message.value or b"").split()
            pairs = [one.split(b"@") for one in timers]
            return Given(message.key, int(number), [(body, int(at)) for body, at in pairs])

        def order(message: Message, moment: Moment) -> OrderGiven:
            kind, topic, partition, offset = (message.value or b"").decode().split("/")
            places = (Place(topic, int(partition), int(offset)),)
            command = Command(f"order-{message.offset}", kind, "operator", {})
            chosen: Kind = "release" if kind == "release" else "discard"
            return OrderGiven(command, chosen, places, "演示", moment.now_ms)

        def discarded(message: Message, moment: Moment) -> Iterable[Outgoing]:
            if message.value == b"%d" % BUG and self.broken:
                raise ZeroDivisionError("a planted bug")
            return [Outgoing("told", message.key, b"discarded")]

        handlers = (
            Handler("numbers", lists, read),
            Handler("timer:later", lists, read),
            Handler("orders", orders, order),
        )
        return Service("test", handlers, discarded=discarded)
