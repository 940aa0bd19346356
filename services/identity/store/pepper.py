"""The mark of the pepper that made the ids of this store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from hashlib import blake2b

from services.chassis.handling import Transaction

MARK = "SELECT mark FROM pepper"
SET_MARK = "INSERT INTO pepper (mark) VALUES ($1)"


class PepperChanged(Exception):
    """The pepper at hand is not the one of this store: nothing may be linked by it."""

    def __init__(self) -> None:
        super().__init__(
            "identity.pepper is not the key that made this store's ids: put the right one back from its copy"
        )


def guard(pepper: bytes) -> Callable[[Transaction], Awaitable[None]]:
    """Called at the beginning of each transaction of a process; raises `PepperChanged` before anything is linked."""
    mine = blake2b(b"identity.pepper", digest_size=16, key=pepper).digest()
    same = False

    async def check(tx: Transaction) -> None:
        nonlocal same
        if same:
            return
        found = await tx.fetchval(MARK)
        if found is None:
            await tx.execute(SET_MARK, mine)  # not `same` yet: this transaction may be rolled back
        elif found != mine:
            raise PepperChanged
        else:
            same = True

    return check
