"""Reads deploy/kafka/topics.toml: which topics exist and who may do what with them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from deploy.local.faults import StackFault
from deploy.local.quotas import Quota

FILE = Path(__file__).parents[1] / "kafka" / "topics.toml"
AGENCY_CODE = re.compile(r"[0-9]{6}-[a-z0-9]+")
SUBSCRIBER = re.compile(r"sub-[a-z0-9]+")
DAY_MS = 86_400_000
# The broker's clock says when a message came, not its sender's: it refuses what is an hour ahead, so that a service
# whose clock was wrong could never publish what it had committed; and retention would count by a wrong date.
TIME = {"message.timestamp.type": "LogAppendTime"}


class Topic(NamedTuple):
    """A topic as the broker is asked for it."""

    name: str
    partitions: int
    settings: Mapping[str, str]


class Rule(NamedTuple):
    """One permission; `prefixed` counts for every name that begins so."""

    principal: str
    operation: str  # READ | WRITE | DELETE: of a topic's messages too
    kind: str  # TOPIC | GROUP
    name: str
    prefixed: bool


class Plan(NamedTuple):
    """What shall exist."""

    topics: tuple[Topic, ...]
    principals: tuple[str, ...]
    rules: tuple[Rule, ...]
    quotas: tuple[Quota, ...] = ()


def platform(file: Path = FILE) -> Plan:
    """The services, the operator and their topics."""
    table = tomllib.loads(file.read_text(encoding="utf-8"))
    services: list[dict[str, Any]] = table["service"]
    internal = int(table["partitions"]["internal"])
    topics = [_topic(entry, internal) for entry in table["topic"]]
    rules: list[Rule] = []
    for service in services:
        dialogue = [_fill(name, service=service["name"]) for name in table["dialogue"]["topics"]]
        topics += [_topic({**table["dialogue"], "name": name}, internal) for name in dialogue]
        own = {**service, "groups": [service["name"]]}
        own |= {key: [*own.get(key, []), *dialogue] for key in ("read", "write")}
        rules += _rules(f"svc-{service['name']}", own)
    rules += _rules("operator", _for_each(table["operator"], [str(service["name"]) for service in services]))
    principals = (*(f"svc-{service['name']}" for service in services), "operator")
    return Plan(tuple(topics), principals, tuple(dict.fromkeys(rules)))


def agency(code: str, file: Path = FILE) -> Plan:
    """What an agency gets."""
    if not AGENCY_CODE.fullmatch(code):
        raise StackFault(
            f"{code!r} is no agency code: six digits of the region, a hyphen, a short name, e.g. 420000-gsj"
        )
    table = tomllib.loads(file.read_text(encoding="utf-8"))
    partitions = int(table["partitions"]["agency"])
    filled = _fill_all(table["agency"], agency=code)
    topics = tuple(_topic(entry, partitions) for entry in filled["topic"])
    limits = {name: int(count) for name, count in filled["quota"].items()}
    quota = Quota(code, limits["produce_bytes_per_s"], limits["fetch_bytes_per_s"])
    return Plan(topics, (code,), tuple(_rules(code, filled)), (quota,))


def subscriber(name: str, feeds: Iterable[str], file: Path = FILE) -> Plan:
    """What a downstream subscriber of the feeds `public` or `government` gets."""
    if not SUBSCRIBER.fullmatch(name):
        raise StackFault(f"{name!r} is no subscriber name: sub- and letters or digits, e.g. sub-bank1")
    table = tomllib.loads(file.read_text(encoding="utf-8"))["subscriber"]
    try:
        topics = [table["feeds"][feed] for feed in feeds]
    except KeyError as unknown:
        raise StackFault(f"there is no feed {unknown}: choose from {', '.join(table['feeds'])}") from None
    filled = _fill_all({"groups_prefixed": table["groups_prefixed"], "read": topics}, subscriber=name)
    return Plan((), (name,), tuple(_rules(name, filled)))


def _topic(entry: Mapping[str, Any], partitions: int) -> Topic:
    if entry.get("compacted"):
        settings = {"cleanup.policy": "compact"}
    else:
        days = int(entry["retention_days"])
        settings = {"cleanup.policy": "delete", "retention.ms": str(days * DAY_MS if days else -1)}
    return Topic(str(entry["name"]), int(entry.get("partitions", partitions)), settings | TIME)


def _rules(principal: str, entry: Mapping[str, Any]) -> list[Rule]:
    topic = {"read": "READ", "write": "WRITE", "delete": "DELETE"}
    columns = (*((key, operation, "TOPIC") for key, operation in topic.items()), ("groups", "READ", "GROUP"))
    found: list[Rule] = []
    for key, operation, kind in columns:
        found += [Rule(principal, operation, kind, name, False) for name in entry.get(key, [])]
        found += [Rule(principal, operation, kind, name, True) for name in entry.get(f"{key}_prefixed", [])]
    return found


def _for_each(entry: Mapping[str, Any], services: list[str]) -> dict[str, Any]:
    write = [_fill(name, service=service) for service in services for name in entry["write"]]
    return {**entry, "write": write}


def _fill_all(value: Any, **words: str) -> Any:
    if isinstance(value, dict):
        return {key: _fill_all(inner, **words) for key, inner in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list):
        return [_fill_all(inner, **words) for inner in value]  # pyright: ignore[reportUnknownVariableType]
    return _fill(value, **words) if isinstance(value, str) else value


def _fill(text: str, **words: str) -> str:
    for word, value in words.items():
        text = text.replace("{" + word + "}", value)
    return text
