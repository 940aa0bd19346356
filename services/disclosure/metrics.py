"""Business metrics: name, help, labels."""

from __future__ import annotations

from functools import cache

from prometheus_client import Counter, Gauge

CHANGES = Counter("credit_disclosure_changes_total", "What was said on the change feeds.", ["feed", "change"])
RECORDS = Counter(
    "credit_disclosure_records_total",
    "Record versions by what came of them: stands, waits (edition not here yet), ignored (older or after withdrawal).",
    ["outcome"],
)
EDITIONS = Gauge("credit_disclosure_editions", "Editions of catalogue items known.")
ERASED = Counter("credit_disclosure_subjects_erased_total", "Persons of whom nothing is shown any more.")
ANSWERS = Counter("credit_disclosure_answers_total", "gRPC calls by what came of them.", ["method", "outcome"])

LATE = Counter(
    "credit_disclosure_late_total",
    "Records that the public saw after their days were over, by who answers for it: sender, platform.",
    ["agency", "item", "charged"],
)

change_said = cache(CHANGES.labels)  # a child is looked up under a lock: once for each kind, not for each record
record_came_to = cache(RECORDS.labels)
public_too_late = cache(LATE.labels)
