"""Why the stack cannot do what it was asked to."""

from __future__ import annotations


class StackFault(Exception):
    """One line for the operator: what is wrong and, behind a colon, what to do about it."""
