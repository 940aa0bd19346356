"""What is looked at before anything is started, so that nothing is ever half-started."""

from __future__ import annotations

import os
import shutil
import socket
import time
from collections.abc import Iterable
from pathlib import Path

from deploy.local import account, jars
from deploy.local.faults import StackFault
from deploy.local.layout import Layout
from deploy.local.programs import Program

LEAST_FREE = 2 * 1024**3
MARK = ".creditbus"  # only a folder that holds this file is ever wiped


def check_surroundings(layout: Layout) -> None:
    """Programs, folders and disk; raises `StackFault`."""
    account.require_setpriv()
    used = [(layout.var, "CREDIT_VAR")]
    used += [] if jars.present(layout) else [(layout.cache, "CREDIT_CACHE")]
    for folder, variable in used:
        _check_folder(folder, variable)
        free = shutil.disk_usage(folder).free
        if free < LEAST_FREE:
            raise StackFault(
                f"{folder} has {free / 1024**3:.1f} GB left and the stack needs 2 GB: "
                f"free some space or set {variable} to another disk"
            )
    (layout.var / MARK).touch()


def _check_folder(folder: Path, variable: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        list(folder.iterdir())
        probe = folder / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise StackFault(
            f"{folder} cannot be read and written ({error.strerror}): correct its owner and rights, or set {variable}"
        ) from None


def check_ports(programs: Iterable[Program], patience_s: float) -> None:
    """Every port must be free; right after an unclean end their holders may still be on their way out."""
    deadline = time.monotonic() + patience_s
    for program in programs:
        for port in program.ports:
            while not _free(port):
                if time.monotonic() >= deadline:
                    raise StackFault(
                        f"port {port} ({program.name}) is taken by another program: "
                        "stop that program or set CREDIT_PORT_BASE to another range"
                    )
                time.sleep(0.1)


def _free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
