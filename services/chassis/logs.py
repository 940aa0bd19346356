"""Logs: one JSON object a line, one event name, and nothing in it that could name anybody."""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Generator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, cast

import structlog
from structlog.typing import EventDict, WrappedLogger

from services.chassis.settings import Settings

REDACTED = "[redacted]"
# Only these keys are written as they are; a service allows its own in `main.py`.
# fmt: off
_allowed: set[str] = {
    "event", "level", "at", "service", "worker", "trace_id", "logger", "where", "error", "sqlstate", "table",
    "constraint", "what", "why", "kind", "reason", "topic", "topic_family", "partition", "offset", "lanes",
    "republished", "applied", "count", "messages", "seconds", "attempt", "attempts", "name", "code",
    "schema_id", "method", "port", "status", "version",
}
# fmt: on

# Eighteen letters and digits (USCC, resident id), fifteen digits (old registration number, old resident id), eight
# plus one (organisation code) - each alone or inside other text; and every run of Chinese, which may be a name.
LOOKS_LIKE_AN_ID = re.compile(
    r"(?<![0-9A-Za-z])(?=[0-9A-Za-z]*\d)[0-9A-Za-z]{18}(?![0-9A-Za-z])"
    r"|\d{17}[0-9Xx]|\d{15}|(?<![0-9A-Za-z])[0-9A-Z]{8}-[0-9X](?![0-9A-Za-z])"
)
CHINESE = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]+")
TRACEPARENT = re.compile(rb"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


def scrub(text: str) -> str:
    """Text without anything that looks like an identifier or a Chinese name."""
    return CHINESE.sub(REDACTED, LOOKS_LIKE_AN_ID.sub(REDACTED, text))


def allow(*keys: str) -> None:
    """Let these keys be written; for the composition root of a service."""
    _allowed.update(keys)


def redact(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Drop what comes under an unknown key, and scrub the rest."""
    return {key: _safe(value) if key in _allowed else REDACTED for key, value in event.items()}


def _safe(value: object) -> object:
    if value is None or isinstance(value, (bool, float)):
        return value
    if isinstance(value, int):
        return value if LOOKS_LIKE_AN_ID.search(str(value)) is None else REDACTED
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, (list, tuple)):
        return [_safe(item) for item in cast("list[object]", value)]
    return f"<{type(value).__name__}>"  # bytes, records, exceptions: their text may hold anything


PROCESSORS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    redact,
    structlog.processors.JSONRenderer(sort_keys=True),
]


def configure(settings: Settings) -> None:
    """Everything this process says goes to stderr in this form: ours, the libraries', and the last words of a bug."""
    structlog.configure(processors=PROCESSORS, logger_factory=_to_stderr)
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(service=settings.service, worker=settings.worker)
    logging.basicConfig(level=logging.WARNING, handlers=[_Libraries()], force=True)
    sys.excepthook = last_words


def _to_stderr(*_: object) -> structlog.PrintLogger:
    return structlog.PrintLogger(sys.stderr)  # asked for each time: whoever replaces stderr is followed


def log(event: str, /, **fields: object) -> None:
    """Write one event."""
    _write("info", event, fields)


def warn(event: str, /, **fields: object) -> None:
    """Write an event that somebody may want to look at."""
    _write("warning", event, fields)


def log_error(event: str, error: BaseException, /, **fields: object) -> None:
    """Write an error: its type, where it came from and what the database calls it, never its text as it is."""
    _write("error", event, {**fields, **describe(error)})


def _write(level: str, event: str, fields: dict[str, object]) -> None:
    getattr(structlog.get_logger(), level)(event, **fields)


def describe(error: BaseException) -> dict[str, object]:
    """What may be said of an exception; a driver's text may quote the row, so that it is left out there."""
    frames = traceback.extract_tb(error.__traceback__)
    said: dict[str, object] = {
        "error": type(error).__name__,
        "where": [f"{frame.filename.rpartition('/services/')[2]}:{frame.lineno} {frame.name}" for frame in frames[-8:]],
    }
    if (sqlstate := getattr(error, "sqlstate", None)) is not None:
        said |= {"sqlstate": sqlstate, "table": getattr(error, "table_name", None)}
        said["constraint"] = getattr(error, "constraint_name", None)
    elif error.args and isinstance(error.args[0], str):
        said["reason"] = error.args[0]
    return said


def last_words(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """The hook for what nobody catches: a bug (or settings that are wrong); the supervisor starts us again."""
    if not issubclass(kind, KeyboardInterrupt):
        log_error("died_of_a_bug", error)


@contextmanager
def traced(traceparent: bytes | None) -> Generator[None]:
    """Bind the W3C trace id of a message or call to everything logged inside."""
    found = TRACEPARENT.fullmatch(traceparent or b"")
    if found is None:
        yield
        return
    with structlog.contextvars.bound_contextvars(trace_id=found[1].decode()):
        yield


class _Libraries(logging.Handler):
    """What libraries log, as events of ours; their exceptions are described, not printed."""

    def emit(self, record: logging.LogRecord) -> None:
        level = record.levelname.lower() if record.levelno <= logging.CRITICAL else "error"
        said = describe(record.exc_info[1]) if record.exc_info and record.exc_info[1] else {}
        _write(level, "library", {"logger": record.name, "reason": record.getMessage(), **said})
