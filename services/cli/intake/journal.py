"""How far an import has come, beside its file: whoever calls again goes on there, and nothing is doubled.

Submissions are named by run and row, and a run by what is sent: the same file, agency, item and wishes give the same
names, so even without a journal a second import of the same rows is answered DUPLICATE.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Any

from deploy.local.faults import StackFault

Offsets = dict[tuple[str, int], int]
MOST_BYTES = 1 << 16


class Journal:
    """Use as a context manager: one import of a file at a time."""

    def __init__(self, file: Path, run: str) -> None:
        self.path = file.with_name(file.name + ".import")
        self.run = run
        self.rows = 0  # everything up to this row is acknowledged by the broker
        self.at_ms = 0  # when the run began: the moment at which its rows were produced
        self.since: Offsets = {}  # where its receipts begin
        self.done = False

    def __enter__(self) -> Journal:
        self._file = self._opened()
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._take_up(os.pread(self._file, MOST_BYTES, 0).partition(b"\n")[0])
        except OSError:
            os.close(self._file)
            raise StackFault(f"{self.path} is in use: another import of this file runs; wait for it") from None
        except StackFault:
            os.close(self._file)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)

    def _opened(self) -> int:
        try:
            return os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StackFault(
                f"{self.path} cannot be written ({error.strerror}): the import keeps its place there; "
                "put the file into a folder of your own"
            ) from None

    def _take_up(self, text: bytes) -> None:
        if not text:
            return
        try:
            said = json.loads(text)
            if said["run"] == self.run:
                self.rows, self.at_ms, self.done = int(said["rows"]), int(said["at_ms"]), bool(said["done"])
                self.since = {_place(name): int(offset) for name, offset in said["since"].items()}
            elif not said["done"]:
                raise StackFault(
                    f"{self.path} is of an unfinished import of other content (run {said['run']}): put that file back "
                    "and finish it, or delete the journal to begin with this one"
                )
        except (KeyError, ValueError, TypeError, AttributeError):
            raise StackFault(f"{self.path} is no journal of an import: move it away") from None

    def begin(self, at_ms: int, since: Mapping[tuple[str, int], int]) -> None:
        """Note where a run starts, before its first row is sent."""
        self.rows, self.at_ms, self.since, self.done = 0, at_ms, dict(since), False
        self._write()

    def acknowledge(self, rows: int) -> None:
        """Everything up to this row is on the topic."""
        self.rows = rows
        self._write()

    def finish(self) -> None:
        """Every row has its answer."""
        self.done = True
        self._write()

    def _write(self) -> None:
        """In place, since the lock is on this file: one line, and what a longer one left behind it does not count."""
        said: dict[str, Any] = {
            "run": self.run,
            "rows": self.rows,
            "at_ms": self.at_ms,
            "since": {f"{topic}/{partition}": offset for (topic, partition), offset in self.since.items()},
            "done": self.done,
        }
        line = json.dumps(said).encode() + b"\n"
        os.pwrite(self._file, line, 0)
        os.ftruncate(self._file, len(line))
        os.fsync(self._file)


def _place(name: str) -> tuple[str, int]:
    topic, _, partition = name.rpartition("/")
    return topic, int(partition)


def run_of(digest: str, agency: str, item: str, wishes: Mapping[str, str], secret: bytes = b"") -> str:
    """The name of what is sent: 12 hexadecimal digits. `secret`: without it nobody can try out what the file says."""
    said = json.dumps([digest, agency, item, sorted(wishes.items())], ensure_ascii=False)
    return blake2b(said.encode(), digest_size=6, key=secret[:64]).hexdigest()
