"""A fault: what is wrong with a submission or a command, said so that its sender can repair it."""

from __future__ import annotations

from services.ingestion.domain.codes import CATALOGUE, CODES
from services.kernel.faults import Fault

__all__ = ["Fault", "cited", "fault"]


def fault(code: str, field: str = "", example: str = "", received: str = "", **values: object) -> Fault:
    """The catalogue's entry for this code, about this field; `values` fill the placeholders of its texts.

    `received` is a description by domain/received.py; a value itself never goes in.
    """
    entry = CODES[code]
    return Fault(
        code,
        field,
        entry.rule.format(**values),
        entry.clause,
        entry.zh.format(field=field, **values),
        entry.en.format(field=field, **values),
        example or entry.example,
        received,
    )


def cited(found: Fault, clause: str) -> Fault:
    """The same, where it rests on the catalogue, with the clause of the item's edition that it breaks."""
    return found._replace(clause=clause) if found.clause == CATALOGUE else found
