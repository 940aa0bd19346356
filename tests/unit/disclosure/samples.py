"""Made-up versions of records for disclosure's tests."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import reduce

from services.disclosure.domain.events import Event, RecordChanged, Shown
from services.disclosure.domain.inputs import Input, RecordSeen
from services.disclosure.domain.subject_file import EMPTY, SubjectFile, decide, evolve
from services.disclosure.domain.terms import FEEDS, Feed

JIA, YI = b"subject of jia  ", b"subject of yi   "
RECORD = b"record of jia   "
DAY = date(2017, 9, 28)
AT_MS = 1_506_657_700_000


def shown(**fields: str) -> Shown:
    """What is shown of a permit with these fields."""
    return Shown("org-permit", 1, "420000-hbt", "s-1", "91420100MA4KLM0N5H", "演示甲有限公司", DAY, 1, fields)


def seen(
    version: int = 1,
    *,
    record_id: bytes = RECORD,
    subject_id: bytes = JIA,
    action: str = "report",
    feeds: tuple[Feed, ...] = FEEDS,
    fields: Mapping[str, str] | None = None,
) -> RecordSeen:
    """One version of a record; as from the reader, a withdrawal and what nobody may have come without content."""
    content = shown(**({"XK_NR": "演示内容"} if fields is None else fields))
    bare = action == "withdraw" or not feeds
    return RecordSeen(record_id, version, subject_id, action, feeds, None if bare else content, AT_MS + version)


def tell(*given: Input, file: SubjectFile = EMPTY) -> tuple[SubjectFile, list[Event]]:
    """Decide one after the other."""
    said: list[Event] = []
    for one in given:
        events = decide(file, one)
        file = reduce(evolve, events, file)
        said += events
    return file, said


def on(feed: Feed, events: list[Event]) -> list[RecordChanged]:
    """What one feed is told."""
    return [event for event in events if isinstance(event, RecordChanged) and event.feed == feed]
