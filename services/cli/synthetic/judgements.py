"""Drafts of praise and blame: penalties, the red list, the black list, court defaulters."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
from typing import Any

from services.cli.synthetic.chance import day
from services.cli.synthetic.draft import FIRST_DAY, LAST_DAY, Draft, counterparty, report
from services.cli.synthetic.organisations import BODIES, Organisation

PUNISHERS = ("420000-hbt", "420000-gsj")
ENVIRONMENT, COURT, TAX = "420000-hbt", "420000-fy", "420000-gsui"
VIOLATIONS = ("演示超标排放", "演示无证经营", "演示虚假宣传", "演示台账缺失")
PENALTIES = ("警告", "罚款", "警告;罚款", "罚款;没收违法所得", "没收非法财物", "暂扣或者吊销许可证", "其他（责令改正）")


def penalties(chance: Random, organisations: Sequence[Organisation], named_by: str = "uscc") -> list[Draft]:
    """One org-penalty of each, which names it by its code of this kind."""
    return [_penalty(chance, n, each, named_by) for n, each in enumerate(organisations)]


def _penalty(chance: Random, number: int, of: Organisation, named_by: str) -> Draft:
    agency, on = chance.choice(PUNISHERS), day(chance, FIRST_DAY, LAST_DAY)
    kinds, violation, body = chance.choice(PENALTIES), chance.choice(VIOLATIONS), BODIES[agency]
    payload = counterparty("CF", of, named_by) | {
        "CF_WSH": f"演罚〔{on.year}〕{number + 1}号",
        "CF_WFXW": violation,
        "CF_SY": f"经查，当事人存在{violation}行为（虚构事实）",
        "CF_YJ": "演示条例第一条",
        "CF_CFLB": kinds,
        "CF_NR": f"决定给予：{kinds}",
        **_sums(chance, kinds),
        "CF_JDRQ": on,
        "CF_YXQ": on + timedelta(365 * chance.randint(1, 3)),
        "CF_GSJZQ": on + timedelta(365) if chance.random() < 0.5 else None,
        "CF_CFJG": body.name,
        "CF_CFJGDM": body.code,
        "CF_SJLY": body.name,
        "CF_SJLYDM": body.code,
        "BZ": None,
    }
    return report(agency, "org-penalty", f"CF-{named_by}-{number:05d}", of, on, payload, named_by)


def _sums(chance: Random, kinds: str) -> dict[str, Any]:
    """What the kinds of penalty demand to be stated; amounts are in 万元, so 0.2 is 2,000 元."""
    return {
        "CF_NR_FK": chance.choice(("0.2", "1", "2.5", "20", "0.123456")) if "罚款" in kinds else None,
        "CF_NR_WFFF": chance.choice(("0.35", "4", "12.0008")) if "没收" in kinds else None,
        "CF_NR_ZKDX": "演示许可证YS0001" if "许可证" in kinds else None,
    }


def red_list(chance: Random, organisations: Sequence[Organisation]) -> list[Draft]:
    """One red-list-tax-a entry of each; sole traders are not assessed."""
    found: list[Draft] = []
    for number, of in enumerate(_organisations_only(organisations)):
        on = day(chance, date(2019, 4, 1), date(2019, 4, 30))
        payload: dict[str, Any] = {
            "taxpayer_name": of.name,
            "taxpayer_no": of.uscc,
            "assessment_year": 2018,
            "assessed_by": BODIES[TAX].name,
            "assessed_on": on,
            "remarks": None,
        }
        found.append(report(TAX, "red-list-tax-a", f"NS-{number:05d}", of, on, payload))
    return found


def black_list(chance: Random, organisations: Sequence[Organisation]) -> list[Draft]:
    """One black-list-environment entry of each that is no sole trader."""
    found: list[Draft] = []
    for number, of in enumerate(_organisations_only(organisations)):
        on = day(chance, FIRST_DAY, LAST_DAY)
        payload: dict[str, Any] = {
            "unit_name": of.name,
            "facts": "多次发生演示超标排放（虚构事实）",
            "reason": "符合演示认定标准",
            "legal_ground": "演示办法第二条",
            "document_no": f"演环黑〔{on.year}〕{number + 1}号",
            "identified_by": BODIES[ENVIRONMENT].name,
            "listed_on": on,
            "listed_until": on + timedelta(3 * 365),
            "exit_conditions": "整改完成并经演示验收",
            "remarks": None,
        }
        found.append(report(ENVIRONMENT, "black-list-environment", f"HB-{number:05d}", of, on, payload))
    return found


def defaulters(chance: Random, organisations: Sequence[Organisation]) -> list[Draft]:
    """One court-defaulter entry of each that is no sole trader."""
    return [_defaulter(chance, n, each) for n, each in enumerate(_organisations_only(organisations))]


def _defaulter(chance: Random, number: int, of: Organisation) -> Draft:
    on, partly = day(chance, FIRST_DAY, LAST_DAY), chance.random() < 0.3
    payload: dict[str, Any] = {
        "defaulter_name": of.name,
        "court": BODIES[COURT].name,
        "province": "湖北",
        "case_no": f"（{on.year}）演执{number + 1}号",
        "filed_on": on - timedelta(chance.randint(30, 200)),
        "document_no": f"（{on.year}）演民初{number + 1}号",
        "document_by": BODIES[COURT].name,
        "duty": "支付演示货款（虚构义务）",
        "performance": "部分未履行" if partly else "全部未履行",
        "performed_part": "演示货款的一半" if partly else None,
        "unperformed_part": "演示货款的另一半" if partly else None,
        "conduct": "有履行能力而拒不履行生效法律文书确定义务",
        "published_on": on,
    }
    return report(COURT, "court-defaulter", f"SX-{number:05d}", of, on, payload)


def _organisations_only(organisations: Sequence[Organisation]) -> list[Organisation]:
    return [each for each in organisations if each.kind == "org"]
