"""services/ingestion/SENDING.md is what really happens: its commands are run, one after the other, on the real stack.

CREDIT_WRITE=1 writes what was printed into the page instead of comparing it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from deploy.local.layout import REPO
from tests.support import console
from tests.support.road import Road

PAGE = REPO / "services" / "ingestion" / "SENDING.md"


def desk(road: Road, folder: Path) -> dict[str, str]:
    """The surroundings of an agency's shell: `credit` and `python` are ours."""
    programs = folder / "bin"
    programs.mkdir()
    for name, words in {"credit": "-m services.cli", "python": ""}.items():
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {words} "$@"\n')
        (programs / name).chmod(0o755)
    path = f"{programs}:{os.environ['PATH']}"
    return road.stack.environment() | {"PATH": path, "PYTHONPATH": str(REPO), "LANG": "C.UTF-8"}


def test_the_page_for_senders_is_true(road: Road, tmp_path: Path) -> None:
    page, environment = PAGE.read_text(encoding="utf-8"), desk(road, tmp_path)
    steps = console.steps(page)
    printed = [console.run(step.command, tmp_path, environment) for step in steps]
    if os.environ.get("CREDIT_WRITE"):
        PAGE.write_text(console.written(page, printed), encoding="utf-8")
        return
    assert len(steps) > 5
    for step, lines in zip(steps, printed, strict=True):
        assert console.agrees(step.expected, lines), f"$ {step.command}\n" + "\n".join(lines)
