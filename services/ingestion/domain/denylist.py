"""What must not be collected about natural persons: by name and by content when an item is published.

At the door only what can be told by its form is looked for: identity numbers (validators.py).
"""

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
# Field codes that say it in pinyin, and values that give a forbidden attribute away whatever its field is called.
NEVER_CODES = frozenset({
    "xingbie", "nianling", "minzu", "zongjiao", "xuexing", "hunyin", "hyzk", "xueli", "zhaopian", "jibing",
    "sfzh", "sfzhm", "gmsfhm", "zjhm", "fr_zjhm", "xdr_zjhm",
})  # fmt: skip
TELLING = frozenset({
    "男", "女", "男性", "女性", "male", "female", "未婚", "已婚", "离异", "丧偶", "married", "unmarried", "divorced",
    "汉族", "土家族", "苗族", "回族", "壮族", "满族", "侗族",
    "佛教", "道教", "基督教", "天主教", "伊斯兰教", "无宗教信仰",
    "A型", "B型", "O型", "AB型", "A型血", "B型血", "O型血", "AB型血",
})  # fmt: skip
TELLING_OF_PERSONS = frozenset({"文盲", "小学", "初中", "高中", "中专", "大专", "本科", "硕士", "博士", "研究生"})


def forbidden_name(name_zh: str, name_en: str, subject_kinds: Sequence[str]) -> bool:
    """Whether a field of this name may not be part of an item about these kinds of subject."""
    english = f" {name_en.lower()} "
    if any(word in name_zh for word in NEVER_ZH) or any(f" {word.strip()}" in english for word in NEVER_EN):
        return True
    if not set(subject_kinds) & set(NATURAL):
        return False
    return any(word in name_zh for word in CONSENT_ZH) or any(word in english for word in CONSENT_EN)


def forbidden_code(code: str) -> bool:
    """Whether a field's code alone says that it must not be part of any item."""
    plain = code.lower()
    english = plain.replace("_", " ")
    return plain.removeprefix("xk_").removeprefix("cf_") in NEVER_CODES or forbidden_name("", english, ())


def forbidden_values(values: Sequence[str], subject_kinds: Sequence[str]) -> bool:
    """Whether entries of a code list, or samples, tell what must not be collected."""
    telling = TELLING | TELLING_OF_PERSONS if set(subject_kinds) & set(NATURAL) else TELLING
    plain = [value.strip().removesuffix("*") for value in values]
    if any(value in telling or value.lower() in telling for value in plain):
        return True
    return any(word in value for value in plain for word in NEVER_ZH)
