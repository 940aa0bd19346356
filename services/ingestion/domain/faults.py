"""A fault: what is wrong with a submission or a command, said so that its sender can repair it."""

from __future__ import annotations

from services.ingestion.domain.codes import CODES
from services.kernel.faults import Fault

__all__ = ["Fault", "fault"]


def fault(code: str, field: str = "", example: str = "", **values: object) -> Fault:
    """The catalogue's entry for this code, about this field; `values` fill the placeholders of its texts."""
    entry = CODES[code]
    return Fault(
        code,
        field,
        entry.rule.format(**values),
        entry.clause,
        entry.zh.format(field=field, **values),
        entry.en.format(field=field, **values),
        example or entry.example,
    )
