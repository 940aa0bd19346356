from collections.abc import Sequence
from typing import Any

TABLE_VERSION: int

def read_many(context: tuple[Any, ...], messages: Sequence[Any], now: int, /) -> list[Any]: ...
