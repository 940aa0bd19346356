"""Business metrics: name, help, labels."""

from __future__ import annotations

from collections import Counter as Counted
from collections.abc import Iterable

from prometheus_client import Counter, Gauge

OLDEST_PENDING = Gauge(
    "credit_national_sync_oldest_pending_seconds", "How long the oldest record waits for the national answer."
)
ANSWERS = Counter(
    "credit_national_sync_answers_total", "Pushes by what came of them; refusals under one code.", ["verdict", "code"]
)
# Our own codes for a push without an answer, and the two verdicts of the platform; its refusal codes are open-ended.
CODES = frozenset(
    {"ACK", "BUSY", "UNREACHABLE", "TIMEOUT", "HTTP_ERROR", "GARBAGE", "NO_ANSWER", "UNMAPPABLE", "SCHEMA_UNKNOWN"}
)


def count_answers(answers: Iterable[tuple[str, str]]) -> None:
    """Pushes ended, by verdict and code; a code outside the closed set counts as OTHER."""
    for (verdict, code), count in Counted(answers).items():
        ANSWERS.labels(verdict, code if code in CODES else "OTHER").inc(count)
