"""Where things listen inside the compose network, in the form the local stack's code expects."""

from __future__ import annotations

import os
from pathlib import Path

from deploy.local.layout import REPO, Layout

INSIDE = {
    "kafka": "kafka:9092",
    "controller": "kafka:9093",
    "postgres": "postgres:5432",
    "registry": "registry:8080",
}
PORTS = {"registry": 8080, "registry-probe": 9000}


class ComposeLayout(Layout):
    """Names instead of loopback ports; everything secret in one folder that compose hands out file by file."""

    __slots__ = ()

    def address(self, name: str, worker: int = 0) -> str:
        """`host:port` as the other containers see it."""
        return INSIDE[name]

    def port(self, name: str, worker: int = 0) -> int:
        """Only the registry's configuration asks for bare ports."""
        return PORTS[name]


def layout() -> ComposeLayout:
    """`var/compose` of the clone, or the folder that is mounted into the setup container."""
    folder = Path(os.environ.get("CREDIT_COMPOSE_FOLDER") or REPO / "var" / "compose")
    return ComposeLayout(folder.absolute(), 0, REPO / ".cache")
