"""Loads and saves joint actions and departments, many at a time, inside the caller's transaction."""

from __future__ import annotations

from services.sanctions.store.departments import known_departments, load_departments, save_departments
from services.sanctions.store.loading import find_records, load
from services.sanctions.store.saving import save

__all__ = ["find_records", "known_departments", "load", "load_departments", "save", "save_departments"]
