"""Shown fields as the Avro map that both feeds and the store carry; decoded only where somebody looks inside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from services.chassis.wire import Prefix, avro_bytes, zigzag


class EncodedFields(Mapping[str, str]):
    """Field code -> text, kept as `encoded` until it is read."""

    __slots__ = ("_decoded", "encoded")

    def __init__(self, encoded: bytes) -> None:
        self.encoded = encoded
        self._decoded: dict[str, str] | None = None

    def _read(self) -> dict[str, str]:
        if self._decoded is None:
            self._decoded = decode(self.encoded)
        return self._decoded

    def __getitem__(self, code: str) -> str:
        return self._read()[code]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def __repr__(self) -> str:
        return f"EncodedFields({self._read()!r})"


def encoded(fields: Mapping[str, str]) -> bytes:
    """The Avro map of any fields."""
    if isinstance(fields, EncodedFields):
        return fields.encoded
    pairs = (avro_bytes(text.encode()) for pair in fields.items() for text in pair)
    return (zigzag(len(fields)) + b"".join(pairs) if fields else b"") + b"\0"


def decode(data: bytes) -> dict[str, str]:
    """The way back, for what `encoded` or `shower` wrote; raises `Unhandleable` for anything truncated."""
    prefix = Prefix(data)
    count = prefix.long()
    return {prefix.string(): prefix.string() for _ in range(count)}
