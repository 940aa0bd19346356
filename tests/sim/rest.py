"""Whether everything has come to rest, and what an operator does about what has not."""

from __future__ import annotations

import json
from typing import Any


def unfinished(world: Any) -> str:
    """What is still under way; empty when everything has come to rest."""
    for process in world.processes:
        if process.owner is None or process.owner.state != "alive":
            return f"{process.name} is down"
    for name, database in world.databases.items():
        if left := _behind(world, name) or next(
            (f"{t} of {name}" for t in ("parked", "timers") if database.tables[t]), ""
        ):
            return left
    states = {row["state"] for row in world.databases["national_sync"].tables["exchanges"].values()}
    return "exchanges are waiting" if states & {"PENDING", "RETRYING"} else ""


def _behind(world: Any, name: str) -> str:
    """The first lane that is not at the end of its partition."""
    read = world.broker.groups[
        name.replace("_", "-")
    ].subscribed()  # not what is assigned: a lane nobody has is behind too
    lanes = world.databases[name].tables["lanes"]
    for place in sorted(read):
        lane, end = lanes.get(tuple(place)), world.broker.last(place) + 1
        if lane is None or lane["next_offset"] < end:
            return f"{name} is at {lane and lane['next_offset']} of {end} in {place.topic}/{place.partition}"
        if lane["published"] < lane["position"]:
            return f"{name} has published {lane['published']} of {lane['position']} for {place.topic}/{place.partition}"
    return "" if read else f"{name} has no lanes"


def release_parked(world: Any, order: str = "release") -> None:
    """The operator releases whatever is parked; an `order` of the same name and place is carried out once."""
    for name, database in world.databases.items():
        for (topic, partition, offset), row in sorted(database.tables["parked"].items()):
            if row["released_at"] is None and row["code"] != "BEHIND_PARKED":
                # Its own key, as the command line has it: under the parked one the command itself would be parked.
                place = f"{topic}/{partition}/{offset}"
                where = {"topic": topic, "partition": partition, "offset": offset}
                world.command(name, "release_parked", place.encode(), f"{order}-{place}", json.dumps(where))
