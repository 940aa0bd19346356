"""Confluent wire format (0x00, 4-byte big-endian schema id, Avro body) and a reader for the first fields of a body."""

from __future__ import annotations

import struct
from functools import lru_cache

from services.chassis.errors import Unhandleable

HEAD = struct.Struct(">bI")


def frame(schema_id: int, body: bytes) -> bytes:
    """Put the header before a body."""
    return HEAD.pack(0, schema_id) + body


def schema_id_of(value: bytes | None) -> int | None:
    """The schema id of a framed value, or None for bytes that are not framed."""
    if value is None or len(value) < 5 or value[0] != 0:
        return None
    return int.from_bytes(value[1:5], "big")


def unframe(value: bytes | None) -> tuple[int, bytes]:
    """(schema id, body); raises `Unhandleable` for anything that is not framed."""
    schema_id = schema_id_of(value)
    if value is None or schema_id is None:
        raise Unhandleable("WIRE_FORMAT", "no 0x00 and 4-byte schema id at the front")
    return schema_id, value[5:]


class Prefix:
    """Reads the leading fields of an Avro body one after the other, without a schema and without what follows.

    `at` is the position of the next field; every read raises `Unhandleable` at a truncated body.
    """

    __slots__ = ("at", "data")

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data = data
        self.at = at

    def fixed(self, size: int) -> bytes:
        """An Avro `fixed`."""
        end = self.at + size
        if end > len(self.data):
            raise Unhandleable("TRUNCATED")
        found, self.at = self.data[self.at : end], end
        return found

    def long(self) -> int:
        """An Avro `int` or `long` (zigzag varint)."""
        result = shift = 0
        while True:
            if self.at >= len(self.data) or shift > 63:
                raise Unhandleable("TRUNCATED")
            byte = self.data[self.at]
            self.at += 1
            result |= (byte & 0x7F) << shift
            if byte < 0x80:
                return (result >> 1) ^ -(result & 1)
            shift += 7

    def bytes(self) -> bytes:
        """An Avro `bytes`."""
        size = self.long()
        if size < 0:
            raise Unhandleable("TRUNCATED")
        return self.fixed(size)

    def string(self) -> str:
        """An Avro `string`."""
        try:
            return self.bytes().decode()
        except UnicodeDecodeError as error:
            raise Unhandleable("NOT_UTF8") from error

    def optional_long(self) -> int | None:
        """An Avro union of null and a number, null first."""
        return None if self.long() == 0 else self.long()


@lru_cache(1 << 12)  # what is not small is mostly one of the few times that a batch names again and again
def _varint(number: int) -> bytes:
    value = (number << 1) ^ (number >> 63)
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


SMALL = tuple(_varint(number) for number in range(1 << 13))  # lengths, counts and versions are nearly always small


def zigzag(number: int) -> bytes:
    """A number as Avro, and Kafka's record format, write it."""
    return SMALL[number] if 0 <= number < len(SMALL) else _varint(number)


def avro_bytes(data: bytes) -> bytes:
    """Bytes as Avro writes them; a string is its UTF-8 bytes."""
    return zigzag(len(data)) + data
