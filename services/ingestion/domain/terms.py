"""The closed sets of the field's own words."""

from __future__ import annotations

ACTIONS = ("report", "correct", "withdraw")
CLASSES = ("basic", "positive", "negative", "other")
DISCLOSURES = ("public", "government", "authorised")  # 公开公示 政务共享 授权查询
PERSON = "person"
SUBJECT_KINDS = ("org", "sole_trader", PERSON)
CODE_KINDS = {  # how a subject of each kind may be named
    "org": ("uscc", "org_code", "reg_no"),
    "sole_trader": ("uscc", "org_code", "reg_no"),
    PERSON: ("resident_id",),
}
UNITS = ("calendar", "working")
VERIFICATIONS = ("official", "text_copy", "seed", "unverified")
FIELD_TYPES = ("string", "date", "money_fen", "decimal", "int", "bool")
FORMATS = ("", "uscc", "capital", "old_code", "commitment_no")
SENSITIVITIES = ("none", "person_name")
