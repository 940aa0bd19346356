"""What is said about a record after it was reported: corrected, withdrawn, said again, or wrongly changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from services.cli.synthetic.draft import Draft, refused, with_payload

CORRECTED = {  # the text of each item that a correction adds to
    "enterprise-registration": "registered_address",
    "org-permit": "XK_NR",
    "org-penalty": "CF_NR",
    "red-list-tax-a": "remarks",
    "black-list-environment": "facts",
    "credit-commitment": "content",
    "court-defaulter": "conduct",
}


def changed(draft: Draft) -> Draft:
    """The same record with other content."""
    field = CORRECTED[draft.item]
    return with_payload(draft, **{field: f"{draft.payload[field] or '演示'}（更正后）"})


def corrections(reported: Iterable[Draft]) -> list[Draft]:
    """A correction of each, with other content."""
    return [replace(changed(each), action="correct") for each in reported]


def withdrawals(reported: Iterable[Draft]) -> list[Draft]:
    """A withdrawal of each."""
    return [replace(each, action="withdraw") for each in reported]


def repeats(reported: Iterable[Draft]) -> list[Draft]:
    """Each once more; the sender gives it another submission_id, which makes it no news."""
    return [replace(each, expect="DUPLICATE") for each in reported]


def reused(reported: Iterable[Draft]) -> list[Draft]:
    """Other content reported under a record_no that is taken."""
    return [refused(changed(each), "RECORD_NO_REUSED") for each in reported]


def revived(withdrawn: Iterable[Draft]) -> list[Draft]:
    """Withdrawn records reported again."""
    return [refused(replace(each, action="report"), "ALREADY_WITHDRAWN") for each in withdrawn]
