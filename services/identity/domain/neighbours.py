"""Which inputs can touch the same subject, alias or record, and so must be decided on one state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from services.identity.domain.records import RecordSeen
from services.identity.domain.subjects import Alias
from services.identity.domain.terms import CONFIRMED_BY_NAME, EXACT, REGISTRATION


def touched(given: RecordSeen) -> Iterator[bytes]:
    """The ids that deciding on this version reads or writes."""
    yield given.record_id
    if given.named.id:
        yield given.named.id
    for claim in given.claims:
        yield claim.subject.id
        yield claim.alias.id


def subject_ids(given: Iterable[RecordSeen]) -> set[bytes]:
    """The subjects that these may register, name or give a code."""
    named = {one.named.id for one in given if one.named.kind == "uscc" and one.named.id}
    return named | {claim.subject.id for one in given for claim in one.claims}


def renewed(given: Iterable[RecordSeen]) -> set[bytes]:
    """The subjects of which these may say something new even if they are known."""
    news = [one for one in given if one.item == REGISTRATION or one.claims]
    return {one.named.id for one in news} | {claim.subject.id for one in news for claim in one.claims}


def alias_kinds(given: Iterable[RecordSeen]) -> dict[bytes, str]:
    """The aliases that these look up or bring, with their kinds."""
    named = {one.named.id: one.named.kind for one in given if one.named.kind not in EXACT and one.named.id}
    return named | {claim.alias.id: claim.alias.kind for one in given for claim in one.claims}


def naming(given: Iterable[RecordSeen]) -> set[bytes]:
    """The subjects that these may give a name."""
    return {one.named.id for one in given if one.item == REGISTRATION and one.named.id}


def confirmed(given: Iterable[RecordSeen], aliases: Mapping[bytes, Alias]) -> set[bytes]:
    """The subjects whose name decides about these."""
    named = [aliases[one.named.id] for one in given if one.named.kind in CONFIRMED_BY_NAME and one.named.id]
    return {alias.subject_id for alias in named if alias.subject_id is not None}


class Groups:
    """Ids that belong together, found by joining one set after the other (union-find with path halving)."""

    def __init__(self) -> None:
        self._parent: dict[bytes, bytes] = {}

    def of(self, one: bytes) -> bytes:
        """The id that stands for the group."""
        parent = self._parent
        while (above := parent.setdefault(one, one)) != one:
            parent[one] = one = parent[above]
        return one

    def join(self, ids: Iterable[bytes]) -> None:
        """These belong together."""
        first: bytes | None = None
        for one in ids:
            root = self.of(one)
            if first is None:
                first = root
            else:
                self._parent[root] = first
