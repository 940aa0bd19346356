"""Client quotas: how many bytes a second a principal may send to and fetch from each broker.

librdkafka has no request for them, and aiokafka only the one that asks: the one that sets them is defined here, as
KIP-546 has it (key 49, version 0). A broker does not refuse what is above a quota, it answers later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, NamedTuple

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.admin import DescribeClientQuotasRequest
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Float64, Int16, Int32, Schema, String

from deploy.local import passwords
from deploy.local.faults import StackFault
from deploy.local.layout import Layout

PRODUCE, FETCH = "producer_byte_rate", "consumer_byte_rate"
EXACTLY = 0  # this entity, not a default
TIMEOUT_MS = 20_000
_TEXT: Any = String("utf-8")
_ENTITY = ("entity", Array(("entity_type", _TEXT), ("entity_name", _TEXT)))


class Quota(NamedTuple):
    """Bytes a second of one principal."""

    principal: str
    produce: int
    fetch: int


class AlterClientQuotasResponse(Response):
    """One error code an entry; 0: done."""

    API_KEY = 49  # pyright: ignore[reportIncompatibleMethodOverride, reportAssignmentType] - aiokafka sets it so too
    API_VERSION = 0  # pyright: ignore[reportIncompatibleMethodOverride, reportAssignmentType] - the same
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("entries", Array(("error_code", Int16), ("error_message", _TEXT), _ENTITY)),
    )


class AlterClientQuotasStruct(RequestStruct):
    """The request as it goes over the wire."""

    API_KEY = 49
    API_VERSION = 0
    RESPONSE_TYPE = AlterClientQuotasResponse
    SCHEMA = Schema(
        ("entries", Array(_ENTITY, ("ops", Array(("key", _TEXT), ("value", Float64), ("remove", Boolean))))),
        ("validate_only", Boolean),
    )


class AlterClientQuotas(Request[AlterClientQuotasStruct]):
    """Sets the quotas of some users; what they had of these two is replaced."""

    API_KEY = 49

    def __init__(self, quotas: Iterable[Quota]) -> None:
        self._entries = [
            ([("user", quota.principal)], [(PRODUCE, quota.produce, False), (FETCH, quota.fetch, False)])
            for quota in quotas
        ]

    def build(self, request_struct_class: type[AlterClientQuotasStruct]) -> AlterClientQuotasStruct:
        return request_struct_class(self._entries, False)


def apply(layout: Layout, administrator: str, quotas: Iterable[Quota]) -> None:
    """Set them; raises `StackFault`."""
    wanted = list(quotas)
    if wanted:
        answer = _asked(layout, administrator, AlterClientQuotas(wanted))
        for code, reason, _ in answer.entries:
            _raise(code, reason)


def of(layout: Layout, administrator: str, principal: str) -> Mapping[str, int]:
    """The quotas a principal has, by Kafka's names of them; empty: none. Raises `StackFault`."""
    answer = _asked(layout, administrator, DescribeClientQuotasRequest([("user", EXACTLY, principal)], True))
    _raise(answer.error_code, answer.error_message)
    return {name: int(value) for _, values in answer.entries or () for name, value in values}


def _raise(code: int, reason: str | None) -> None:
    if code:
        raise StackFault(f"Kafka does not take the quota ({reason or for_code(code).__name__}): credit logs kafka")


def _asked(layout: Layout, administrator: str, request: Any) -> Any:
    """The answer of the broker to one request."""

    async def ask(client: Any) -> Any:
        return await client.send(client.get_random_node(), request)

    try:
        return asyncio.run(_connected(layout, administrator, ask))
    except (KafkaError, OSError) as error:
        raise StackFault(f"Kafka does not take the quota ({type(error).__name__}): credit status") from None


async def _connected(layout: Layout, administrator: str, ask: Callable[[Any], Awaitable[Any]]) -> Any:
    client: Any = AIOKafkaClient(
        bootstrap_servers=layout.address("kafka"),
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="SCRAM-SHA-512",
        sasl_plain_username=administrator,
        sasl_plain_password=passwords.existing(layout.secrets, administrator),
        request_timeout_ms=TIMEOUT_MS,
    )
    try:
        await client.bootstrap()
        return await ask(client)
    finally:
        await client.close()
