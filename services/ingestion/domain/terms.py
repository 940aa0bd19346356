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
SENSITIVITIES = ("none", "person_name", "person_code", "contact", "commercial")
CATEGORIES = (  # of the national catalogue, domain.md §9.1; government records and joint action beside them
    "registration", "administrative", "judicial", "profession", "abnormal_list", "serious_list", "contract",
    "commitment", "evaluation", "honour", "government", "joint_action",
)  # fmt: skip
FREQUENCIES = ("on_event", "daily", "weekly", "monthly", "quarterly", "yearly")
INTAKES = ("open", "closed")  # closed: published, so that everybody may prepare, but nothing is taken yet
LEVELS = ("province", "city", "county")  # 省 市 县
SHARINGS = ("unconditional", "conditional", "withheld")  # 无条件共享 有条件共享 不予共享
PERIODS = ("while_registered", "while_listed", "permanent")  # beside an ISO 8601 duration such as P3Y
