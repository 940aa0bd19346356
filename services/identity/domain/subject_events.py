"""What happens to subjects and to the codes by which they are known."""

from __future__ import annotations

from typing import NamedTuple

from services.identity.domain.ledger import Mapped
from services.identity.domain.subjects import Alias, Subject
from services.identity.domain.terms import Change


class SubjectChanged(NamedTuple):
    """A subject is new, gained a code, or its registered name changed; `subject` is what it is now.

    Told from the lane of whichever record brought it, so changes may come out of order; each tells the whole subject,
    and its version, counted under the subject's lock, says which stands.
    """

    subject: Subject
    change: Change
    at_ms: int


class NameConfirmed(NamedTuple):
    """A younger registration gave the same name: told to nobody, but an older one cannot overrule it any more."""

    subject_id: bytes
    named_at: int


class AliasBound(NamedTuple):
    """A code got its subject, which it keeps until nobody claims it any more, or a registration brings it too."""

    alias: Alias


class AliasContested(NamedTuple):
    """Another registration holds the same code: from now on it links nothing."""

    alias_id: bytes


class AliasFreed(NamedTuple):
    """No mapping claims the code any more, and no registration brought it: it is nobody's."""

    alias_id: bytes


class MappingStands(NamedTuple):
    """What a mapping claims from now on; None: nothing any more."""

    record_id: bytes
    mapped: Mapped | None
