"""How many messages a turn takes: as many as its time limits let through."""

from __future__ import annotations

BATCH_LIMIT = 2000
TURN_S = 5.0  # longer than this no turn shall take: a rebalance waits for it, and a statement has its time limit
CALM_S = 1.0  # of work without a slow turn, before a turn may take twice as many again; after growth in vain longer
LONG_CALM_S = 60.0


class TurnSize:
    """Shrinks where the store is slow, and grows back; a broker or a lane that is lost says nothing of it.

    Messages of other topics may cost little, and a turn of these says nothing of the dear ones: what was too much is
    not tried again before a while of work without a slow turn, and then twice as much at most. That while is short,
    since a store may have been slow for a reason of its own, and twice as long whenever growing was in vain.
    """

    def __init__(self) -> None:
        self.limit = self._ceiling = BATCH_LIMIT
        self._calm_s, self._needed_s, self._grown = 0.0, CALM_S, False

    def took(self, messages: int, stored_s: float, seconds: float) -> None:
        """A turn is over: `stored_s` of its `seconds` went by until its transaction was committed."""
        wanted = fitting(self.limit, messages, seconds)
        if stored_s > TURN_S:
            # Few messages that take long may not be what took long: more than an eighth at once needs a time limit.
            self._shrink(max(fitting(self.limit, messages, stored_s), self.limit // 8))
        else:
            self._calm(seconds)
        self.limit = min(wanted, self._ceiling)

    def failed(self) -> None:
        """It was too much for a time limit of the database."""
        self._shrink(max(1, self.limit // 8))
        self.limit = self._ceiling

    def _shrink(self, ceiling: int) -> None:
        if self._grown:
            self._needed_s = min(self._needed_s * 2, LONG_CALM_S)
        self._ceiling, self._calm_s, self._grown = ceiling, 0.0, False

    def _calm(self, seconds: float) -> None:
        self._calm_s += seconds
        if self._ceiling < BATCH_LIMIT and self._calm_s >= self._needed_s:
            self._ceiling, self._calm_s, self._grown = min(self._ceiling * 2, BATCH_LIMIT), 0.0, True
        elif self._calm_s >= LONG_CALM_S:
            self._needed_s, self._calm_s, self._grown = max(self._needed_s / 2, CALM_S), 0.0, False


def fitting(limit: int, taken: int, seconds: float) -> int:
    """How many messages the next turn may take, after one with this limit took so many in so many seconds.

    A store that is slow gets fewer at a time: a batch that no time limit lets through would be tried for ever.
    """
    if seconds > TURN_S:
        return max(1, int(taken * TURN_S / seconds))
    return min(limit * 2, BATCH_LIMIT) if taken >= limit and seconds < TURN_S / 2 else limit
