"""The closed sets of disclosure."""

from __future__ import annotations

from typing import Literal, TypeAlias

Feed: TypeAlias = Literal["public", "government"]
Change: TypeAlias = Literal["ADDED", "CORRECTED", "WITHDRAWN"]
Reason: TypeAlias = Literal["BY_AGENCY", "SUBJECT_CORRECTED", "NO_LONGER_SHARED", "SUBJECT_ERASED"]

FEEDS: tuple[Feed, ...] = ("public", "government")
CODE_KINDS = frozenset(
    {"uscc", "org_code", "reg_no", "tax_no"}
)  # of organisations: no number of a person is among them
CARD_KINDS = frozenset({"org", "sole_trader"})
