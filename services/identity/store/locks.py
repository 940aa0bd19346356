"""Who may be in the store at once.

Most batches only add links. They are in the store together: each holds the lock shared, once, whatever its size. One
that may change links that stand (a merge, a mapping's correction, a decision) holds it alone. It waits until those that
began before have committed, so it sees every link they made, and moves it; those that begin after see what it changed.
Without that a record could be linked to a subject at the moment in which its records are moved away, and be forgotten.

It is the first lock that a batch takes here, and it is taken in the strength that the batch needs: never raised.
"""

from __future__ import annotations

from services.chassis.handling import Transaction

TOGETHER = "SELECT pg_advisory_xact_lock_shared(20170904)"
ALONE = "SELECT pg_advisory_xact_lock(20170904)"


async def enter(tx: Transaction, alone: bool) -> None:
    """Waits until it may; what is read afterwards is what the others have committed."""
    await tx.execute(ALONE if alone else TOGETHER)
