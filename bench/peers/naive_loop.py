"""The naive loop: decode, one INSERT per message in a transaction of its own, offsets committed now and then."""

# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false, reportOptionalMemberAccess=false
# It runs in an environment of its own, whose packages the project does not have.

from __future__ import annotations

import asyncio

import asyncpg
import flat_record as flat
from aiokafka import AIOKafkaConsumer


async def main() -> None:
    connection = await asyncpg.connect(flat.PG, password=flat.PG_PASSWORD)
    consumer = AIOKafkaConsumer(
        flat.TOPIC,
        bootstrap_servers=flat.KAFKA,
        group_id=f"bench-naive-{flat.RUN}",
        auto_offset_reset="earliest",
        enable_auto_commit=True,
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="SCRAM-SHA-512",
        sasl_plain_username=flat.USER,
        sasl_plain_password=flat.PASSWORD,
    )
    await consumer.start()
    async for message in consumer:
        await connection.execute(flat.INSERT, *flat.values(message.value or b""))


asyncio.run(main())
