"""`python -m tests.support.ledger run|migrate|replay`: reads `<service>.in.v1`, writes `<service>.out.v1`.

With LEDGER_MENDED in its environment it is the edition without the bug.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from services.chassis.entry import main
from services.chassis.errors import Unhandleable
from services.chassis.handling import Handler, Service, Transaction
from services.chassis.message import Message, Moment, Outgoing, Timer
from services.chassis.runtime import Runtime

BODIES = {-2: b"100", -3: b"no number", -4: b"-1"}


class Entry(NamedTuple):
    """A number to add to the account of a key; -1 is a bug of this service.

    Some set a timer of one second: -2 for 100, -3 for what is no number, -4 for the bug.
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

    def __init__(self, out: str) -> None:
        self._out = out
        self._broken = "LEDGER_MENDED" not in os.environ

    def key(self, given: Entry) -> bytes:
        return given.key

    async def load(self, tx: Transaction, given: Sequence[Entry]) -> dict[bytes, Account]:
        keys = sorted({g.key for g in given})
        rows = await tx.fetch("SELECT key, entries, total FROM ledger WHERE key = ANY($1)", keys)
        return {row["key"]: Account(row["entries"], row["total"]) for row in rows}

    def initial(self, key: bytes) -> Account:
        return Account(0, 0)

    def decide(self, state: Account, given: Entry) -> Sequence[Account]:
        if given.amount == -1 and self._broken:
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
        yield Outgoing(self._out, given.key, b"%d %d" % event)

    def timers(self, event: Account, given: Entry) -> Iterable[Timer]:
        if (body := BODIES.get(given.amount)) is not None:
            yield Timer(given.now_ms + 1000, given.key, "interest", body)


def read(message: Message, moment: Moment) -> Entry:
    """The number in the message; anything else is parked."""
    try:
        return Entry(message.key, int(message.value or b""), moment.now_ms)
    except ValueError:
        raise Unhandleable("NO_NUMBER") from None


def build(runtime: Runtime) -> Service:
    """One handler for the topic, one for the timer."""
    name = runtime.settings.service
    ledger = Ledger(f"{name}.out.v1")
    return Service(name, (Handler(f"{name}.in.v1", ledger, read), Handler("timer:interest", ledger, read)))


if __name__ == "__main__":
    main(Path(__file__).parent, build)
