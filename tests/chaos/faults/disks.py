"""F15, F16: the disk under the database, then under the broker, is full."""

from __future__ import annotations

import errno
import os
import random
import shutil
import subprocess
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from deploy.local import kafka_admin, postgres
from deploy.local.layout import SERVICES, Layout
from deploy.local.supervisor_file import log_of
from tests.chaos.fault import Measured, fault, require
from tests.chaos.ground import Ground, until

SPARE = 192 << 20  # bytes that are free before the ballast comes
LEFT = 64 << 10  # and afterwards
FULL_S = 20.0


class Disk:
    """A small tmpfs that holds the data of a program; needs root."""

    def __init__(self, ground: Ground, program: str, folder: Path, ready: Callable[[Layout], bool]) -> None:
        self._ground, self._program, self._folder, self._ready = ground, program, folder, ready
        self._aside, self._ballast = folder.with_name("data.aside"), folder / ".ballast"

    def mount(self) -> None:
        """Move the data onto the small disk; the program starts there."""
        self._ground.supervisor.stop([self._program])
        owner, size = self._folder.stat(), _used(self._folder) + SPARE
        self._folder.rename(self._aside)
        self._folder.mkdir()
        options = f"size={size},mode=0700,uid={owner.st_uid},gid={owner.st_gid}"
        _do("mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self._folder))
        _do("cp", "-a", "--sparse=always", f"{self._aside}/.", str(self._folder))
        self._begin()

    def unmount(self) -> None:
        """Move the data back."""
        self._ground.supervisor.stop([self._program])
        back = self._folder.with_name("data.back")
        _do("cp", "-a", "--sparse=always", str(self._folder), str(back))
        _do("umount", str(self._folder))
        self._folder.rmdir()
        back.rename(self._folder)
        shutil.rmtree(self._aside)
        self._begin()

    def _begin(self) -> None:
        self._ground.supervisor.begin(self._program)
        until(lambda: self._ready(self._ground.layout), f"{self._program} is ready", 120)

    def fill(self) -> None:
        """Leave next to nothing; the program writes on meanwhile, so there may be less than was just seen."""
        with self._ballast.open("wb") as file:
            while (room := shutil.disk_usage(self._folder).free - LEFT) > 0:
                try:
                    os.posix_fallocate(file.fileno(), 0, room)
                    break
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise

    def empty(self) -> None:
        """There is room again."""
        self._ballast.unlink()


@contextmanager
def small(ground: Ground, program: str, folder: Path, ready: Callable[[Layout], bool]) -> Generator[Disk]:
    """The program's data lie on a small disk while this lasts."""
    require(os.geteuid() == 0, "not run: needs root, to mount a tmpfs")
    disk = Disk(ground, program, folder, ready)
    disk.mount()
    try:
        yield disk
    finally:
        disk.unmount()


def _used(folder: Path) -> int:
    """Bytes on disk: holes of sparse files take none."""
    return int(
        subprocess.run(["du", "-s", "-B1", folder], capture_output=True, check=True, text=True).stdout.split()[0]
    )


def _do(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    require(done.returncode == 0, f"{' '.join(words)}: {done.stderr.strip()}")


def _full(ground: Ground, disk: Disk, program: str) -> Measured:
    """Fill it under load, see that it is noticed and said; then make room."""
    until(lambda: all(map(ground.ready, SERVICES)), "the services are ready on the small disk", 120)
    log = log_of(ground.layout, program)
    mark = log.stat().st_size
    disk.fill()
    try:
        until(lambda: b"No space left" in _since(log, mark), f"{program} finds its disk full", 90)
        until(lambda: not all(map(ground.ready, SERVICES)), "who cannot write says so on /readyz", 60)
        time.sleep(FULL_S)
    finally:
        disk.empty()
    return Measured([ground.recovery(SERVICES, time.monotonic(), 180)])


def _since(log: Path, mark: int) -> bytes:
    """What a program has written since; its log may have been turned over."""
    with log.open("rb") as stream:
        stream.seek(mark if log.stat().st_size >= mark else 0)
        return stream.read()


@fault("F15", "disk full under PostgreSQL", f"data and log of the cluster on a tmpfs; a ballast leaves {LEFT >> 10} kB "
       f"under load; full for {FULL_S:.0f} s", "not ready, nothing acknowledged, chain verifies, I1–I8",
       30)  # fmt: skip
def database_full(ground: Ground, chance: random.Random) -> Measured:
    """The log cannot grow: the server stops itself and cannot come back before there is room."""
    folder = ground.layout.var / "postgres" / "data"
    with small(ground, "postgres", folder, postgres.ready) as disk:
        return _full(ground, disk, "postgres")


@fault("F16", "disk full under the broker", f"the broker's log on a tmpfs; a ballast leaves {LEFT >> 10} kB under "
       f"load; full for {FULL_S:.0f} s", "not ready, outbox holds, I1–I8", 60)  # fmt: skip
def broker_full(ground: Ground, chance: random.Random) -> Measured:
    """The broker gives its only folder up and ends; what it acknowledged must be there when it comes back."""
    folder = ground.layout.var / "kafka" / "data"
    with small(ground, "kafka", folder, kafka_admin.ready) as disk:
        return _full(ground, disk, "kafka")
