"""The command line as an operator uses it, while the platform is being hurt."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from deploy.local.layout import REPO, Layout
from tests.chaos.ground import NotWithin, Tell

REASON = "演示：本人申请"
TRIES = 5  # of somebody who gets no answer within the 30 s that the command line waits
LIMIT_S = 120.0

Call = subprocess.Popen[str]


def credit(layout: Layout, *words: str, given: str = "") -> Call:
    """A call that is under way; `given` by its standard input."""
    stack = {"CREDIT_VAR": str(layout.var), "CREDIT_PORT_BASE": str(layout.port_base)}
    call = subprocess.Popen(
        [sys.executable, "-m", "services.cli", *words], cwd=REPO, env=os.environ | stack, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert call.stdin is not None
    call.stdin.write(given)
    call.stdin.close()
    call.stdin = None
    return call


def erase(layout: Layout, number: str) -> Call:
    """`credit erase` of whoever holds this number, which no other process can see."""
    return credit(layout, "erase", "--code-file", "-", "--reason", REASON, "--json", given=number)


def certified(layout: Layout, number: str, tell: Tell, call: Call | None = None) -> tuple[dict[str, Any], int]:
    """The certificate and how often it was asked for, `call` being the first time; raises `NotWithin`."""
    for tries in range(1, TRIES + 1):
        call = call or erase(layout, number)
        said, told = call.communicate(timeout=LIMIT_S)
        if call.returncode == 0:
            found: dict[str, Any] = json.loads(said)
            return found, tries
        tell(f"not erased yet: {told.strip()[-200:]}")
        call = None
    raise NotWithin(f"the erasure was asked for {TRIES} times and never answered")


def verifies(layout: Layout, certificate: Path) -> bool:
    """`credit erase --check` of a file."""
    said, _ = (call := credit(layout, "erase", "--check", str(certificate))).communicate(timeout=LIMIT_S)
    return call.returncode == 0 and "valid" in said
