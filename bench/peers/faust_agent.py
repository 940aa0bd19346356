"""The naive Faust service: an agent that writes one row per event. Start: faust -A faust_agent worker."""

# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false, reportOptionalMemberAccess=false
# It runs in an environment of its own, whose packages the project does not have.

from __future__ import annotations

import asyncpg
import faust
import flat_record as flat

app = faust.App(
    f"bench-faust-{flat.RUN}",
    broker=f"kafka://{flat.KAFKA}",
    broker_credentials=faust.SASLCredentials(username=flat.USER, password=flat.PASSWORD, mechanism="SCRAM-SHA-512"),
    value_serializer="raw",
    key_serializer="raw",
    consumer_auto_offset_reset="earliest",
    topic_disable_leader=True,
)
topic = app.topic(flat.TOPIC, value_serializer="raw", key_serializer="raw")


@app.agent(topic)
async def store(stream):
    async with asyncpg.create_pool(flat.PG, password=flat.PG_PASSWORD, min_size=1, max_size=4) as pool:
        async for value in stream:
            await pool.execute(flat.INSERT, *flat.values(value))
