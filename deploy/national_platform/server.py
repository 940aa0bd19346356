"""The simulator's HTTP interface."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

from aiohttp import web

from deploy.national_platform import layouts
from deploy.national_platform.behaviour import Behaviour, behaviour_from
from deploy.national_platform.store import Store

BODY_LIMIT = 32 * 1024 * 1024
BATCH_LIMIT = 1_000
PAGE_LIMIT = 1_000
REFUSED_WHOLE = {"fail": 500, "limit": 429}  # before anything is stored


class Pushed(NamedTuple):
    """One record of a batch; `fields` is None for a deletion."""

    key: str
    record_id: str
    version: int
    item: str
    fields: dict[str, str] | None


class National:
    """Takes records, answers each, and misbehaves as told."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._layouts = layouts.load()
        self._behaviour = behaviour_from(store.behaviour(), Behaviour())

    def application(self) -> web.Application:
        """The routes."""
        application = web.Application(client_max_size=BODY_LIMIT)
        application.router.add_post("/v1/records", self.post_records)
        application.router.add_get("/v1/records", self.get_records)
        application.router.add_get("/v1/counts", self.get_counts)
        application.router.add_post("/v1/behaviour", self.post_behaviour)
        application.router.add_get("/v1/behaviour", self.get_behaviour)
        return application

    async def post_records(self, request: web.Request) -> web.StreamResponse:
        """A batch of records in, one answer each out."""
        try:
            batch = _batch(await request.json())
        except (KeyError, TypeError, ValueError, RecursionError):
            return web.json_response({"error": "BAD_REQUEST"}, status=400)
        behaviour = self._behaviour
        await asyncio.sleep(behaviour.delay_ms / 1000)
        with self._store as store:
            times = [store.seen(record.key) for record in batch]
            mishap = behaviour.mishap(batch[0].key, times[0]) if batch else "none"
            answers = [] if mishap in REFUSED_WHOLE else [self._answer(r, n) for r, n in zip(batch, times, strict=True)]
        if mishap in REFUSED_WHOLE:
            return web.json_response({"error": "TRY_AGAIN"}, status=REFUSED_WHOLE[mishap])
        if mishap == "lose":
            return _cut(request)
        return web.Response(text="<html>") if mishap == "garbage" else web.json_response({"answers": answers})

    def _answer(self, record: Pushed, attempt: int) -> dict[str, str]:
        before = self._store.answer(record.key)
        if before is not None:
            return before
        if self._behaviour.is_busy(record.key, attempt):
            return {"key": record.key, "answer": "RETRY", "code": "BUSY", "text": "请稍后再报"}
        answer = {"key": record.key, **self._judge(record)}
        self._store.keep_answer(answer)
        if answer["answer"] == "ACK":
            self._store.put(record.record_id, record.item, record.version, record.fields)
        return answer

    def _judge(self, record: Pushed) -> dict[str, str]:
        layout = self._layouts.get(record.item)
        if layout is None:
            return {"answer": "REFUSED", "code": "ITEM_UNKNOWN", "text": "未约定的数据集"}
        if record.fields is None:
            return {"answer": "ACK", "code": "ACK", "text": ""}
        if refusal := layout.refusal(record.fields):
            return {"answer": "REFUSED", "code": refusal.code, "text": refusal.text}
        if self._behaviour.refuses(record.key):
            return {"answer": "REFUSED", "code": "SPOT_CHECK", "text": "抽查未通过"}
        return {"answer": "ACK", "code": "ACK", "text": ""}

    async def get_records(self, request: web.Request) -> web.Response:
        """One page of an item's records: `item`, `after` (a record id), `limit`."""
        try:
            limit = min(int(request.query.get("limit", "100")), PAGE_LIMIT)
        except ValueError:
            return web.json_response({"error": "BAD_REQUEST"}, status=400)
        records = self._store.page(request.query.get("item", ""), request.query.get("after", ""), max(limit, 1))
        following = records[-1]["record_id"] if len(records) == max(limit, 1) else ""
        return web.json_response({"records": records, "next": following})

    async def get_counts(self, request: web.Request) -> web.Response:
        """Records by item, answers by kind."""
        return web.json_response(self._store.counts())

    async def get_behaviour(self, request: web.Request) -> web.Response:
        """How it misbehaves now."""
        return web.json_response(self._behaviour.table())

    async def post_behaviour(self, request: web.Request) -> web.Response:
        """Change what is named, keep the rest."""
        try:
            table = cast(dict[str, Any], dict(await request.json()))
            self._behaviour = behaviour_from(table, self._behaviour)
        except (TypeError, ValueError) as fault:
            return web.json_response({"error": str(fault)}, status=400)
        with self._store as store:
            store.keep_behaviour(self._behaviour)
        return web.json_response(self._behaviour.table())


def _cut(request: web.Request) -> web.Response:
    """Close the connection without an answer, after everything was stored."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


def _batch(body: Any) -> Sequence[Pushed]:
    """Check a request; raises `KeyError`, `TypeError` or `ValueError`."""
    records: Any = body["records"]
    if not isinstance(records, list) or len(cast(list[Any], records)) > BATCH_LIMIT:
        raise ValueError
    return [_pushed(record) for record in cast(list[Any], records)]


def _pushed(record: Any) -> Pushed:
    key, record_id, item = str(record["key"]), str(record["record_id"]), str(record["item"])
    if record["action"] == "delete":
        return Pushed(key, record_id, int(record["version"]), item, None)
    fields = {str(name): value for name, value in dict(record["fields"]).items()}
    if record["action"] != "put" or any(not isinstance(value, str) for value in fields.values()):
        raise ValueError
    json.dumps(fields).encode()
    return Pushed(key, record_id, int(record["version"]), item, fields)
