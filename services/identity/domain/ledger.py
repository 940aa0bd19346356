"""What people decided, and what is needed to change links: part of the state only where links may change."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from services.identity.domain.terms import Decision, Judged, Verdict


class Mapped(NamedTuple):
    """What a mapping claims: whose the code is. `code` is empty where it may be a person's."""

    alias_id: bytes
    subject_id: bytes
    kind: str
    code: str


class Judgement(NamedTuple):
    """What somebody said of two subjects; `one` stands for `other` where they were merged."""

    number: int
    verdict: Judged
    one: bytes
    other: bytes
    by: str
    reason: str
    at_ms: int

    @property
    def means(self) -> Verdict:
        """What it says about the two being one."""
        return MEANS.get(self.verdict) or "UNSURE"


MEANS: Mapping[str, Verdict] = {
    "SAME": "SAME",
    "MERGED": "SAME",
    "NOT_SAME": "NOT_SAME",
    "UNMERGED": "NOT_SAME",
}


class Claimed(NamedTuple):
    """Who has taken a version in review, until when, and what was proposed where two must decide."""

    by: str | None = None
    until_ms: int = 0
    proposed_by: str | None = None
    proposed: Decision | None = None


class Answer(NamedTuple):
    """How a command was answered: codes of faults (none: done) and what was done, as JSON."""

    faults: tuple[str, ...] = ()
    detail: str | None = None


Pair = frozenset[bytes]
Place = tuple[bytes, int]  # a version: record id and number


class Ledger(NamedTuple):
    """`members`: records by the subject that their code names, as stored; `newest` is the judgement that stands."""

    number: int = 0
    mappings: Mapping[bytes, Mapped] = MappingProxyType({})
    newest: Mapping[Pair, Judgement] = MappingProxyType({})
    members: Mapping[bytes, frozenset[bytes]] = MappingProxyType({})
    claims: Mapping[Place, Claimed] = MappingProxyType({})
    answered: Mapping[str, Answer] = MappingProxyType({})


NOTHING = Ledger()
