"""What was received, told by its form alone, so that the sender sees what was read and no identifier leaks.

The value may be a person's number, and a receipt lies on a topic for months. Therefore the law of this module: values
whose characters are of the same kinds, place by place, are described by the same text. Beside the form it tells places
(counted from 1), lengths (in characters) and on which side of a bound a number lies. The notation is for programs too:
`length=18 shape=9{8}AA9A99A9A at=18`; `credit errors page` explains it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from itertools import groupby

ABSENT = "absent"
LIMIT = 60  # characters of a shape; what is longer ends in …
REPEATED = 5  # so many of a kind in a row are counted
# Signs that structure a text and identify nobody; they stand for themselves.
SIGNS = frozenset("-_/.,:;()[]%+*，。；：、（）〔〕【】《》")
SPANS = ((7, "week"), (366, "year"))  # days; no finer, or the date could be counted back


def text(value: str | None, at: int | None = None) -> str:
    """A text: its length, its shape, and the place that is wrong, if one is."""
    if value is None:
        return ABSENT
    return f"length={len(value)}" + (f" shape={shape(value)}" if value else "") + (f" at={at}" if at else "")


def shape(value: str) -> str:
    """9 digit, A and a letter, 字 Chinese character, ９ and Ａ full width, ␣ blank, ␀ control, ? anything else."""
    runs = [(kind, len(list(run))) for kind, run in groupby(map(kind_of, value))]
    said = "".join(f"{kind}{{{count}}}" if count >= REPEATED else kind * count for kind, count in runs)
    return said if len(said) <= LIMIT else said[: LIMIT - 1] + "…"


def kind_of(sign: str) -> str:
    """The kind of one character, as one character."""
    if sign in SIGNS:
        return sign
    for kind, pattern in KINDS:
        if pattern.match(sign):
            return kind
    return "␀" if unicodedata.category(sign).startswith("C") else "?"


KINDS = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in {
        "9": "[0-9]",
        "A": "[A-Z]",
        "a": "[a-z]",
        "字": "[\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]",
        "９": "[０-９]",
        "Ａ": "[Ａ-Ｚａ-ｚ]",
        "␣": "[ \u00a0\u3000]",
    }.items()
)


def compared(value: str, other: str) -> str:
    """A text that should be another one: where the two part, and how long the other is."""
    return f"{text(value, parting(value, other))} other_length={len(other)}"


def parting(value: str, other: str) -> int:
    """The first place at which two texts differ."""
    same = (n for n, (mine, yours) in enumerate(zip(value, other, strict=False), 1) if mine != yours)
    return next(same, min(len(value), len(other)) + 1)


def nearest(value: str, allowed: Iterable[str]) -> str:
    """A text that is in no list: where it parts from the entry that it resembles most."""
    places = [parting(value, entry.removesuffix("*")) for entry in allowed]
    return text(value, max(places, default=1))


def number(value: int, low: int) -> str:
    """A number outside its bounds: how many digits, and on which side."""
    sign = "-" if value < 0 else ""
    return f"digits={sign}{len(str(abs(value)))} side={'below' if value < low else 'above'}"


def day(value: int, bound: int) -> str:
    """A date on the wrong side of a bound, both in days since 1970: which side, and how far in coarse spans."""
    span = next((name for days, name in SPANS if abs(value - bound) <= days), "more")
    return f"side={'before' if value < bound else 'after'} by={span}"


def framed(value: bytes | None, known: bool) -> str:
    """Bytes that should be a framed Avro value: how many, and whether they begin as one does."""
    if value is None:
        return ABSENT
    if len(value) < 5 or value[0] != 0:
        return f"bytes={len(value)} frame=missing"
    schema_id = int.from_bytes(value[1:5], "big")
    # An id is shown where it can be one: four bytes of a text without a frame would be part of what was sent.
    return f"bytes={len(value)} frame=right" + (f" schema_id={schema_id}" if known or schema_id < 1 << 20 else "")
