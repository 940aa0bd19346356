"""What goes through a lane and what comes out of it."""

from __future__ import annotations

from typing import NamedTuple

Headers = tuple[tuple[str, bytes], ...]


class Message(NamedTuple):
    """One message read from a lane; for a timer `key` and `value` are the timer's key and body."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes | None
    headers: Headers
    timestamp_ms: int

    def header(self, name: str) -> bytes | None:
        """The first header of that name."""
        for key, value in self.headers:
            if key == name:
                return value
        return None


class Outgoing(NamedTuple):
    """One event to publish. `kind` and `subject` become `ce_type` and `ce_subject` on topics that outsiders read."""

    topic: str
    key: bytes
    value: bytes
    partition: int | None = None
    headers: Headers = ()
    kind: str = ""
    subject: str = ""


class Timer(NamedTuple):
    """Fires once, in the lane whose message set it; the same (key, kind) set again moves it."""

    due_at_ms: int
    key: bytes
    kind: str
    body: bytes = b""


class Moment(NamedTuple):
    """The only clock business code sees: when this batch was opened, in milliseconds since 1970 (UTC)."""

    now_ms: int
