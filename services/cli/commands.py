"""Sends a command to a service, signed, and waits for its outcome, by the correlation id."""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from deploy.local import operators
from deploy.local.faults import StackFault
from deploy.local.layout import Layout
from services.chassis import signing
from services.chassis.commands import command_topic, outcome_topic
from services.cli.outsider import OPERATOR, Reader, Registry, producer

DEADLINE_S = 30.0
AS = "CREDIT_OPERATOR"  # whose key signs, where it is not the operator's


class Answered(NamedTuple):
    """DONE, or REFUSED with the reasons; `detail`: what was done, as JSON, where there is more to say."""

    outcome: str
    faults: tuple[dict[str, str], ...]
    detail: str | None = None  # what was done, as JSON


def send(layout: Layout, service: str, kind: str, key: str, arguments: dict[str, Any]) -> Answered:
    """Raises `StackFault` when nobody answers within 30 s."""
    return send_many(layout, service, kind, key, [arguments])[0]


def send_many(layout: Layout, service: str, kind: str, key: str, each: Sequence[dict[str, Any]]) -> list[Answered]:
    """Commands under one key, so that they are decided in this order; sent at once, answered in the same order."""
    registry, issuer = Registry(layout), os.environ.get(AS, OPERATOR)
    seed = operators.seed(layout, issuer)
    topic, answers = command_topic(service), outcome_topic(service)
    encode = registry.serializer("credit.command.v1-value")
    asked = {secrets.token_hex(8): arguments for arguments in each}
    answered: dict[str, Answered] = {}
    with Reader(layout) as reader:
        since = reader.ends([answers])
        sender = producer(layout, OPERATOR)
        for command_id, arguments in asked.items():
            value = encode(_command(command_id, kind, issuer, arguments), topic)
            signature = signing.sign(seed, topic, key.encode(), value)
            sender.produce(topic, value, key, headers={"correlation_id": command_id, signing.HEADER: signature})
        sender.flush(DEADLINE_S)
        for message in reader.follow([answers], since, DEADLINE_S):
            outcome = registry.decode(message.value() or b"")
            if outcome["command_id"] in asked:
                told = (outcome["outcome"], tuple(outcome["faults"]), outcome.get("detail"))
                answered[outcome["command_id"]] = Answered(*told)
            if len(answered) == len(asked):
                return [answered[command_id] for command_id in asked]
    raise StackFault(f"{service} did not answer within {DEADLINE_S:.0f} s: credit status; credit logs {service}")


def _command(command_id: str, kind: str, issuer: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return {
        "command_id": command_id,
        "type": kind,
        "issued_by": issuer,
        "issued_at": time.time_ns() // 1_000_000,
        "arguments": json.dumps(arguments, ensure_ascii=False),
    }
