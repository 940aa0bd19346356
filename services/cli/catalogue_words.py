"""The closed sets of a definition in words, Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SAID: dict[str, dict[str, tuple[str, str]]] = {
    "category": {
        "registration": ("登记注册", "Registration"),
        "administrative": ("行政管理", "Administrative acts"),
        "judicial": ("司法裁判及执行", "Courts"),
        "profession": ("职业人群", "Professions"),
        "abnormal_list": ("经营异常名录", "Abnormal operation"),
        "serious_list": ("失信名单", "Lists of serious breaches"),
        "contract": ("合同履行", "Contracts"),
        "commitment": ("信用承诺及履行", "Commitments"),
        "evaluation": ("分类监管结果", "Classification by regulators"),
        "honour": ("红名单和荣誉", "Red lists and honours"),
        "government": ("政务诚信", "Government integrity"),
        "joint_action": ("联合奖惩", "Joint action"),
        "": ("其他", "Other"),
    },
    "class": {
        "basic": ("基本", "basic"),
        "positive": ("良好", "positive"),
        "negative": ("不良", "negative"),
        "other": ("其他", "other"),
    },
    "disclosure": {
        "public": ("公开公示", "public"),
        "government": ("政务共享", "government"),
        "authorised": ("授权查询", "on authorisation"),
    },
    "subject_kinds": {
        "org": ("法人及非法人组织", "organisations"),
        "sole_trader": ("个体工商户", "sole traders"),
        "person": ("自然人", "persons"),
    },
    "frequency": {
        "on_event": ("实时", "on the event"),
        "daily": ("每日", "daily"),
        "weekly": ("每周", "weekly"),
        "monthly": ("每月", "monthly"),
        "quarterly": ("每季", "quarterly"),
        "yearly": ("每年", "yearly"),
    },
    "unit": {"calendar": ("日", "calendar days"), "working": ("工作日", "working days")},
    "sharing": {
        "unconditional": ("无条件共享", "shared without conditions"),
        "conditional": ("有条件共享", "shared on conditions"),
        "withheld": ("不予共享", "not shared"),
    },
    "sensitivity": {
        "none": ("可披露", "may be disclosed"),
        "person_name": ("姓名，不公示", "person's name, not shown"),
        "person_code": ("个人证号，不公示", "person's number, not shown"),
        "contact": ("联系方式，不公示", "contact, not shown"),
        "commercial": ("商业秘密，不披露", "commercial secret, hidden"),
    },
    "verification": {
        "official": ("已核对官方文本", "read in the official text"),
        "text_copy": ("已核对文本副本", "read in a copy"),
        "seed": ("依据通知", "from the notice"),
        "unverified": ("未核实", "not verified"),
    },
    "state": {
        "open": ("接收报送", "takes reports"),
        "closed": ("暂未开放", "not open yet"),
        "retired": ("已停用", "retired"),
    },
    "level": {"province": ("省级", "province"), "city": ("市级", "city"), "county": ("县级", "county")},
    "required": {"mandatory": ("必填", "mandatory"), "optional": ("选填", "optional")},
}


def zh(kind: str, code: str) -> str:
    """The code with its Chinese; the code alone for one that is not known here."""
    said = SAID[kind].get(code)
    return f"{code} {said[0]}" if said and code else code


def both(kind: str, code: str) -> str:
    """Chinese and English; the code itself for one that is not known here."""
    return " ".join(SAID[kind].get(code, (code,)))


def kept_out(rule: Mapping[str, Any]) -> str:
    """A rule of what the law keeps out of an item, with the fields that show it and how far its law was verified."""
    law = f"{rule['document']} {rule['article']}（{both('verification', rule['verification'])}）"
    return f"{rule['zh']} {rule['en']}: {', '.join(rule['fields'])}; {law}"
