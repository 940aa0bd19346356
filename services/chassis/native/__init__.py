"""The native codec: built by `make native` where a compiler is, and absent without harm where none is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any, Protocol

SWITCH = "CREDIT_NATIVE"  # 0 forces the Python path
VERSION = 1  # of the interface: an extension built from other sources is not used


class Wire(Protocol):
    """The extension, as `_wire.pyi` has it."""

    Fields: Callable[[Sequence[str], type[Exception]], Any]

    def pack(
        self,
        placed: Iterable[tuple[tuple[str, int], Any]],
        first_position: int,
        origin: bytes,
        front_of: Callable[[Any], bytes],
        limit: int,
        /,
    ) -> list[tuple[tuple[str, int], int, bytes]]: ...


def load(environment: Mapping[str, str]) -> Wire | None:
    """The extension, unless it is switched off, not built, or stale."""
    if environment.get(SWITCH, "1") == "0":
        return None
    try:
        wire: Any = import_module("services.chassis.native._wire")
    except ImportError:
        return None
    return wire if wire.VERSION == VERSION else None
