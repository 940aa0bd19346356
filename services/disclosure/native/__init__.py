"""The native cutter: built by `make native` where a compiler is, and absent without harm where none is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Protocol

SWITCH = "CREDIT_NATIVE"  # 0 forces the Python path


class Native(Protocol):
    """The extension, as `_cutter.pyi` has it."""

    TABLE_VERSION: int

    def read_many(self, context: tuple[Any, ...], messages: Sequence[Any], now: int, /) -> list[Any]: ...


def load(environment: Mapping[str, str], table_version: int) -> tuple[Native | None, str]:
    """The extension, and why it is not there: SWITCHED_OFF, NOT_BUILT, or STALE if it was built from other sources."""
    if environment.get(SWITCH, "1") == "0":
        return None, "SWITCHED_OFF"
    try:
        native: Any = import_module("services.disclosure.native._cutter")
    except ImportError:
        return None, "NOT_BUILT"
    return (native, "") if table_version == native.TABLE_VERSION else (None, "STALE")
