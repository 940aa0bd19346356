"""`credit up` and `credit down` on a stack of the test's own: again and again, after any death, and when it cannot."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import preflight, state
from deploy.local.layout import REPO, Layout
from deploy.local.programs import all_programs
from deploy.local.supervisor import Supervisor
from tests.support.road import Record, Road, again, beside, organisation, submission
from tests.support.stack import eventually

BASE, OTHER_BASE = "25000", "26000"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Road]:
    """A stack beside the one of the session."""
    with beside(tmp_path_factory.mktemp("own"), BASE) as found:
        yield found


@pytest.fixture(scope="module")
def kept(own: Road) -> Record:
    """A record that was accepted before anything died."""
    record = submission("org-penalty", organisation())
    own.accepted(record)
    return record


def pids(road: Road) -> dict[str, int]:
    """The processes of the programs that run."""
    return {p.name: p.pid for p in state.read(road.layout) if p.pid}


def assert_same_data(road: Road, kept: Record) -> None:
    """What was accepted before is known, and there is room for more."""
    fresh = submission("org-permit", organisation())
    assert [r["outcome"] for r in road.submit(again(kept, "report"), fresh)] == ["DUPLICATE", "ACCEPTED"]


def left_running(var: Path) -> list[str]:
    """Processes that name this stack's folder in their command or surroundings."""
    found: list[str] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            seen = (process / "cmdline").read_bytes(), (process / "environ").read_bytes()
        except OSError:
            continue  # it has ended meanwhile
        if int(process.name) != os.getpid() and any(bytes(var) in text for text in seen):
            found.append(seen[0].replace(b"\0", b" ").decode(errors="replace"))
    return found


def test_up_again_changes_nothing(own: Road) -> None:
    before = pids(own)
    assert own.stack.credit("up", "--quiet").returncode == 0
    assert pids(own) == before
    assert len(before) == len([p for p in all_programs(own.layout).values() if not p.on_demand])


@pytest.mark.parametrize("name", ["postgres", "kafka", "registry", "ingestion", "national"])
def test_what_is_killed_comes_again_on_the_same_data(own: Road, kept: Record, name: str) -> None:
    old = pids(own)[name]
    os.kill(old, signal.SIGKILL)

    def back() -> bool:
        found = state.read(own.layout)
        return all(p.ready for p in found) and pids(own)[name] != old

    eventually(back, f"{name} is back and everything can work")
    assert_same_data(own, kept)


def test_after_the_supervisor_is_killed_up_brings_everything_back(own: Road, kept: Record) -> None:
    supervisor = int((own.layout.var / "supervisord.pid").read_text())
    os.kill(supervisor, signal.SIGKILL)
    eventually(lambda: not Supervisor(own.layout).running(), "the supervisor is gone")
    assert own.stack.credit("up", "--quiet").returncode == 0
    assert own.stack.credit("status").returncode == 0
    assert_same_data(own, kept)


def test_after_down_nothing_is_left_running(own: Road, kept: Record) -> None:
    assert left_running(own.layout.var), "otherwise this looks for the wrong thing"
    own.stack.credit("down")
    assert not left_running(own.layout.var)
    preflight.check_ports(all_programs(own.layout).values(), 0)
    assert own.stack.credit("status", check=False).returncode == 3
    assert own.stack.credit("down").returncode == 0, "to stop it again is harmless"


# --- when it cannot ------------------------------------------------------------------------------------------------


def failed_up(var: Path, prefix: list[str] | None = None, **environment: str) -> str:
    """`credit up` that must fail: with one line, and nothing left running. Returns the line."""
    command = [*(prefix or []), sys.executable, "-m", "services.cli", "up", "--quiet"]
    surroundings = os.environ | {"CREDIT_VAR": str(var), "CREDIT_PORT_BASE": OTHER_BASE} | environment
    done = subprocess.run(command, env=surroundings, cwd=REPO, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1, (done.returncode, done.stdout, done.stderr)
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("credit: ")
    assert not left_running(var)
    return line


@pytest.mark.parametrize("part", ["postgres", "kafka", "registry", "national", "sanctions.grpc"])
def test_a_busy_port_is_named(tmp_path: Path, part: str) -> None:
    layout = Layout.from_environment({"CREDIT_VAR": str(tmp_path), "CREDIT_PORT_BASE": OTHER_BASE})
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", layout.port(part)))
        busy.listen()
        line = failed_up(tmp_path)
    assert f"port {layout.port(part)} ({part.partition('.')[0]}) is taken" in line
    assert "CREDIT_PORT_BASE" in line


def test_an_unreadable_folder_is_named(tmp_path: Path) -> None:
    var = tmp_path / "closed"
    var.mkdir(mode=0)
    # Root reads everything; without these two rights it is like anybody else.
    drop = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    try:
        line = failed_up(var, drop)
    finally:
        var.chmod(0o700)
    assert f"{var} cannot be read and written" in line
    assert "CREDIT_VAR" in line


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    var = tmp_path / "file"
    var.touch()
    assert f"{var} cannot be read and written" in failed_up(var)


def test_a_missing_mvn_is_named(tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "setpriv").symlink_to(str(shutil.which("setpriv")))
    line = failed_up(tmp_path / "var", PATH=str(programs), CREDIT_CACHE=str(tmp_path / "cache"))
    assert "mvn is not installed" in line
