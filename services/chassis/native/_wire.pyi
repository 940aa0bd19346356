from collections.abc import Callable, Iterable, Sequence
from typing import Any

VERSION: int

class Fields:
    def __new__(cls, kinds: Sequence[str], error: type[Exception], /) -> Fields: ...
    def read(self, data: bytes, at: int, /) -> tuple[Any, ...]: ...
    def write(self, *values: Any) -> bytes: ...

def pack(
    placed: Iterable[tuple[tuple[str, int], Any]],
    first_position: int,
    origin: bytes,
    front_of: Callable[[Any], bytes],
    limit: int,
    /,
) -> list[tuple[tuple[str, int], int, bytes]]: ...
