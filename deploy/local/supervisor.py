"""supervisord, spoken to over its Unix socket: it starts what dies again, whatever it died of."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

from deploy.local.faults import StackFault
from deploy.local.layout import REPO, Layout
from deploy.local.supervisor_file import configuration

ENDED_S = 25.0  # PostgreSQL's shutdown checkpoint and ten seconds for every service fit


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=60)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(60)
        self.sock.connect(str(self._path))


class _Transport(xmlrpc.client.Transport):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        return _Connection(self._path)


class Supervisor:
    """The few calls we need; every one is a connection of its own."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def _call(self, method: str, *arguments: Any) -> Any:
        server = xmlrpc.client.ServerProxy("http://localhost", transport=_Transport(self._layout.socket))
        return getattr(server.supervisor, method)(*arguments)

    def running(self) -> bool:
        """True if it answers."""
        try:
            self._call("getState")
        except (OSError, http.client.HTTPException, xmlrpc.client.Error):
            return False
        return True

    def start(self) -> None:
        """Start the supervisor itself, without any program."""
        folder = self._layout.socket.parent
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_uid != os.getuid():
            raise StackFault(f"{folder} belongs to somebody else: set CREDIT_VAR to a shorter path")
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(configuration(self._layout))]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=REPO)
        deadline = time.monotonic() + 10
        while not self.running():
            if done.returncode or time.monotonic() > deadline:
                lines = done.stderr.strip().splitlines()[::-1] or ["no answer"]
                raise StackFault(
                    f"supervisord does not start ({lines[-1][:200]}): see {self._layout.logs}/supervisord.log"
                )
            time.sleep(0.05)

    def reread(self) -> None:
        """Take over a changed configuration; programs that changed and ran are started anew."""
        added, changed, removed = cast("list[list[str]]", self._call("reloadConfig")[0])
        ran = [name for name in changed if self.processes()[name]["statename"] == "RUNNING"]
        for name in [*changed, *removed]:
            self._call("stopProcessGroup", name)
            self._call("removeProcessGroup", name)
        for name in [*changed, *added]:
            self._call("addProcessGroup", name)
        for name in ran:
            self.begin(name)

    def processes(self) -> dict[str, dict[str, Any]]:
        """State, pid, start time by program."""
        return {str(entry["name"]): entry for entry in self._call("getAllProcessInfo")}

    def begin(self, name: str) -> None:
        """Start a program unless it runs; does not wait for it."""
        try:
            self._call("startProcess", name, False)
        except xmlrpc.client.Fault as fault:
            if "ALREADY_STARTED" not in fault.faultString:
                raise StackFault(f"{name} does not start ({fault.faultString}): credit logs {name}") from None

    def stop(self, names: Iterable[str]) -> None:
        """Stop programs side by side and wait for their end."""
        names = list(names)
        for name in names:
            try:
                self._call("stopProcess", name, False)
            except xmlrpc.client.Fault as fault:
                if "NOT_RUNNING" not in fault.faultString:
                    raise
        deadline = time.monotonic() + ENDED_S
        while time.monotonic() < deadline:
            states = self.processes()
            if all(states[name]["statename"] in ENDED for name in names if name in states):
                return
            time.sleep(0.05)

    def shutdown(self) -> None:
        """Stop the supervisor; what still runs is stopped with it."""
        pid = int(self._call("getPID"))
        self._call("shutdown")
        deadline = time.monotonic() + ENDED_S
        while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
            time.sleep(0.05)


ENDED = ("STOPPED", "EXITED", "FATAL", "UNKNOWN")
