"""The command line every service has: `run`, `migrate`, `parked`, `lanes`, `replay`, `digest`."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from services.chassis import digest, lane_list, logs, migrations, parking_list, rebuilding
from services.chassis.errors import Transient
from services.chassis.handling import Service
from services.chassis.runtime import Runtime, run_service
from services.chassis.settings import Settings

Step = Callable[[], None]


def main(
    package: Path,
    build: Callable[[Runtime], Service],
    more: dict[str, Step] | None = None,
    argv: Sequence[str] = (),
    digests: Mapping[str, str] | None = None,
    items: digest.Items = tuple,
) -> None:
    """Run one of the commands; `more` are the service's own, `digests` its views for reconciliation, of `items`."""
    words: list[str] = []
    steps: dict[str, Step] = {
        "run": lambda: run_service(build),
        "migrate": lambda: asyncio.run(_migrate(package)),
        "parked": lambda: parking_list.say(words),
        "digest": lambda: digest.say(digests or {}, items, words),
        "lanes": lambda: lane_list.say(),
        "replay": lambda: rebuilding.replay(build, words),
        **(more or {}),
    }
    parser = argparse.ArgumentParser(prog=f"python -m services.{package.name}")
    parser.add_argument("step", choices=sorted(steps))
    parser.add_argument("words", nargs="*")
    found = parser.parse_args(list(argv) or sys.argv[1:])
    words += found.words
    steps[found.step]()


async def _migrate(package: Path) -> None:
    settings = Settings.from_environment()
    logs.configure(settings)
    folders = [Path(__file__).parent / "migrations", package / "migrations"]
    try:
        applied = await migrations.migrate(settings, folders)
    except Transient as trouble:
        raise SystemExit(
            f"{settings.service}: the database is away ({trouble.args[0]}); start it and try again"
        ) from None
    logs.log("migrated", applied=len(applied))
