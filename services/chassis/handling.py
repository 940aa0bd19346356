"""What a service gives the lane loop: handlers, aggregates, and nothing about batches."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeVar

from asyncpg import Connection
from asyncpg.pool import PoolConnectionProxy

from services.chassis.message import Message, Moment, Outgoing, Timer

Transaction: TypeAlias = "Connection[Any] | PoolConnectionProxy[Any]"  # asyncpg's row type is not ours to fix
K = TypeVar("K", bound=Hashable)
S = TypeVar("S")
I_contra = TypeVar("I_contra", contravariant=True)
E = TypeVar("E")


class Aggregate(Protocol[K, S, I_contra, E]):
    """Two pure functions and the store of their state: `K` key, `S` state, `I` input, `E` event."""

    @property
    def name(self) -> str: ...

    def key(self, given: I_contra) -> K:
        """Which aggregate this input concerns."""
        ...

    async def load(self, tx: Transaction, given: Sequence[I_contra]) -> dict[K, S]:
        """The stored states of these inputs' aggregates, one query per table; unknown keys are left out.

        An aggregate that more than one lane can reach loads its rows FOR UPDATE in key order.
        """
        ...

    def initial(self, key: K) -> S: ...

    def decide(self, state: S, given: I_contra) -> Sequence[E]: ...

    def evolve(self, state: S, event: E) -> S: ...

    async def save(
        self, tx: Transaction, before: Mapping[K, S], after: Mapping[K, S], events: Sequence[tuple[K, E]]
    ) -> None:
        """Write the states of `after` (only those that had an event); `before` tells new from known."""
        ...

    def announce(self, event: E, given: I_contra) -> Iterable[Outgoing]:
        """What the world is told about an event, in order."""
        ...

    def timers(self, event: E, given: I_contra) -> Iterable[Timer]: ...


@dataclass(frozen=True, slots=True)
class Handler:
    """Which messages concern which aggregate.

    `topic` is a name, a prefix ending in `*`, `timer:<kind>` or `command:<type>`; `read` turns the message into
    an input and raises `Unhandleable` for what can never be one. `read_many`, if there is one, reads a batch at once:
    one answer per message, `None` where it is not certain and `read` is to decide. It is pure and raises nothing.
    """

    topic: str
    aggregate: Aggregate[Any, Any, Any, Any]
    read: Callable[[Message, Moment], Any]
    read_many: Callable[[Sequence[Message], Moment], Sequence[Any]] | None = None


def tell_nobody(message: Message, code: str, moment: Moment) -> Iterable[Outgoing]:
    """The default for `Service.parked`: messages from inside have no sender to inform."""
    return ()


def answer_nobody(message: Message, moment: Moment) -> Iterable[Outgoing]:
    """The default for `Service.discarded`."""
    return ()


@dataclass(frozen=True, slots=True)
class Service:
    """A service as the loop sees it."""

    name: str
    handlers: tuple[Handler, ...]
    refresh: Callable[[Transaction], Awaitable[None]] | None = None
    parked: Callable[[Message, str, Moment], Iterable[Outgoing]] = tell_nobody
    discarded: Callable[[Message, Moment], Iterable[Outgoing]] = answer_nobody
    unreplayed: frozenset[str] = frozenset()  # `table` or `table.column` that does not follow from the lanes
    # Before a rebuild: shows the service its live store, for what cannot be made again; what it gives back is asked at
    # the end for how much of what was taken from there.
    recall: Callable[[Transaction], Callable[[], Mapping[str, int]]] | None = None
    background: tuple[Callable[[], Coroutine[Any, Any, None]], ...] = ()
    linger_ms: int = 0  # while little waits, the pause before a turn: for services whose word nobody is waiting for
