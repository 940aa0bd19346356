"""Business metrics: name, help, labels."""

from __future__ import annotations

from functools import cache

from prometheus_client import Counter

LINKED = Counter("credit_identity_linked_total", "Record versions linked, by rung of the ladder.", ["rule"])
HELD = Counter("credit_identity_held_total", "Record versions that went to review, by why.", ["reason"])
RELEASED = Counter(
    "credit_identity_released_total", "Record versions that left review, linked, superseded or rejected.", ["how"]
)
OVERTAKEN = Counter("credit_identity_overtaken_total", "Record versions that came after a newer one was linked.")
MOVED = Counter("credit_identity_moved_total", "Records whose link changed without a new version, by why.", ["cause"])
ORDERS = Counter("credit_identity_orders_total", "What people ordered, and whether it was done.", ["order", "outcome"])
SUBJECTS = Counter("credit_identity_subjects_total", "What was said about subjects.", ["change"])
CONTESTED = Counter("credit_identity_contested_codes_total", "Codes that two registrations hold.")

RELATIONS = Counter("credit_identity_relations_total", "Offices in organisations that records told of.", ["what"])
FAULTY = Counter(
    "credit_identity_faulty_codes_total", "Versions whose code is unmapped, wrong or duplicate.", ["fault"]
)

linked_by = cache(LINKED.labels)  # a child is looked up under a lock: once for each rung, not for each record
subject_said = cache(SUBJECTS.labels)
KEYS_MADE = Counter("credit_identity_keys_made_total", "Keys of persons who were first asked for.")
KEYS_ASKED = Counter("credit_identity_keys_asked_total", "Documents that keys were asked for, by answer.", ["answer"])
KEYS_DENIED = Counter("credit_identity_keys_denied_total", "Calls of the key service that were turned away.", ["why"])
KEYS_REWRAPPED = Counter("credit_identity_keys_rewrapped_total", "Keys wrapped anew after a rotation.")
ERASED = Counter("credit_identity_persons_erased_total", "Persons whose key was destroyed.")
