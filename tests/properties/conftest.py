"""No law has a deadline: how fast a machine is says nothing about whether a law holds."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("laws", deadline=None)
settings.load_profile("laws")
