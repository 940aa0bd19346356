"""Readers and writers of flat Avro fields, written out as straight-line code: one call, no schema, no loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from services.chassis.errors import Unhandleable
from services.chassis.wire import avro_bytes, zigzag

PrefixReader = Callable[[bytes, int], tuple[Any, ...]]
PrefixWriter = Callable[..., bytes]

_LONG = """
    v{i} = data[at]
    if v{i} < 128:
        v{i} = (v{i} >> 1) ^ -(v{i} & 1); at += 1
    else:
        v{i}, at = read_long(data, at)"""

_BYTES = """
    n = data[at]
    if n < 128 and not n & 1:
        at += 1; end = at + (n >> 1)
    else:
        n, at = read_length(data, at); end = at + n
    v{i} = data[at:end]{decode}; at = end"""

_FIXED = """
    v{i} = data[at:at + {size}]; at += {size}"""

_OPTIONAL = """
    there, at = read_optional(data, at)
    v{i} = None
    if there:{inner}"""

_WHOLE = """
def read(data, at):
    try:{body}
    except IndexError:
        raise Unhandleable("TRUNCATED") from None
    except UnicodeDecodeError:
        raise Unhandleable("NOT_UTF8") from None
    if at > len(data):
        raise Unhandleable("TRUNCATED")
    return ({values}, at)
"""


def prefix_reader(kinds: Sequence[str]) -> PrefixReader:
    """A function (data, at) -> (one value per kind ..., where the rest begins); it raises Unhandleable.

    Kinds: `string`, `bytes`, `long` (also int, date, timestamp), `fixed16` (any size), `long?`, `string?` (null first).
    """
    body = "".join(_step(kind, i) for i, kind in enumerate(kinds)).replace("\n", "\n    ")
    source = _WHOLE.format(body=body, values=", ".join(f"v{i}" for i in range(len(kinds))))
    names: dict[str, Any] = {
        "Unhandleable": Unhandleable,
        "read_long": read_long,
        "read_length": read_length,
        "read_optional": read_optional,
    }
    exec(compile(source, "<prefix reader>", "exec"), names)  # noqa: S102 - built from the constants above alone
    reader: PrefixReader = names["read"]
    return reader


def _step(kind: str, i: int) -> str:
    if kind.endswith("?"):
        return _OPTIONAL.format(i=i, inner=_step(kind[:-1], i).replace("\n", "\n    "))
    if kind == "long":
        return _LONG.format(i=i)
    if kind in ("string", "bytes"):
        return _BYTES.format(i=i, decode=".decode()" if kind == "string" else "")
    if kind.startswith("fixed"):
        return _FIXED.format(i=i, size=int(kind.removeprefix("fixed")))
    raise ValueError(f"no such kind: {kind}")


_WRITES = {"long": "zigzag({v})", "string": "avro_bytes({v}.encode())", "bytes": "avro_bytes({v})"}


def prefix_writer(kinds: Sequence[str]) -> PrefixWriter:
    """A function (one value per kind ...) -> the fields as Avro writes them, for kinds as `prefix_reader` knows them.

    Whatever else there is, it is not checked: the test of each contract holds it against an encoder with the schema.
    """
    values = [f"v{i}" for i in range(len(kinds))]
    parts = ", ".join(map(_write, kinds, values))
    names: dict[str, Any] = {"avro_bytes": avro_bytes, "zigzag": zigzag}
    return eval(f"lambda {', '.join(values)}: b''.join(({parts},))", names)  # noqa: S307 - built from the constants above alone


def _write(kind: str, value: str) -> str:
    if kind.endswith("?"):
        return f"b'\\0' if {value} is None else b'\\2' + {_write(kind[:-1], value)}"
    return value if kind.startswith("fixed") else _WRITES[kind].format(v=value)


def read_long(data: bytes, at: int) -> tuple[int, int]:
    """(number, where what follows begins), of any length; raises IndexError at the end of the data."""
    byte = data[at]
    at += 1
    value, shift = byte & 0x7F, 7
    while byte > 0x7F:
        if shift > 63:
            raise Unhandleable("TRUNCATED")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
    return (value >> 1) ^ -(value & 1), at


def read_length(data: bytes, at: int) -> tuple[int, int]:
    """(length in bytes, where the text begins)."""
    length, at = read_long(data, at)
    if length < 0:
        raise Unhandleable("TRUNCATED")
    return length, at


def read_optional(data: bytes, at: int) -> tuple[bool, int]:
    """(whether a value follows, where it begins), of a union of null and something, null first."""
    branch, at = read_long(data, at)
    if branch not in (0, 1):
        raise Unhandleable("NO_SUCH_BRANCH")
    return branch == 1, at
