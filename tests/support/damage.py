"""Bytes that are not quite what they were."""

from __future__ import annotations

import random


def damaged(value: bytes, chance: random.Random) -> bytes:
    """A bit turned, bytes cut out or put in, the end gone, a part said twice, a length made wrong."""
    data, at = bytearray(value), chance.randrange(len(value) or 1)
    match chance.randrange(6):
        case 0 if data:
            data[at] ^= 1 << chance.randrange(8)
        case 1:
            del data[at:]
        case 2:
            data[at:at] = chance.randbytes(chance.randint(1, 4))
        case 3:
            del data[at : at + chance.randint(1, 8)]
        case 4:
            data[at:at] = data[at : at + chance.randint(1, 20)]
        case _:
            data[at : at + 1] = [chance.choice((0, 1, 2, 0x7F, 0x80, 0xBF, 0xED, 0xF4, 0xFE, 0xFF))]
    return bytes(data)
