"""What has been loaded for a batch so far."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from services.identity.domain.cluster import Record
from services.identity.domain.ledger import NOTHING, Ledger
from services.identity.domain.records import Held, RecordSeen
from services.identity.domain.subjects import Alias, Subject

ReadHeld = Callable[[Sequence[bytes]], Awaitable[Sequence[RecordSeen]]]


@dataclass(slots=True)
class Found:
    """What has been loaded so far."""

    held: dict[bytes, tuple[Held, ...]] = field(default_factory=dict[bytes, tuple[Held, ...]])
    aliases: dict[bytes, Alias] = field(default_factory=dict[bytes, Alias])
    subjects: dict[bytes, Subject] = field(default_factory=dict[bytes, Subject])
    records: dict[bytes, Record] = field(default_factory=dict[bytes, Record])
    ledger: Ledger = NOTHING
    by_code: dict[bytes, RecordSeen] = field(default_factory=dict[bytes, RecordSeen])
