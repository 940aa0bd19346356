"""Business metrics of ingestion, in one place; labels come from closed sets only.

They are counted while a batch is decided. A batch that is tried again after a fault counts again: they are for rates
and alerts, the exact figures are in the topics.
"""

from __future__ import annotations

from functools import cache

from prometheus_client import Counter, Gauge

RECEIPTS = Counter("credit_ingestion_receipts_total", "Receipts by outcome and item", ["outcome", "item"])
FAULTS = Counter("credit_ingestion_faults_total", "Faults and notes stated in receipts", ["code"])
CALENDAR = Gauge("credit_calendar_days_left", "Days until the last day the working-day calendar knows")
AGENCIES = Gauge("credit_ingestion_agencies", "Registered agencies")
DOOR = Counter("credit_ingestion_door_calls_total", "Calls at the gRPC door by how they ended", ["method", "outcome"])
EDITIONS = Gauge("credit_ingestion_catalogue_editions", "Published editions of catalogue items")

receipt_given = cache(RECEIPTS.labels)  # a child is looked up under a lock: once for each pair, not for each receipt
fault_stated = cache(FAULTS.labels)
door_answered = cache(DOOR.labels)
