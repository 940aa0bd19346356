"""Crash points: nothing happens unless this service is named, and then at the n-th pass."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

RUN = "from services.chassis.crashpoints import crashpoint\nfor p in ('cp1', 'cp2') * 3: crashpoint(p); print(p)"


@pytest.mark.parametrize(
    ("crash_at", "passed", "code"),
    [
        ("identity:cp2:2", 3, -signal.SIGKILL),
        ("identity:cp1:1", 0, -signal.SIGKILL),
        ("ingestion:cp1:1", 6, 0),
        ("identity:cp9:1", 6, 0),
        ("identity:cp1:9", 6, 0),
        ("", 6, 0),
    ],
)
def test_dies_where_it_is_told(crash_at: str, passed: int, code: int) -> None:
    environment = {**os.environ, "CREDIT_SERVICE": "identity", "CREDIT_CRASH_AT": crash_at, "PYTHONUNBUFFERED": "1"}
    ended = subprocess.run([sys.executable, "-c", RUN], env=environment, capture_output=True, check=False)
    assert (ended.stdout.count(b"cp"), ended.returncode) == (passed, code)


def test_freezes_where_it_is_told_and_goes_on_from_there() -> None:
    environment = {**os.environ, "CREDIT_SERVICE": "identity", "CREDIT_CRASH_AT": "identity:cp2:2:stop"}
    command = [sys.executable, "-u", "-c", RUN]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        os.kill(process.pid, signal.SIGCONT)
        said, _ = process.communicate(timeout=30)
    assert (said.count(b"cp"), process.returncode) == (6, 0)
