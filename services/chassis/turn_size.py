"""How many messages a turn takes: as many as its time limits let through."""

from __future__ import annotations

BATCH_LIMIT = 2000
TURN_S = 5.0  # longer than this no turn shall take: a rebalance waits for it, and a statement has its time limit
CALM_S = 20.0  # of work without a slow turn, before a turn may take twice as many again


class TurnSize:
    """Shrinks where the store is slow, and grows back; a broker or a lane that is lost says nothing of it.

    Messages of other topics may cost little, and a turn of these says nothing of the dear ones: what was too much is
    not tried again before a while of work without a slow turn, and then twice as much at most.
    """

    def __init__(self) -> None:
        self.limit = self._ceiling = BATCH_LIMIT
        self._calm_s = 0.0

    def took(self, messages: int, seconds: float) -> None:
        """A turn is over."""
        wanted = fitting(self.limit, messages, seconds)
        if seconds > TURN_S:
            self._ceiling, self._calm_s = wanted, 0.0
        else:
            self._calm(seconds)
        self.limit = min(wanted, self._ceiling)

    def failed(self) -> None:
        """It was too much for a time limit of the database."""
        self.limit = self._ceiling = max(1, self.limit // 8)
        self._calm_s = 0.0

    def _calm(self, seconds: float) -> None:
        self._calm_s += seconds
        if self._calm_s >= CALM_S:
            self._ceiling, self._calm_s = min(self._ceiling * 2, BATCH_LIMIT), 0.0


def fitting(limit: int, taken: int, seconds: float) -> int:
    """How many messages the next turn may take, after one with this limit took so many in so many seconds.

    A store that is slow gets fewer at a time: a batch that no time limit lets through would be tried for ever.
    """
    if seconds > TURN_S:
        return max(1, int(taken * TURN_S / seconds))
    return min(limit * 2, BATCH_LIMIT) if taken >= limit and seconds < TURN_S / 2 else limit
