"""What must not be collected about natural persons: by name when an item is published, by content at the door."""

from __future__ import annotations

from collections.abc import Sequence

# domain.md §7.5. Forbidden by the regulations, and what we refuse although the real system holds it.
NEVER_ZH = (
    "宗教", "信仰", "基因", "指纹", "血型", "疾病", "病史", "民族", "婚姻", "学历", "出生地", "居住地址", "照片",
    "死亡", "性别", "年龄", "虹膜", "人脸", "行踪", "举报人", "身份证", "身份号码",
)  # fmt: skip
NEVER_EN = (
    "religion", "gene ", "genetic", "fingerprint", "blood", "disease", "medical history", "ethnic", "marital",
    "education", "birthplace", "home address", "photo", "death", "sex", "gender", "biometric", "informer", "identity",
)  # fmt: skip
# Only with written consent, which nothing here can prove yet: refused for everybody who is a natural person.
CONSENT_ZH = ("收入", "存款", "有价证券", "商业保险", "不动产", "纳税数额")
CONSENT_EN = ("income", "deposit", "securities", "insurance", "real estate", "tax paid")
NATURAL = ("person", "sole_trader")


def forbidden_name(name_zh: str, name_en: str, subject_kinds: Sequence[str]) -> bool:
    """Whether a field of this name may not be part of an item about these kinds of subject."""
    english = f" {name_en.lower()} "
    if any(word in name_zh for word in NEVER_ZH) or any(f" {word.strip()}" in english for word in NEVER_EN):
        return True
    if not set(subject_kinds) & set(NATURAL):
        return False
    return any(word in name_zh for word in CONSENT_ZH) or any(word in english for word in CONSENT_EN)
