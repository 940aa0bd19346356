"""A TCP proxy that misbehaves on order: `python -m tests.chaos.proxy NAME=listen_host:port=target_host:port …`.

Orders come as JSON lines on standard input: {"name": "kafka" or "*", "mode": {…fields of Mode…}}. It says `ready` once
it listens, and ends with its standard input.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import NamedTuple

CHUNK = 65_536
LINGER_NONE = struct.pack("ii", 1, 0)  # closing sends RST


@dataclass(frozen=True)
class Mode:
    """How bytes pass. `up`, `down`: whether they do, towards the target and back; what is held passes after healing."""

    delay: float = 0.0  # seconds, each way, in order
    rate: int = 0  # bytes a second; 0: unlimited
    reset_after: int = 0  # bytes of a connection until it is reset, wherever in a frame that is; 0: never
    up: bool = True
    down: bool = True
    refuse: bool = False  # new connections are reset


class Link(NamedTuple):
    """What is forwarded where."""

    name: str
    listen: tuple[str, int]
    target: tuple[str, int]


@dataclass(eq=False)
class Forward:
    """One listening port, its mode and its connections."""

    link: Link
    mode: Mode = Mode()
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    open: set[asyncio.StreamWriter] = field(default_factory=set[asyncio.StreamWriter])
    dead: set[asyncio.StreamWriter] = field(default_factory=set[asyncio.StreamWriter])

    async def listen(self) -> None:
        """Accept from now on."""
        self._server = await asyncio.start_server(self._accept, *self.link.listen)

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens; with port 0 the system has chosen one."""
        host, port = self._server.sockets[0].getsockname()[:2]
        return host, port

    def close(self) -> None:
        """Accept no more."""
        self._server.close()

    def order(self, mode: Mode, forget: bool = False) -> None:
        """Another mode for everything; `forget`: what is open now stays open and silent for ever (half-open)."""
        self.mode = mode
        if forget:
            self.dead |= self.open
        self.changed.set()
        self.changed = asyncio.Event()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.mode.refuse:
            return _reset(writer)
        try:
            there = await asyncio.open_connection(*self.link.target)
        except OSError:
            return _reset(writer)
        pair = (writer, there[1])
        self.open |= set(pair)
        budget = [self.mode.reset_after]
        ways = [self._pump(reader, there[1], "up", budget), self._pump(there[0], writer, "down", budget)]
        tasks = [asyncio.create_task(way) for way in ways]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            for one in pair:
                _reset(one) if budget[0] < 0 else one.close()
                self.open.discard(one)
                self.dead.discard(one)
        return None

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: str, budget: list[int]
    ) -> None:
        try:
            while data := await reader.read(CHUNK):
                await self._held(writer, way)
                mode = self.mode
                if mode.delay:
                    await asyncio.sleep(mode.delay)
                if mode.reset_after:
                    budget[0] = (budget[0] or mode.reset_after) - len(data)
                    if budget[0] < 0:
                        writer.write(data[: len(data) // 2])  # the frame is torn
                        return
                await self._write(writer, data, way)
        except OSError:
            return

    async def _write(self, writer: asyncio.StreamWriter, data: bytes, way: str) -> None:
        at = 0
        while at < len(data):
            await self._held(writer, way)
            piece = data[at : at + max(1, self.mode.rate // 10)] if self.mode.rate else data[at:]
            writer.write(piece)
            await writer.drain()
            at += len(piece)
            if self.mode.rate:
                await asyncio.sleep(max(0.1, len(piece) / self.mode.rate))

    async def _held(self, writer: asyncio.StreamWriter, way: str) -> None:
        """Until this direction is open; a connection that was forgotten waits for ever."""
        while writer in self.dead or not getattr(self.mode, way):
            await self.changed.wait()


def _reset(writer: asyncio.StreamWriter) -> None:
    plain = writer.get_extra_info("socket")
    if plain is not None:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NONE)
    writer.transport.abort()


class Proxy:
    """A proxy process, from the side that orders."""

    def __init__(self, links: Sequence[Link], prefix: Sequence[str] = ()) -> None:
        words = [f"{name}={_text(listen)}={_text(target)}" for name, listen, target in links]
        command = [*prefix, sys.executable, "-m", "tests.chaos.proxy", *words]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "ready\n":
            raise RuntimeError(f"the proxy does not start: {' '.join(words)}")

    def order(self, name: str = "*", mode: Mode | None = None, forget: bool = False) -> None:
        """Another mode for one link or all; without one: as it should be."""
        assert self._process.stdin is not None
        order = {"name": name, "mode": asdict(mode or Mode()), "forget": forget}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def close(self) -> None:
        """End it, and with it every connection."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)


def _text(address: tuple[str, int]) -> str:
    return f"{address[0]}:{address[1]}"


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)


async def _serve(links: Sequence[Link]) -> None:
    forwards = {link.name: Forward(link) for link in links}
    for forward in forwards.values():
        await forward.listen()
    print("ready", flush=True)
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    while line := await orders.readline():
        order: Mapping[str, object] = json.loads(line)
        for name, forward in forwards.items():
            if order["name"] in ("*", name):
                forward.order(Mode(**order["mode"]), bool(order["forget"]))  # type: ignore[arg-type]
    os._exit(0)  # at once, and with it every connection; in good order each of them would be told of


def main() -> None:
    """Forward until standard input ends; the process ends with it."""
    words = (word.split("=") for word in sys.argv[1:])
    asyncio.run(_serve([Link(name, _address(listen), _address(target)) for name, listen, target in words]))


if __name__ == "__main__":
    main()
