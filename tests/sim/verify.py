"""What must hold in the end: topics and stores against the model, and against each other."""

from __future__ import annotations

from typing import Any


def unfinished(world: Any) -> str:
    """What is still under way; empty when everything has come to rest."""
    for process in world.processes:
        if process.owner is None or process.owner.state != "alive":
            return f"{process.name} is down"
    for name, database in world.databases.items():
        group = world.broker.groups[name.replace("_", "-")]
        read = {(place.topic, place.partition) for seat in group._seats.values() for place in seat.assigned}
        lanes = database.tables["lanes"]
        for key in sorted(read):
            lane = lanes.get(key)
            end = len(world.broker.topics[key[0]][key[1]])
            if lane is None or lane["next_offset"] < end:
                return f"{name} is behind in {key[0]}/{key[1]}: {lane and lane['next_offset']} of {end}"
            if lane["published"] < lane["position"]:
                return f"{name} has not published all of {key[0]}/{key[1]}"
        for table in ("parked", "timers"):
            if database.tables[table]:
                return f"{name} has {table}"
        if not read:
            return f"{name} has no lanes"
    states = {row["state"] for row in world.databases["national_sync"].tables["exchanges"].values()}
    return "exchanges are waiting" if states & {"PENDING", "RETRYING"} else ""


def release_parked(world: Any) -> None:
    """The operator releases whatever is parked, once the fixed version runs."""
    import json

    for name, database in world.databases.items():
        for (topic, partition, offset), row in sorted(database.tables["parked"].items()):
            if row["released_at"] is None and row["code"] != "BEHIND_PARKED":
                # Its own key, as the command line has it: under the parked one the command itself would be parked.
                place = f"{topic}/{partition}/{offset}"
                where = {"topic": topic, "partition": partition, "offset": offset}
                world.command(name, "release_parked", place.encode(), f"release-{place}", json.dumps(where))


def judge(world: Any) -> None:
    pass
