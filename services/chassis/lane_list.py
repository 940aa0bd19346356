"""`python -m services.<service> lanes`: how far each lane is and whether it is stopped, as JSON lines."""

from __future__ import annotations

import asyncio
import json
import sys

from services.chassis import logs
from services.chassis.errors import Transient
from services.chassis.rebuilding import snapshot
from services.chassis.settings import Settings

LIST = """
SELECT topic, partition, epoch, next_offset, position, published, attempts, stopped_at,
    (SELECT count(*) FROM parked AS p WHERE p.topic = lanes.topic AND p.partition = lanes.partition) AS parked
FROM lanes LEFT JOIN stopped_lanes USING (topic, partition) ORDER BY topic, partition
"""


def say() -> None:
    """The step; ends the process with one line and exit code 1 while the database is away."""
    settings = Settings.from_environment()
    logs.configure(settings)
    try:
        asyncio.run(_say(settings))
    except Transient as trouble:
        raise SystemExit(f"{settings.service}: {trouble.args[0]} is away; start it and try again") from None


async def _say(settings: Settings) -> None:
    async with snapshot(settings) as tx:
        for row in await tx.fetch(LIST):
            sys.stdout.write(json.dumps(dict(row), default=str) + "\n")
