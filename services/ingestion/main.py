"""Composition root: everything is built here and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial

from services.chassis import logs, postgres
from services.chassis.errors import Transient
from services.chassis.handling import Service, Transaction
from services.chassis.runtime import Runtime
from services.chassis.trimming import Trimmer, deleter
from services.ingestion import metrics, queries
from services.ingestion.api import SubmissionsApi
from services.ingestion.config import Config
from services.ingestion.contracts.answers import Speaker
from services.ingestion.contracts.batch_reader import BatchReader
from services.ingestion.contracts.feeds import FeedReader, FeedSpeaker
from services.ingestion.contracts.program import TABLE_VERSION
from services.ingestion.contracts.recalling import Recaller
from services.ingestion.contracts.reference import CommandReader, ReferenceSpeaker
from services.ingestion.contracts.register import Register
from services.ingestion.contracts.sealing import Sealer
from services.ingestion.contracts.submissions import SUBMIT, VERSION, SubmissionReader
from services.ingestion.domain import feed, open_terms
from services.ingestion.domain.deadlines import days_left
from services.ingestion.domain.envelope import china_day
from services.ingestion.domain.feed import Counts, Place
from services.ingestion.handlers import ReadMany, feed_handlers, handlers
from services.ingestion.handlers.parked import tell_discarded, tell_waiting
from services.ingestion.key_client import KeyClient, load_credential
from services.ingestion.native import load
from services.ingestion.sessions.keeper import AgencySessions
from services.ingestion.store.history import History

HOUR_S, LOOK_S = 3600, 15
DAYS = 100  # that are looked at: a feed silent for longer has ended
Rows = list[tuple[Place, Counts]]
SUBMITTED = "credit.submit.*.v1"


def build(runtime: Runtime) -> Service:
    """The service as the lane loop sees it."""
    config = Config.from_environment(runtime.settings.environment)
    register = Register()
    speaker = Speaker(runtime.schemas)
    sealer = Sealer(KeyClient(config.identity, load_credential(runtime.settings.secrets)).keys)
    records = handlers(
        SubmissionReader(register, config.tolerance_ms),
        speaker,
        CommandReader(runtime.schemas),
        ReferenceSpeaker(runtime.schemas),
        batch_reader(runtime.settings.environment, register, speaker, config.tolerance_ms),
        register.is_public,
        sealer,
    )
    feeds = feed_handlers(FeedReader(runtime.schemas, register), FeedSpeaker(runtime.schemas))
    sessions = AgencySessions(runtime.settings, runtime.clock_ms)
    runtime.grpc_add(door(runtime, sessions).register)
    return Service(
        "ingestion",
        (*records, *feeds),
        refresh=refresher(register),
        parked=tell_waiting(speaker),
        discarded=tell_discarded(speaker),
        recall=recalling(sealer, runtime),
        background=(
            partial(watch_calendar, runtime.clock_ms),
            partial(watch_feeds, runtime),
            sessions.keep,
            trimmer(runtime, config.keep_s).run,
        ),
    )


def door(runtime: Runtime, sessions: AgencySessions) -> SubmissionsApi:
    """The gRPC door, with a register of its own."""
    register = Register()
    return SubmissionsApi(sessions, runtime.schemas, runtime.pool, register, refresher(register), runtime.clock_ms)


def recalling(sealer: Sealer, runtime: Runtime) -> Callable[[Transaction], Callable[[], Mapping[str, int]]]:
    """For a replay: of erased persons, what was sealed while their keys were there."""

    def recall(live: Transaction) -> Callable[[], Mapping[str, int]]:
        recaller = Recaller(runtime.schemas.decode, History(live))
        sealer.recall = recaller.recall
        return recaller.counted

    return recall


def batch_reader(
    environment: Mapping[str, str], register: Register, speaker: Speaker, tolerance_ms: int
) -> ReadMany | None:
    """The native reader where it was built and is not switched off; the log says once which it is."""
    native, why = load(environment, TABLE_VERSION)
    logs.log("native_reader", status="off" if native is None else "on", why=why)
    return None if native is None else BatchReader(native, register, speaker, tolerance_ms).read_many


def refresher(register: Register) -> Callable[[Transaction], Awaitable[None]]:
    """Reads agencies and catalogue anew when somebody has changed them."""

    async def refresh(tx: Transaction) -> None:
        newer = await queries.newer_reference(tx, register.revision)
        if newer is not None:
            register.fill(newer)
            metrics.AGENCIES.set(len(newer.agencies))
            metrics.EDITIONS.set(len(newer.editions))

    return refresh


def trimmer(runtime: Runtime, keep_s: int) -> Trimmer:
    """Takes what was said about persons from the submit topics, which alone have it in plain text.

    By a register of its own: the lane loop's must change within a turn only, as its replay will see it change.
    """
    register = Register()

    async def topics() -> Collection[str]:
        async with postgres.transaction(runtime.pool) as tx:
            newer = await queries.newer_reference(tx, register.revision)
        if newer is not None:
            register.fill(newer)
        return [f"{SUBMIT}{agency}{VERSION}" for agency in register.about_persons()]

    clock_s = partial(_seconds, runtime.clock_ms)
    return Trimmer(runtime.pool, deleter(runtime.settings), topics, keep_s, clock_s)


def _seconds(clock_ms: Callable[[], int]) -> float:
    return clock_ms() / 1000


async def watch_calendar(clock_ms: Callable[[], int]) -> None:
    """Show how long the working-day calendar still lasts: beyond its end the system refuses to guess."""
    while True:
        metrics.CALENDAR.set(days_left(china_day(clock_ms())))
        await asyncio.sleep(HOUR_S)


async def watch_feeds(runtime: Runtime) -> None:
    """Every quarter of a minute: the age of each feed, who is silent, when the first accepted record must be public.

    Every process shows all feeds: the store is one. While it is away the lanes tell so.
    """
    past: Rows = []
    until = 0  # the days before this one are in `past`: nobody writes them any more
    while True:
        now = runtime.clock_ms()
        today = china_day(now)
        try:
            async with postgres.transaction(runtime.pool) as tx:
                if until != today - 1:
                    past, until = await queries.feeds(tx, today - DAYS, today - 1), today - 1
                rows, expected = await queries.feeds(tx, until, today + 1), await queries.expectations(tx)
        except Transient:
            pass
        else:
            metrics.show_feeds(feed.summed([*past, *rows]), expected, now, today)
            metrics.show_intake(open_terms.intake_due(china_day(now - int(runtime.metrics.oldest_s(SUBMITTED) * 1000))))
        await asyncio.sleep(LOOK_S)
