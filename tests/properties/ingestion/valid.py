"""Valid submissions of every item, as an agency would send them; the same for the same seed."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from services.chassis.message import Message
from services.kernel import organisation_code, uscc
from tests.unit.ingestion import samples


def body_code(chance: random.Random) -> str:
    """A social credit code of which the organisation part is right too."""
    part = f"{chance.randrange(10**8):08d}"
    return uscc.complete("914201" + "06" + part + organisation_code.check_character(part))


def valid(item: str, number: int, chance: random.Random) -> dict[str, Any]:
    """A submission as an agency would send it: texts of all lengths, optional fields left out, three actions."""
    code, decided = body_code(chance), samples.DECIDED - timedelta(chance.randrange(300))
    changes: dict[str, Any] = {}
    for field in samples.ITEMS[item].fields:
        if field.required == "optional" and chance.random() < 0.4:
            changes[field.code] = None
        elif field.type == "string" and not (field.same_as or field.format or field.code_list):
            text = "演示“内容”2017年第12号，Co. Ltd\n" * 200
            changes[field.code] = text[: chance.randint(1, min(field.max_length, 600))]
        elif field.same_as == "subject_code" or field.format == "uscc":
            changes[field.code] = code if field.same_as else body_code(chance)
        elif field.type == "date":
            changes[field.code] = decided
    return samples.record(
        item,
        payload_changes=changes,
        submission_id=f"{chance.getrandbits(64):x}",
        record_no=f"鄂-{number}",
        subject_code=code,
        decided_on=decided,
        action=chance.choice(["report", "report", "correct", "withdraw"]),
    )


def messages_of(item: str, count: int) -> list[Message]:
    """For whoever measures: valid reports of one item."""
    chance = random.Random(item)
    return [samples.sent(valid(item, i, chance) | {"action": "report"}) for i in range(count)]
