"""Which positions of an origin were heard, and what was said at each; imports nothing of the product."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from dataclasses import dataclass, field

Place = tuple[str, int]


@dataclass
class Positions:
    """The positions of one origin in one partition, rising, each with the digest of what was said there."""

    numbers: array[int] = field(default_factory=lambda: array("Q"))
    digests: array[int] = field(default_factory=lambda: array("Q"))

    def hear(self, position: int, digest: int) -> str | None:
        """None: new. "": a repeat of what was said. Else what is wrong."""
        if not self.numbers or position > self.numbers[-1]:
            self.numbers.append(position)
            self.digests.append(digest)
            return None
        at = bisect_left(self.numbers, position)
        if self.numbers[at] != position:
            return "a position comes after a higher one, every consumer drops it"
        return "" if self.digests[at] == digest else "a position was used again for something else"


Origins = dict[str, dict[Place, Positions]]
