"""Business metrics: name, help, labels."""

from __future__ import annotations

from prometheus_client import Counter

TASKS = Counter("credit_sanctions_tasks_total", "What was said about tasks.", ["change"])
REFUSED_LISTINGS = Counter(
    "credit_sanctions_refused_listings_total", "Listings that made no tasks, by why.", ["reason"]
)
