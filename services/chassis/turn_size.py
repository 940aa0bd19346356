"""How many messages a turn takes: as many as its time limits let through."""

from __future__ import annotations

BATCH_LIMIT = 2000
TURN_S = 5.0  # longer than this no turn shall take: a rebalance waits for it, and a statement has its time limit


class TurnSize:
    """Shrinks where the store is slow, and grows back; a broker or a lane that is lost says nothing of it."""

    def __init__(self) -> None:
        self.limit = BATCH_LIMIT

    def took(self, messages: int, seconds: float) -> None:
        """A turn is over."""
        self.limit = fitting(self.limit, messages, seconds)

    def failed(self) -> None:
        """It was too much for a time limit of the database."""
        self.limit = max(1, self.limit // 4)


def fitting(limit: int, taken: int, seconds: float) -> int:
    """How many messages the next turn may take, after one with this limit took so many in so many seconds.

    A store that is slow gets fewer at a time: a batch that no time limit lets through would be tried for ever.
    """
    if seconds > TURN_S:
        return max(1, int(taken * TURN_S / seconds))
    return min(limit * 2, BATCH_LIMIT) if taken >= limit and seconds < TURN_S / 2 else limit
