"""Loads and saves clusters, many at a time, inside the caller's transaction."""

from __future__ import annotations

from services.identity.store.loading import load
from services.identity.store.pepper import PepperChanged, guard
from services.identity.store.saving import save

__all__ = ["PepperChanged", "guard", "load", "save"]
