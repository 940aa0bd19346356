"""Where everything of one stack lies and listens; two stacks differ in `CREDIT_VAR` and `CREDIT_PORT_BASE` alone."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.local.faults import StackFault

REPO = Path(__file__).parents[2]
SERVICES = ("ingestion", "identity", "disclosure", "sanctions", "national_sync")
INFRASTRUCTURE = ("postgres", "kafka", "registry")
OFFSETS = {
    "postgres": 32,
    "national": 43,
    "registry": 81,
    "registry-probe": 82,
    "prometheus": 90,
    "kafka": 92,
    "controller": 93,
    **{f"{service}.http": 101 + n for n, service in enumerate(SERVICES)},
    **{f"{service}.grpc": 201 + n for n, service in enumerate(SERVICES)},
}
WORKER_STEP = 10  # the second worker of a service listens ten ports further
SOCKET_PATH_LIMIT = 90  # the system allows 107 bytes; supervisor appends its pid while it starts
PLAIN = re.compile(r"[A-Za-z0-9._+@/-]+")
HIGHEST_BASE = 65_535 - 300


@dataclass(frozen=True, slots=True)
class Layout:
    """Folders, ports and addresses of one stack."""

    var: Path
    port_base: int
    cache: Path

    @staticmethod
    def from_environment(environment: Mapping[str, str] | None = None) -> Layout:
        """Read `CREDIT_VAR`, `CREDIT_PORT_BASE`, `CREDIT_CACHE`; raises `StackFault`."""
        env = os.environ if environment is None else environment
        base = env.get("CREDIT_PORT_BASE", "19000")
        if not base.isdecimal() or not 1024 <= int(base) <= HIGHEST_BASE:
            raise StackFault(f"CREDIT_PORT_BASE={base}: must be a number from 1024 to {HIGHEST_BASE}")
        var = _folder(env.get("CREDIT_VAR") or str(REPO / "var"), "CREDIT_VAR")
        cache = _folder(env.get("CREDIT_CACHE") or str(REPO / ".cache"), "CREDIT_CACHE")
        return Layout(var, int(base), cache)

    def port(self, name: str, worker: int = 0) -> int:
        """The port of a part, or of `<service>.http` and `<service>.grpc`."""
        return self.port_base + OFFSETS[name] + worker * WORKER_STEP

    def address(self, name: str, worker: int = 0) -> str:
        """`host:port`."""
        return f"127.0.0.1:{self.port(name, worker)}"

    @property
    def registry_url(self) -> str:
        """The Confluent-compatible API."""
        return f"http://{self.address('registry')}/apis/ccompat/v7"

    @property
    def secrets(self) -> Path:
        """Files of mode 0600, one per principal or key."""
        return self.var / "secrets"

    @property
    def logs(self) -> Path:
        """One file per program."""
        return self.var / "log"

    @property
    def socket(self) -> Path:
        """The supervisor's door; outside `var` when that path is too long for a Unix socket."""
        inside = self.var / "supervisor.sock"
        if len(os.fsencode(inside)) <= SOCKET_PATH_LIMIT:
            return inside
        mark = hashlib.sha256(os.fsencode(self.var)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"creditbus-{os.getuid()}-{mark}" / "supervisor.sock"

    def database(self, role: str) -> str:
        """The address of a role's own database, without its password."""
        return f"postgresql://{role}@{self.address('postgres')}/{role}"


def _folder(text: str, variable: str) -> Path:
    """The path goes into the configurations of four programs, each with its own way of quoting."""
    folder = Path(text).absolute()
    if not PLAIN.fullmatch(str(folder)):
        raise StackFault(f"{folder}: only letters, digits and . _ - + @ may be in this path; set {variable} to another")
    return folder


def principal(service: str) -> str:
    """The Kafka principal of a service."""
    return "svc-" + service.replace("_", "-")
