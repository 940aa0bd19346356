"""A network namespace of its own for services: inside, every address of the stack is a proxy of ours.

The broker advertises 127.0.0.1, and inside that is the proxy: no client can go round it. A hard cut is a drop rule of
nftables on the only way out. Never `ip link set down`: the route vanishes and packets leave another way (seen).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from deploy.local.layout import SERVICES
from tests.chaos.fault import require
from tests.chaos.ground import Ground, until
from tests.chaos.proxy import Link, Proxy

PARTS = ("kafka", "postgres", "registry", "national")
HOOK = "{{ type filter hook {} priority 0; }}"
TABLE = f"table inet cut {{ chain out {HOOK.format('output')}; chain in {HOOK.format('input')}; }}"


@dataclass
class Room:
    """A namespace with services in it."""

    name: str
    ports: dict[str, int]
    proxy: Proxy  # the inner one: what the services talk to

    def cut(self, part: str, out: bool = True, back: bool = True) -> None:
        """Drop packets to (`out`) or from (`back`) a part of the stack."""
        port = self.ports[part]
        if out:
            self._nft(f"add rule inet cut out oifname != lo tcp dport {port} drop")
        if back:
            self._nft(f"add rule inet cut in iifname != lo tcp sport {port} drop")

    def heal(self) -> None:
        """Everything passes again."""
        self._nft("flush table inet cut")
        self.proxy.order()

    def _nft(self, rule: str) -> None:
        _do("ip", "netns", "exec", self.name, "nft", rule)


@contextmanager
def room(ground: Ground, services: Sequence[str] = SERVICES) -> Generator[Room]:
    """These services run in a room while this lasts; needs root, iproute2 and nftables."""
    require(os.geteuid() == 0 and shutil.which("nft") and shutil.which("ip"), "not run: needs root, iproute2, nftables")
    base = ground.layout.port_base
    name, host, inside = f"chaos{base}", f"10.213.{base % 250}.1", f"10.213.{base % 250}.2"
    ports = {part: ground.layout.port(part) for part in PARTS}
    _make(name, f"c{base}", host, inside)
    outer = inner = None
    try:
        outer = Proxy([Link(part, (host, port), ("127.0.0.1", port)) for part, port in ports.items()])
        entered = ["ip", "netns", "exec", name]
        inner = Proxy([Link(part, ("127.0.0.1", port), (host, port)) for part, port in ports.items()], entered)
        with _moved(ground, services, inside, entered):
            found = Room(name, ports, inner)
            try:
                yield found
            finally:
                found.heal()
    finally:
        for proxy in (inner, outer):
            if proxy is not None:
                proxy.close()
        _unmake(name, f"c{base}")


@contextmanager
def _moved(ground: Ground, services: Sequence[str], inside: str, entered: Sequence[str]) -> Generator[None]:
    for service in services:
        doors = {kind: f"{inside}:{ground.layout.port(f'{service}.{kind}')}" for kind in ("http", "grpc")}
        ground.http[service] = doors["http"]
        ground.order(service, {"CREDIT_HTTP": doors["http"], "CREDIT_GRPC": doors["grpc"]}, entered, None)
    try:
        ground.restart(*services)
        until(lambda: all(map(ground.ready, services)), "the services are ready in their room")
        yield
    finally:
        for service in services:
            ground.withdraw(service)
            ground.http.pop(service, None)
        ground.restart(*services)
        until(lambda: all(map(ground.ready, services)), "the services are back from their room", 90)


def _make(name: str, link: str, host: str, inside: str) -> None:
    _unmake(name, link)  # of a run that was killed
    _do("ip", "netns", "add", name)
    _do("ip", "link", "add", f"{link}h", "type", "veth", "peer", "name", f"{link}i", "netns", name)
    _do("ip", "addr", "add", f"{host}/30", "dev", f"{link}h")
    _do("ip", "link", "set", f"{link}h", "up")
    for words in (["addr", "add", f"{inside}/30", "dev", f"{link}i"], ["link", "set", f"{link}i", "up"],
                  ["link", "set", "lo", "up"]):  # fmt: skip
        _do("ip", "-n", name, *words)
    _do("ip", "netns", "exec", name, "nft", TABLE)


def _unmake(name: str, link: str) -> None:
    """The link first: the kernel ends those of a deleted namespace some time later, and the next room has the same."""
    for words in (["link", "del", f"{link}h"], ["netns", "del", name]):
        subprocess.run(["ip", *words], capture_output=True, check=False)


def _do(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip()}")
