"""Why a command about persons' keys is refused."""

from __future__ import annotations

from typing import NamedTuple

REASON_LIMIT = 500


class Refusal(NamedTuple):
    """In the form that commands are answered in."""

    code: str
    field: str
    rule: str
    clause: str
    message_zh: str
    message_en: str
    example: str


SUBJECT_ID_FORMAT = Refusal(
    "SUBJECT_ID_FORMAT", "subject_id", "32 hexadecimal digits", "", "主体标识格式有误",
    "this is no subject id", "00112233445566778899aabbccddeeff",
)  # fmt: skip
NOT_A_PERSON = Refusal(
    "NOT_A_PERSON", "subject_id", "only natural persons are erased", "", "该主体不是自然人",
    "this subject is an organisation or a sole trader", "",
)  # fmt: skip
REASON_MISSING = Refusal(
    "REASON_MISSING", "reason", f"1 to {REASON_LIMIT} characters", "", "必须说明理由", "a reason must be given", ""
)
REASON_NAMES = Refusal(
    "REASON_NAMES", "reason", "no code of a person or an organisation", "", "理由中不得含主体代码",
    "the reason must not hold a code of a person or an organisation: it is kept for ever", "",
)  # fmt: skip
KEK_ID_FORMAT = Refusal(
    "KEK_ID_FORMAT", "kek_id", "16 hexadecimal digits", "", "密钥标识格式有误", "this is no id of a key", ""
)
KEK_USED_BEFORE = Refusal(
    "KEK_USED_BEFORE", "kek_id", "a key that was replaced never comes back", "", "该密钥已被替换，不得再次启用",
    "this key was replaced before: make a new one", "",
)  # fmt: skip
