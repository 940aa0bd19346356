"""The proxy misbehaves as ordered: what it cannot do, no fault of the network would show."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import NamedTuple

import pytest

from tests.chaos.proxy import Forward, Link, Mode

WORD = b"0123456789"


class Line(NamedTuple):
    """A connection through the proxy to a server that says what it hears."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def say(self) -> None:
        self.writer.write(WORD)
        await self.writer.drain()

    async def hear(self) -> bytes:
        return await self.reader.readexactly(len(WORD))

    async def silent(self) -> bool:
        """Nothing has come although another line had the time to say and hear."""
        return not self.reader._buffer and not self.reader.at_eof()  # pyright: ignore[reportAttributeAccessIssue]


LINES: list[Line] = []  # open in this test


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(100):
            writer.write(data)
    finally:
        writer.close()


@asynccontextmanager
async def forwarded() -> AsyncGenerator[Forward]:
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    forward = Forward(Link("it", ("127.0.0.1", 0), server.sockets[0].getsockname()[:2]))
    await forward.listen()
    yield forward
    forward.close()
    server.close()
    while LINES:
        LINES.pop().writer.close()


async def line(forward: Forward) -> Line:
    LINES.append(Line(*await asyncio.open_connection(*forward.address)))
    return LINES[-1]


async def test_what_is_forgotten_stays_open_and_silent_and_new_connections_work() -> None:
    async with forwarded() as forward:
        old = await line(forward)
        await old.say()
        assert await old.hear() == WORD
        forward.order(Mode(), forget=True)
        await old.say()
        new = await line(forward)
        await new.say()
        assert await new.hear() == WORD
        assert await old.silent()
        forward.order(Mode())  # healing does not bring it back
        await new.say()
        assert await new.hear() == WORD
        assert await old.silent()


async def test_what_was_held_passes_after_healing() -> None:
    async with forwarded() as forward:
        held = await line(forward)
        forward.order(Mode(up=False))
        await held.say()
        await asyncio.sleep(0)
        assert await held.silent()
        forward.order(Mode())
        assert await held.hear() == WORD


async def test_a_connection_is_torn_inside_a_frame() -> None:
    async with forwarded() as forward:
        forward.order(Mode(reset_after=15))
        torn = await line(forward)
        await torn.say()
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await torn.hear()
            await torn.hear()


async def test_a_trickle_is_byte_by_byte_and_healed_at_once() -> None:
    async with forwarded() as forward:
        forward.order(Mode(rate=10))
        slow = await line(forward)
        await slow.say()
        assert await slow.reader.read(1000) == WORD[:1]
        forward.order(Mode())
        assert await slow.reader.readexactly(9) == WORD[1:]


async def test_refused() -> None:
    async with forwarded() as forward:
        forward.order(Mode(refuse=True))
        refused = await line(forward)
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await refused.hear()
