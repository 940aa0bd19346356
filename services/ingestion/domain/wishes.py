"""Commands about a catalogue item as values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from services.ingestion.domain.definition import Item
from services.ingestion.domain.faults import Fault

Table = Mapping[str, Any]


class Asker(NamedTuple):
    """Which command, sent by whom, decided when (milliseconds since 1970)."""

    command_id: str
    by: str = ""
    at: int = 0


class Proposal(NamedTuple):
    """A definition that was read: canonical text, and the item if nothing is wrong with it."""

    code: str
    version: int
    definition: str
    item: Item | None


class DraftItem(NamedTuple):
    """`draft_item`: what a unit proposes."""

    asker: Asker
    code: str
    proposal: Proposal
    unit: str
    faults: tuple[Fault, ...]


class MergeDrafts(NamedTuple):
    """`merge_drafts` (归一): one definition in the place of several drafts."""

    asker: Asker
    code: str
    proposal: Proposal
    replaces: tuple[str, ...]
    faults: tuple[Fault, ...]


class ConfirmItem(NamedTuple):
    """`confirm_item` (盖章): a responsible unit stands by the merged draft."""

    asker: Asker
    code: str
    version: int
    unit: str
    document: str
    faults: tuple[Fault, ...]


class PublishItem(NamedTuple):
    """`publish_item`: the edition comes into force; a rehearsal is answered as it would be and changes nothing."""

    asker: Asker
    code: str
    proposal: Proposal
    schema_id: int
    document_number: str
    rehearsal: bool
    faults: tuple[Fault, ...]


class RetireItem(NamedTuple):
    """`retire_item`: no new reports from now on."""

    asker: Asker
    code: str
    reason: str
    document_number: str
    faults: tuple[Fault, ...]


class RegisterConsumer(NamedTuple):
    """`register_consumer`: who reads which fields; no fields: it reads the item no longer."""

    asker: Asker
    code: str
    consumer: str
    fields: tuple[str, ...]
    faults: tuple[Fault, ...]


Wish = DraftItem | MergeDrafts | ConfirmItem | PublishItem | RetireItem | RegisterConsumer


def canonical(definition: Table) -> str:
    """A definition as text: equal definitions give equal texts."""
    return json.dumps(definition, ensure_ascii=False, separators=(",", ":"))
