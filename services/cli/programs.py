"""Programs of others: only a service opens its store, so whoever wants to know something of it asks one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from deploy.local.faults import StackFault
from deploy.local.layout import REPO, SERVICES, Layout


def known(service: str) -> str:
    """The name, if it is a service's; raises `StackFault`."""
    if service not in SERVICES:
        raise StackFault(f"there is no service {service!r}: choose from {', '.join(SERVICES)}")
    return service


def lines(
    layout: Layout, service: str, words: Sequence[str], more: Mapping[str, str] | None = None, differs: int = 0
) -> Iterator[dict[str, Any]]:
    """What `python -m services.<service> <words>` says, one JSON object a line, as it says it.

    Raises `StackFault` with its last line when it ends otherwise than with 0 or with `differs`.
    """
    from deploy.local.programs import service_environment

    environment = {**os.environ, **service_environment(layout, service), **(more or {})}
    command = [sys.executable, "-m", f"services.{service}", *words]
    with subprocess.Popen(  # noqa: S603 - a program of ours
        command, env=environment, cwd=REPO, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None and program.stderr is not None
        try:
            yield from map(json.loads, program.stdout)
        finally:
            program.terminate() if program.poll() is None and sys.exc_info()[0] else None
        said = program.stderr.read().strip().splitlines()
    if program.returncode not in (0, differs):
        raise StackFault(f"{_last(said, service)}: credit status; credit logs {service}")


def from_sources(module: str, arguments: Sequence[str], what: str) -> int:
    """Run a program that lives with the tests, as a process of its own; its exit code.

    Raises `StackFault` where there are no sources.
    """
    if not REPO.joinpath(*module.split(".")[:2]).is_dir():
        raise StackFault(f"{what} comes with the sources: run this in a clone of the repository")
    program = subprocess.Popen([sys.executable, "-m", module, *arguments], cwd=REPO)  # noqa: S603 - a program of ours
    while True:
        try:
            return program.wait()
        except KeyboardInterrupt:
            continue  # it has reached the program too, which says the last word


def _last(said: Sequence[str], service: str) -> str:
    return said[-1] if said and not said[-1].startswith("{") else f"{service} cannot answer"
