"""Python's cycle collector, told when to look: between two turns, when what a turn held is gone.

Left to itself it looks whenever so many objects were made. That is in the middle of a turn, and it walks through all
messages, rows and events that the turn holds, to find that none of them is garbage: 5 us of 50 a record in identity
and in disclosure each. Between turns there is next to nothing to walk through.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

EVERY_S = 5.0
# New objects that live at once before it looks all the same: a turn holds a few hundred thousand.
AT_ONCE = 1_000_000


def sweeper(clock: Callable[[], float] = time.monotonic) -> Callable[[], None]:
    """What to call between turns; what lives now is for ever and is never looked at again."""
    gc.freeze()
    gc.set_threshold(AT_ONCE)
    last = clock()

    def sweep() -> None:
        nonlocal last
        if clock() - last >= EVERY_S:
            gc.collect()
            last = clock()

    return sweep
