"""The masking rule of a field: what may be seen of a value where the whole of it may not be shown."""

from __future__ import annotations

from services.ingestion.domain.definition import Field, Mask

HIDDEN = "*"
DEFAULTS = {  # for sensitive fields whose item names no mask of its own; nothing of a value that is not understood
    "person_name": Mask(1, 0),
    "person_code": Mask(2, 2),
    "contact": Mask(3, 4),
    "commercial": Mask(0, 0),
}


def mask_of(field: Field) -> Mask | None:
    """The rule of a field; None: it is shown whole."""
    if field.sensitivity == "none":
        return None
    return field.mask or DEFAULTS.get(field.sensitivity, Mask(0, 0))


def masked(text: str, mask: Mask) -> str:
    """The text with everything but its two ends hidden; at least half of it is, however short it is."""
    room = len(text) // 2
    left = min(mask.left, room)
    right = min(mask.right, room - left)
    end = text[len(text) - right :] if right else ""
    return text[:left] + HIDDEN * (len(text) - left - right) + end
