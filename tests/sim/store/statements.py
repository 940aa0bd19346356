"""Which function stands for which statement. A statement that nobody has registered fails and names itself."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

import asyncpg

from tests.sim.store.engine import Row, Tx

Answer = list[Row] | str
Function = Callable[..., Awaitable[Answer]]
_exact: dict[str, Function] = {}
_patterns: list[tuple[re.Pattern[str], Function]] = []


class StatementUnknown(Exception):
    """The services use a statement that the simulator has no function for: write one, and its contract test."""


@cache
def normal(sql: str) -> str:
    """The text with one blank wherever there is white space."""
    return " ".join(sql.split())


def statement(sql: str) -> Callable[[Function], Function]:
    """Register a function for a statement; it takes the transaction and the statement's arguments."""

    def register(function: Function) -> Function:
        _exact[normal(sql)] = function
        return function

    return register


def statements_like(pattern: str) -> Callable[[Function], Function]:
    """The same for texts that are made at run time; the match comes before the arguments."""

    def register(function: Function) -> Function:
        _patterns.append((re.compile(pattern), function))
        return function

    return register


@contextmanager
def replaced(sql: str, function: Function | None) -> Generator[None]:
    """Another function for a statement, for as long as the block lasts; None: nothing is replaced."""
    before = dict(_exact)
    if function is not None:
        _exact[normal(sql)] = function
    find.cache_clear()
    try:
        yield
    finally:
        _exact.update(before)
        find.cache_clear()


def known() -> list[str]:
    """Every registered text, for the contract suite."""
    return sorted(_exact)


@cache
def find(sql: str) -> tuple[Function, re.Match[str] | None]:
    """The function of a statement, and the match of one that is made at run time; raises `StatementUnknown`."""
    text = normal(sql)
    if text in _exact:
        return _exact[text], None
    for pattern, function in _patterns:
        if found := pattern.fullmatch(text):
            return function, found
    raise StatementUnknown(text)


async def run(tx: Tx, sql: str, arguments: tuple[Any, ...]) -> Answer:
    """Run a statement."""
    function, found = find(sql)
    return await (function(tx, *arguments) if found is None else function(tx, found, *arguments))


async def insert_or(
    tx: Tx,
    table: str,
    rows: Iterable[tuple[Any, Mapping[str, Any]]],
    conflict: Callable[[Row, Any], Mapping[str, Any] | None],
) -> list[Row]:
    """INSERT ... ON CONFLICT, row by row: `conflict` makes the new row of the old one, None: do nothing."""
    written: dict[Any, Row] = {}
    for key, row in rows:
        await tx.lock(table, key)
        old = tx.get(table, key)
        new = row if old is None else conflict(old, row)
        if new is None:
            continue
        if key in written:
            raise asyncpg.CardinalityViolationError("ON CONFLICT DO UPDATE cannot affect a row a second time")
        tx.put(table, key, new)
        written[key] = Row(new)
    return list(written.values())


def nothing(old: Row, new: dict[str, Any]) -> None:
    """ON CONFLICT DO NOTHING."""
    return


def named(names: str, values: Iterable[Any]) -> dict[str, Any]:
    """One row: the values under these column names."""
    return dict(zip(names.split(), values, strict=True))


def columns(names: str, *arrays: list[Any]) -> list[dict[str, Any]]:
    """unnest: the arrays as rows with these column names."""
    return [named(names, values) for values in zip(*arrays, strict=True)]


async def update(
    tx: Tx,
    table: str,
    changes: dict[Any, dict[str, Any]],
    where: Callable[[Row, dict[str, Any]], bool] | None = None,
) -> str:
    """UPDATE ... FROM unnest: rows that are there (and pass `where` once they are locked) get the new columns."""
    count = 0
    for key, new in changes.items():
        if tx.get(table, key) is None:
            continue
        await tx.lock(table, key)
        old = tx.get(table, key)
        if old is not None and (where is None or where(old, new)):
            tx.put(table, key, {**old, **{name: value for name, value in new.items() if name in old}})
            count += 1
    return f"UPDATE {count}"


async def delete(tx: Tx, table: str, key: list[str], rows: list[Row], returning: str = "") -> list[Row]:
    """DELETE ... RETURNING of rows that were found; one that is gone once it is locked is left out."""
    gone: list[Row] = []
    for row in rows:
        place = tuple(row[name] for name in key)
        await tx.lock(table, place)
        there = tx.get(table, place)
        if there is not None:
            tx.put(table, place, None)
            gone.append(there.pick(*returning.split()))
    return gone
