"""What the law keeps out of an item although the item takes its kind: told by words in some of its fields.

Data of the item (`[[not_collected]]`): the fields that are looked at, and either `words` that give it away (简易程序)
or `holds = "subject_name"`, where a text must not name whom the record is about. With it the rule in both languages,
the law, and how far its text was verified. Whatever door it came by, a submission that shows it is refused with
`NOT_COLLECTED`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from services.ingestion.domain import terms
from services.ingestion.domain.faults import Fault
from services.ingestion.domain.reader import Reader

SUBJECT_NAME = "subject_name"
SHORTEST_NAME = 2  # one character names nobody, and is in every text


@dataclass(frozen=True, slots=True)
class NotCollected:
    """One such rule. `example`: what may stand in such a field; empty: any right value of the field."""

    fields: tuple[str, ...]
    words: tuple[str, ...]
    holds: str
    zh: str
    en: str
    document: str
    article: str
    verification: str
    example: str = ""

    def found(self, text: str, name: str) -> int | None:
        """Where in a text (counted from 1) it shows, if it does; `name`: the subject's, as the envelope has it."""
        wanted = (*self.words, name) if self.holds and len(name) >= SHORTEST_NAME else self.words
        places = [at for word in wanted if (at := text.find(word)) >= 0]
        return min(places) + 1 if places else None


def read_rules(tables: list[Mapping[str, Any]], faults: list[Fault]) -> tuple[NotCollected, ...]:
    """The rules of a definition; what is wrong with them is added to `faults`."""
    return tuple(_rule(table, f"not_collected[{i}].", faults) for i, table in enumerate(tables))


def _rule(table: Mapping[str, Any], where: str, faults: list[Fault]) -> NotCollected:
    entry = Reader(table, where, faults)
    found = NotCollected(
        fields=entry.texts("fields"),
        words=entry.texts("words", (), ()),
        holds=entry.one_of("holds", ("", SUBJECT_NAME), ""),
        zh=entry.text("zh"),
        en=entry.text("en"),
        document=entry.text("document"),
        article=entry.text("article"),
        verification=entry.one_of("verification", terms.VERIFICATIONS),
        example=entry.text("example", ""),
    )
    if not (found.words or found.holds) or "" in found.words:
        entry.wrong("words", "words that give it away, or holds = subject_name")
    return found


def unknown(rules: tuple[NotCollected, ...], texts: Collection[str]) -> list[str]:
    """Fields that a rule looks at and that are no texts of the item."""
    return sorted({code for rule in rules for code in rule.fields} - set(texts))
