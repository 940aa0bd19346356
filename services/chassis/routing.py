"""Which topics a service reads, and which of its handlers a message goes to."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from services.chassis.commands import command_topic
from services.chassis.handling import Handler, Service
from services.chassis.message import Message

Route = Callable[[Message], Handler | None]


def by_topic(service: Service) -> Callable[[str], Handler | None]:
    """Which handler an event goes to: exact topic, then prefix."""
    exact = {h.topic: h for h in service.handlers if not h.topic.endswith("*")}
    prefixes = [(h.topic[:-1], h) for h in service.handlers if h.topic.endswith("*")]

    @cache  # topics are as many as agencies
    def find(topic: str) -> Handler | None:
        return exact.get(topic) or next((h for prefix, h in prefixes if topic.startswith(prefix)), None)

    return find


def router(service: Service, command_type: Callable[[Message], str]) -> Route:
    """Which handler a message goes to: exact topic, then prefix; commands by type, timers by kind."""
    exact = {h.topic: h for h in service.handlers if not h.topic.endswith("*")}
    find = by_topic(service)
    commands = command_topic(service.name)

    def route(message: Message) -> Handler | None:
        if (kind := message.header("timer")) is not None and message.offset < 0:
            return exact.get(f"timer:{kind.decode()}")
        if message.topic == commands:
            return exact.get(f"command:{command_type(message)}") or exact.get(commands)
        return find(message.topic)

    return route


def pattern_of(service: Service) -> str:
    """What a service subscribes to: its handlers' topics and prefixes, and always its own commands."""
    topics = [handler.topic for handler in service.handlers if ":" not in handler.topic]
    exact = sorted({t for t in topics if not t.endswith("*")} | {command_topic(service.name)})
    prefixes = sorted(t[:-1] for t in topics if t.endswith("*"))
    return "^(?:" + "|".join([re.escape(t) + "$" for t in exact] + [re.escape(t) for t in prefixes]) + ")"
