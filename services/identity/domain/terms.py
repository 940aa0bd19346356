"""The closed sets of identity's own words."""

from __future__ import annotations

from typing import Literal

REGISTRATION = "enterprise-registration"  # the one item that names a subject
MAPPING = "code-mapping"  # the one item that brings old codes
PERSON = "person"  # the kind of subject of whom nothing is told but by a subject id
SUBJECT_ID = "subject_id"  # the kind of code by which a sealed record names a person
EXACT = frozenset({"uscc", SUBJECT_ID})  # these kinds name a subject without anything that has to bring them

Change = Literal["REGISTERED", "CODE_ADDED", "CODE_REMOVED", "NAMED", "MERGED", "UNMERGED"]
Cause = Literal["MERGED", "UNMERGED", "MAPPING_CHANGED", "LINKED_AGAIN"]  # why a link changed
Verdict = Literal["SAME", "NOT_SAME", "UNSURE"]
Judged = Literal["SAME", "NOT_SAME", "UNSURE", "MERGED", "UNMERGED"]
Decision = Literal["link", "leave", "reject"]

BY_PERSON = "REVIEW"  # the rule of a link that a person made

Reason = Literal[
    "PERSON_NOT_SUPPORTED_YET",  # a record about a person that was not sealed: taken in before persons had keys
    "CODE_PLACEHOLDER",  # seventeen zeros and X stand for many
    "CODE_MALFORMED",
    "CODE_KIND_UNKNOWN",
    "CODE_UNKNOWN",  # well formed, but no mapping or registration has brought it yet
    "CODE_AMBIGUOUS",  # two registrations hold the same organisation code: exact only if unique
    "ALIAS_CONFLICT",  # a mapping claims a code that is another subject's
    "MAPPING_UNREADABLE",
    "NAME_UNKNOWN",  # the number is known, but no registration has named its subject yet
    "NAME_DIFFERS",  # the number is known, but the record calls its subject otherwise than the registration does
    "SUBJECT_CHANGED",  # a correction names another subject than the record is linked to
]

# Numbers of other registers: they link only where the name is equal too.
CONFIRMED_BY_NAME = frozenset({"tax_no"})

# A later version that names its subject well speaks for these earlier ones too: they said nothing to the contrary.
CURED_BY_LATER: frozenset[Reason] = frozenset(
    {"CODE_PLACEHOLDER", "CODE_MALFORMED", "CODE_KIND_UNKNOWN", "CODE_UNKNOWN", "NAME_UNKNOWN"}
)
