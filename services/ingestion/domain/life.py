"""What has happened to a catalogue item beside its editions: drafts, seals, publications, readers, retirement.

Moments are milliseconds since 1970; `by` is the principal who sent the command. Units are agency codes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

REMEMBERED = 8  # commands per item whose repetition is answered as they were


class Draft(NamedTuple):
    """What one unit proposes the item to be; `merged_into` is the version that has replaced it, 0 while it stands."""

    unit: str
    definition: str
    by: str
    at: int
    merged_into: int


class Seal(NamedTuple):
    """A responsible unit has confirmed (盖章) a merged draft; `document` is its own number for that."""

    unit: str
    document: str
    by: str
    at: int


class Candidate(NamedTuple):
    """The merged draft (归一) that responsible units confirm; `replaces` are the units whose drafts it takes in."""

    version: int
    definition: str
    replaces: tuple[str, ...]
    by: str
    at: int
    seals: tuple[Seal, ...]


class Publication(NamedTuple):
    """By which document, whom and when an edition was published, and what was merged and confirmed before."""

    version: int
    document_number: str
    by: str
    at: int
    replaces: tuple[str, ...]
    seals: tuple[Seal, ...]


class Consumer(NamedTuple):
    """A reader of the item's records and the fields it depends on."""

    name: str
    fields: tuple[str, ...]
    by: str
    at: int


class Retirement(NamedTuple):
    """From this moment on there are no new reports."""

    reason: str
    document_number: str
    by: str
    at: int


@dataclass(frozen=True, slots=True)
class Life:
    """Empty for an item that was only ever published."""

    drafts: tuple[Draft, ...] = ()
    candidate: Candidate | None = None
    publications: tuple[Publication, ...] = ()
    consumers: tuple[Consumer, ...] = ()
    retired: Retirement | None = None
    commands: tuple[str, ...] = ()

    def publication(self, version: int) -> Publication:
        """Of an edition; empty for one that was published before documents were named."""
        return next((p for p in self.publications if p.version == version), Publication(version, "", "", 0, (), ()))

    def remember(self, command_id: str) -> Life:
        """The same after one more command."""
        return replace(self, commands=(*self.commands, command_id)[-REMEMBERED:])


BORN = Life()
Texts = list[str]  # as JSON has them
Rows = list[list[Any]]


def to_text(life: Life) -> str:
    """A life as its row holds it: tuples as JSON lists."""
    values = [life.drafts, life.candidate, life.publications, life.consumers, life.retired, life.commands]
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


def from_text(text: str) -> Life:
    """The inverse of `to_text`."""
    drafts, candidate, publications, consumers, retired, commands = json.loads(text)
    return Life(
        tuple(Draft(*draft) for draft in drafts),
        None if candidate is None else _candidate(*candidate),
        tuple(_publication(*publication) for publication in publications),
        tuple(Consumer(name, tuple(fields), by, at) for name, fields, by, at in consumers),
        None if retired is None else Retirement(*retired),
        tuple(commands),
    )


def _candidate(version: int, definition: str, replaces: Texts, by: str, at: int, seals: Rows) -> Candidate:
    return Candidate(version, definition, tuple(replaces), by, at, tuple(Seal(*seal) for seal in seals))


def _publication(version: int, number: str, by: str, at: int, replaces: Texts, seals: Rows) -> Publication:
    return Publication(version, number, by, at, tuple(replaces), tuple(Seal(*seal) for seal in seals))
