"""Drafts of what is neither praise nor blame: registrations, code mappings, permits, commitments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
from typing import Any

from services.cli.synthetic.capital import capital
from services.cli.synthetic.chance import day
from services.cli.synthetic.draft import FIRST_DAY, KIND_NAMES, LAST_DAY, Draft, counterparty, report
from services.cli.synthetic.organisations import BODIES, Organisation
from services.cli.synthetic.texts import address, scope

REGISTRAR = "420000-gsj"
PERMITTERS = ("420000-hbt", "420000-gsj", "420100-xyb")
COMMITTED_TO = ("420000-hbt", "420100-xyb")
FOR_EVER = date(2099, 12, 31)
PERMITS = ("演示排污许可", "演示食品经营许可", "演示建设项目核准", "演示特种设备登记")
PERMIT_KINDS = ("普通", "特许", "认可", "核准", "登记", "其他（演示备案）")
COMMITMENTS = ("审批替代型", "容缺受理型", "证明事项型", "信用修复型", "行业自律型", "主动型", "其他")


def registrations_of(chance: Random, organisations: Sequence[Organisation]) -> list[Draft]:
    """One enterprise-registration of each."""
    return [_registration(chance, n, each) for n, each in enumerate(organisations)]


def _registration(chance: Random, number: int, of: Organisation) -> Draft:
    registered = day(chance, date(1978, 1, 1), date(2009, 12, 31))
    payload: dict[str, Any] = {
        "registered_on": registered,
        "enterprise_type": "个体工商户" if of.kind == "sole_trader" else None,
        "registered_capital": capital("", chance) if chance.random() < 0.75 else None,
        "business_scope": scope("", chance),
        "province": "湖北",
        "district": "武汉",
        "registered_address": address("", "武汉", chance),
    }
    return report(REGISTRAR, "enterprise-registration", f"ZC-{number:05d}", of, registered, payload)


def mappings(chance: Random, organisations: Sequence[Organisation], old_kind: str = "reg_no") -> list[Draft]:
    """One code-mapping of each, from an old code of this kind: org_code, reg_no or tax_no."""
    found: list[Draft] = []
    for number, of in enumerate(organisations):
        on = day(chance, date(2015, 10, 1), date(2017, 12, 31))
        old = of.uscc[2:8] + of.org_code if old_kind == "tax_no" else of.code(old_kind)
        payload = {"uscc": of.uscc, "old_kind": old_kind, "old_code": old, "mapped_on": on}
        found.append(report(REGISTRAR, "code-mapping", f"YS-{old_kind}-{of.reg_no}-{number:05d}", of, on, payload))
    return found


def permits(chance: Random, organisations: Sequence[Organisation], named_by: str = "uscc") -> list[Draft]:
    """One org-permit of each, by one agency or another."""
    return [_permit(chance, n, each, named_by) for n, each in enumerate(organisations)]


def _permit(chance: Random, number: int, of: Organisation, named_by: str) -> Draft:
    agency, title, on = chance.choice(PERMITTERS), chance.choice(PERMITS), day(chance, FIRST_DAY, LAST_DAY)
    body, certified = BODIES[agency], chance.random() < 0.7
    payload = counterparty("XK", of, named_by) | {
        "XK_XKWS": f"{title}决定书",
        "XK_WSH": f"演许〔{on.year}〕{number + 1}号",
        "XK_XKLB": chance.choice(PERMIT_KINDS),
        "XK_XKZS": f"{title}证" if certified else None,
        "XK_XKBH": f"YS{on:%Y%m%d}{number:05d}" if certified else None,
        "XK_NR": f"准予从事{title}所列活动（虚构内容）",
        "XK_JDRQ": on,
        "XK_YXQZ": on + timedelta(chance.choice((0, 1, 10))),
        "XK_YXQZI": FOR_EVER if chance.random() < 0.2 else on + timedelta(365 * chance.randint(1, 5)),
        "XK_XKJG": body.name,
        "XK_XKJGDM": body.code,
        "XK_ZT": "1",
        "XK_LYDW": body.name,
        "XK_LYDWDM": body.code,
        "BZ": None,
    }
    return report(agency, "org-permit", f"XK-{named_by}-{number:05d}", of, on, payload, named_by)


def commitments(chance: Random, organisations: Sequence[Organisation]) -> list[Draft]:
    """One credit-commitment of each; some are not kept."""
    return [_commitment(chance, n, each) for n, each in enumerate(organisations)]


def _commitment(chance: Random, number: int, of: Organisation) -> Draft:
    agency, on = chance.choice(COMMITTED_TO), day(chance, FIRST_DAY, LAST_DAY)
    performance = chance.choices(("全部履行", "部分履行", "全部未履行"), (8, 1, 1))[0]
    broken = performance != "全部履行"
    payload: dict[str, Any] = {
        "commitment_no": f"{agency[:6]}{on:%Y%m%d}{number + 1:06d}",
        "committer_name": of.name,
        "committer_kind": KIND_NAMES[of.kind],
        "commitment_kind": chance.choice(COMMITMENTS),
        "cause": "演示事项的办理",
        "content": "承诺所提交的演示材料真实、完整",
        "liability": "违反承诺的，自愿承担演示责任",
        "committed_on": on,
        "valid_until": on + timedelta(365) if chance.random() < 0.6 else None,
        "performance": performance,
        "unperformed": "未按期补交演示材料" if broken else None,
        "consequence": "列入演示重点核查对象" if broken else None,
        "accepted_by": BODIES[agency].name,
        "accepted_by_code": BODIES[agency].code,
        "publicity": "可向社会公开",
        "remarks": None,
    }
    return report(agency, "credit-commitment", f"CN-{number:05d}", of, on, payload)
