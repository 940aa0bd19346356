"""A right value of a field, as text: what a fault shows to whoever sent a wrong one."""

from __future__ import annotations

from services.ingestion.domain.definition import Field
from services.ingestion.domain.formats import EXAMPLES

PERSON_NAME = "演示某"


def example(field: Field) -> str:
    """From its code list, its format or its type; never what was sent."""
    if field.code_list:
        return field.code_list[0].removesuffix("*")
    if field.format:
        return EXAMPLES[field.format]
    if field.type in ("int", "money_fen"):
        return str(min(max(int(EXAMPLES[field.type]), field.minimum), field.maximum))
    if field.sensitivity == "person_name":
        return PERSON_NAME[: field.max_length]
    return EXAMPLES[field.type][: field.max_length] if field.type == "string" else EXAMPLES[field.type]
