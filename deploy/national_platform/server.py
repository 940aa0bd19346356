"""The simulator's HTTP interface."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any, cast

import msgspec
from aiohttp import web

from deploy.national_platform import layouts
from deploy.national_platform.behaviour import Behaviour, Mishap, behaviour_from
from deploy.national_platform.store import Answer, Pushed, Seen, Store

BODY_LIMIT = 32 * 1024 * 1024
BATCH_LIMIT = 1_000
PAGE_LIMIT = 1_000
ACK: Answer = ("ACK", "ACK", "")
BUSY: Answer = ("RETRY", "BUSY", "请稍后再报")
SPOT_CHECK: Answer = ("REFUSED", "SPOT_CHECK", "抽查未通过")
REFUSED_WHOLE = {"fail": 500, "limit": 429}  # before anything is stored


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
            batch = _batch(msgspec.json.decode(await request.read()))
        except (msgspec.DecodeError, KeyError, TypeError, ValueError, RecursionError):
            return web.json_response({"error": "BAD_REQUEST"}, status=400)
        behaviour = self._behaviour
        await asyncio.sleep(behaviour.delay_ms / 1000)
        mishap, answers = self._take(batch, behaviour)
        if mishap in REFUSED_WHOLE:
            return web.json_response({"error": "TRY_AGAIN"}, status=REFUSED_WHOLE[mishap])
        if mishap == "lose":
            return _cut(request)
        return web.Response(text="<html>") if mishap == "garbage" else web.json_response({"answers": answers})

    def _take(self, batch: Sequence[Pushed], behaviour: Behaviour) -> tuple[Mishap, list[dict[str, str]]]:
        """One transaction for all of a request: what happens to it, and the answers."""
        with self._store as store:
            seen = store.seen([record.key for record in batch])
            for record in batch:
                before = seen.get(record.key, Seen())
                seen[record.key] = before._replace(times=before.times + 1)
            mishap = behaviour.mishap(batch[0].key, seen[batch[0].key].times) if batch else "none"
            if mishap not in REFUSED_WHOLE:
                store.put(self._judged(batch, seen, behaviour))
            store.keep(seen)
        return mishap, [_told(record.key, seen[record.key].answer or BUSY) for record in batch]

    def _judged(self, batch: Sequence[Pushed], seen: dict[str, Seen], behaviour: Behaviour) -> Iterator[Pushed]:
        """Give each record its final answer, unless it has one or is told to come back; those that are to be kept."""
        for record in batch:
            times, answer = seen[record.key]
            if answer is None and not behaviour.is_busy(record.key, times):
                seen[record.key] = Seen(times, answer := self._judge(record, behaviour))
                if answer == ACK:
                    yield record

    def _judge(self, record: Pushed, behaviour: Behaviour) -> Answer:
        layout = self._layouts.get(record.item)
        if layout is None:
            return "REFUSED", "ITEM_UNKNOWN", "未约定的数据集"
        if record.fields is None:
            return ACK
        if refusal := layout.refusal(record.fields):
            return "REFUSED", refusal.code, refusal.text
        return SPOT_CHECK if behaviour.refuses(record.key) else ACK

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
        return Pushed(key, record_id, int(record["version"]), item, None, "{}")
    fields: Any = record["fields"]
    if record["action"] != "put" or not isinstance(fields, dict):
        raise ValueError
    if any(type(value) is not str for value in cast("dict[str, Any]", fields).values()):
        raise ValueError
    return Pushed(key, record_id, int(record["version"]), item, fields, msgspec.json.encode(fields).decode())


def _told(key: str, answer: Answer) -> dict[str, str]:
    return {"key": key, "answer": answer[0], "code": answer[1], "text": answer[2]}
