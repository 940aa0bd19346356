"""`python -m tests.support.ledger run|migrate`: reads `ledger.in.v1`, writes `ledger.out.v1`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from services.chassis.entry import main
from services.chassis.errors import Unhandleable
from services.chassis.handling import Handler, Service, Transaction
from services.chassis.message import Message, Moment, Outgoing, Timer
from services.chassis.runtime import Runtime


class Entry(NamedTuple):
    """A number to add to the account of a key; -1 is a bug of this service, -2 a timer of one second.

    -3 is a timer whose body is no number.
    """

    key: bytes
    amount: int
    now_ms: int


class Account(NamedTuple):
    """Entries counted and summed."""

    entries: int
    total: int


class Ledger:
    """State: how many entries a key has had, and their sum."""

    name = "ledger"

    def key(self, given: Entry) -> bytes:
        return given.key

    async def load(self, tx: Transaction, given: Sequence[Entry]) -> dict[bytes, Account]:
        keys = sorted({g.key for g in given})
        rows = await tx.fetch("SELECT key, entries, total FROM ledger WHERE key = ANY($1)", keys)
        return {row["key"]: Account(row["entries"], row["total"]) for row in rows}

    def initial(self, key: bytes) -> Account:
        return Account(0, 0)

    def decide(self, state: Account, given: Entry) -> Sequence[Account]:
        if given.amount == -1:
            raise ZeroDivisionError("a planted bug")
        return [Account(state.entries + 1, state.total + given.amount)]

    def evolve(self, state: Account, event: Account) -> Account:
        return event

    async def save(
        self, tx: Transaction, before: Mapping[bytes, Account], after: Mapping[bytes, Account], events: object
    ) -> None:
        await tx.executemany(
            "INSERT INTO ledger VALUES ($1, $2, $3) "
            "ON CONFLICT (key) DO UPDATE SET entries = excluded.entries, total = excluded.total",
            [(key, *account) for key, account in sorted(after.items())],
        )

    def announce(self, event: Account, given: Entry) -> Iterable[Outgoing]:
        yield Outgoing("ledger.out.v1", given.key, b"%d %d" % event)

    def timers(self, event: Account, given: Entry) -> Iterable[Timer]:
        if given.amount in (-2, -3):
            body = b"100" if given.amount == -2 else b"no number"
            yield Timer(given.now_ms + 1000, given.key, "interest", body)


def read(message: Message, moment: Moment) -> Entry:
    """The number in the message; anything else is parked."""
    try:
        return Entry(message.key, int(message.value or b""), moment.now_ms)
    except ValueError:
        raise Unhandleable("NO_NUMBER") from None


def build(runtime: Runtime) -> Service:
    """One handler for the topic, one for the timer."""
    ledger = Ledger()
    return Service("ledger", (Handler("ledger.in.v1", ledger, read), Handler("timer:interest", ledger, read)))


if __name__ == "__main__":
    main(Path(__file__).parent, build)
