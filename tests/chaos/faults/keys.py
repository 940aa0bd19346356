"""F28: the key of all subject ids is gone, empty, readable by everybody, or another one."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.layout import SERVICES
from deploy.local.supervisor_file import log_of
from tests.chaos.fault import Measured, fault, require
from tests.chaos.ground import Ground, until
from tests.chaos.reading import lanes

OTHERS = tuple(name for name in SERVICES if name != "identity")


def _another(key: Path) -> None:
    key.write_text("ab" * 32)
    key.chmod(0o600)


def _empty(key: Path) -> None:
    key.write_text("")
    key.chmod(0o600)


def _open(key: Path) -> None:
    key.write_text("ab" * 32)
    key.chmod(0o644)


DAMAGES: dict[str, Callable[[Path], None]] = {
    "gone": lambda key: None,
    "empty": _empty,
    "open": _open,
    "another": _another,
}


@contextmanager
def away(key: Path) -> Generator[None]:
    """The file is moved aside while this lasts; whatever stands in its place afterwards makes way for it."""
    aside = key.with_suffix(".aside")
    key.rename(aside)
    try:
        yield
    finally:
        aside.replace(key)


@fault("F28", "key file gone", "identity.pepper moved away, emptied, opened to all, replaced by another key; identity "
       "restarted each time",
       "fail closed: not ready, nothing linked, the log says why, no key made, others go on; I1–I8",
       60)  # fmt: skip
def key_gone(ground: Ground, chance: random.Random) -> Measured:
    """Without its key identity links nobody; with another one it would link everybody to strangers."""
    key, measured = ground.layout.secrets / "identity.pepper", Measured()
    for what, damage in DAMAGES.items():
        with away(key):
            damage(key)
            _refuses(ground, key, what)
        measured.recovery.append(ground.recovery(SERVICES, time.monotonic()))
    return measured


def _refuses(ground: Ground, key: Path, what: str) -> None:
    log = log_of(ground.layout, "identity")
    mark, there = log.stat().st_size, key.exists()
    ground.restart("identity")
    until(lambda: "pepper" in _said(log, mark), f"identity says what is wrong with a key that is {what}", 30)
    said = _linked(ground)
    time.sleep(3)
    require(not ground.ready("identity"), f"identity is ready with a key that is {what}")
    require(all(map(ground.ready, OTHERS)), "another service is not ready")
    require(key.exists() == there, "identity made a key of its own")
    require(_linked(ground) == said, f"identity went on linking with a key that is {what}")


def _said(log: Path, mark: int) -> str:
    with log.open() as stream:
        stream.seek(mark if log.stat().st_size >= mark else 0)
        return stream.read()


def _linked(ground: Ground) -> int:
    """Events that identity has said so far."""
    return sum(lane.position for lane in lanes(ground.doors, ["identity"])["identity"].values())
