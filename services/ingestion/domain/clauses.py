"""Where a demand of the catalogue comes from: item, edition and field, and the law that the item rests on."""

from __future__ import annotations

from services.ingestion.domain.definition import Item, LegalBasis
from services.ingestion.domain.not_collected import NotCollected


def clause(item: Item, field: str) -> str:
    """E.g. `org-penalty/1 CF_WSH; 中华人民共和国行政处罚法第四十八条`."""
    return f"{item.code}/{item.version} {field}; {'; '.join(map(_law, item.legal_basis[:1]))}"


def keeping_out(item: Item, field: str, rule: NotCollected) -> str:
    """The same, with the law that keeps something out of the item."""
    return f"{item.code}/{item.version} {field}; {_law(rule)}"


def _law(basis: LegalBasis | NotCollected) -> str:
    """Whoever is told of a law that nobody has checked at its source is told that too."""
    return f"{basis.document}{basis.article}" + (" (unverified)" if basis.verification == "unverified" else "")
