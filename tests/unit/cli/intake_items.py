"""The shipped items as the file door sees them, and rows of each vintage; all of it synthetic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.cli.catalogue import Item
from services.cli.intake.header import understand
from services.cli.intake.rows import Maker, Sender
from services.ingestion.config import load_catalogue

SHIPPED = {shipped.item.code: shipped.definition for shipped in load_catalogue()}
SENDER = Sender("420000-gsj", "run", 1_500_000_000_000)
USCC, ORG_CODE, REG_NO = "91420100MA4KLM0N5H", "MA4KLM0N5", "420100000000014"
OFFICE = "11420000011043217X"
PERSON = "420106190003070015"

REGISTRATION = {
    "企业名称": "演示甲公司",
    "统一社会信用代码": USCC,
    "注册日期": "2004-09-23",
    "企业类型": "N/A",
    "注册资金": "50(万元)",
    "经营范围": "演示",
    "所在省份": "湖北",
    "地区": "武汉",
    "注册地址": "演示路1号",
}
PERMIT_2016 = {
    "XK_WSH": "演许[2016]1号",
    "XK_XMMC": "演示项目",
    "XK_SPLB": "普通",
    "XK_NR": "演示内容",
    "XK_XDR": "演示甲公司",
    "XK_XDR_SHXYM": USCC,
    "XK_XDR_ZDM": ORG_CODE,
    "XK_XDR_GSDJ": REG_NO,
    "XK_XDR_SWDJ": "",
    "XK_XDR_SFZ": "",
    "XK_FR": "演示某",
    "XK_JDRQ": "2016/1/15",
    "XK_JZQ": "2099/12/31",
    "XK_XZJG": "演示局",
    "XK_XKJGDM": OFFICE,
    "XK_ZT": "0",
    "DFBM": "420100",
    "SJC": "2016-01-16 08:00:00",
    "XK_SYFW": "0",
}
PENALTY_2016 = {
    "CF_WSH": "演罚[2016]1号",
    "CF_CFMC": "演示行为",
    "CF_CFLB1": "警告",
    "CF_CFLB2": "罚款",
    "CF_SY": "演示事实",
    "CF_YJ": "演示依据",
    "CF_XDR_MC": "演示甲公司",
    "CF_XDR_SHXYM": USCC,
    "CF_XDR_ZDM": ORG_CODE,
    "CF_XDR_GSDJ": REG_NO,
    "CF_XDR_SFZ": "",
    "CF_FR": "演示某",
    "CF_JG": "罚款二千元",
    "罚款金额（元）": "2,000.00",
    "CF_JDRQ": "2016.1.15",
    "CF_YXQ": "长期",
    "CF_XZJG": "演示局",
    "CF_CFJGDM": OFFICE,
    "CF_SYFW": "0",
}
PERMIT_2018 = {
    "行政相对人名称": "演示甲公司",
    "行政相对人类别": "法人及非法人组织",
    "行政相对人代码_1": USCC,
    "行政相对人代码_2": REG_NO,
    "行政相对人代码_3": ORG_CODE,
    "法定代表人": "演示某",
    "行政许可决定文书名称": "演示许可决定书",
    "行政许可决定文书号": "演许〔2018〕1号",
    "许可类别": "普通",
    "许可内容": "演示内容",
    "许可决定日期": "2018-09-28",
    "有效期自": "2018-09-28",
    "有效期至": "2099-12-31",
    "许可机关": "演示局",
    "许可机关统一社会信用代码": OFFICE,
    "当前状态": "1",
    "数据来源单位": "演示局",
    "数据来源单位统一社会信用代码": OFFICE,
}
PENALTY_2018 = {
    "CF_XDR_MC": "演示甲公司",
    "CF_XDR_LB": "法人及非法人组织",
    "CF_XDR_SHXYM": USCC,
    "CF_XDR_GSZC": REG_NO,
    "CF_XDR_ZZJG": ORG_CODE,
    "CF_FRDB": "演示某",
    "CF_WSH": "演罚〔2018〕1号",
    "CF_WFXW": "演示行为",
    "CF_SY": "演示事实",
    "CF_YJ": "演示依据",
    "CF_CFLB": "警告；罚款",
    "CF_NR": "罚款二千元",
    "CF_NR_FK": "0.2",
    "CF_JDRQ": "2018-09-28",
    "CF_YXQ": "2019-09-28",
    "CF_CFJG": "演示局",
    "CF_CFJGDM": OFFICE,
    "CF_SJLY": "演示局",
    "CF_SJLYDM": OFFICE,
}
PERMIT_HUBEI = {
    "fdmchxm": "演示甲公司",
    "tyshxydm": USCC,
    "zzjgdm": ORG_CODE,
    "gsdjzch": REG_NO,
    "fddbr": "演示某",
    "zjhm": "",
    "wh": "演许〔2017〕1号",
    "mc": "演示许可决定书",
    "lb": "普通",
    "nr": "演示内容",
    "rq": "20170928",
    "jzq": "长期",
    "jg": "演示局",
    "jgbm": OFFICE,
    "zt": "0",
    "hj_ztlb": "1",
    "hj_xydw": "演示县局",
    "sxyztdm": "HB0001",
}
PENALTY_HUBEI = {
    "fdmchxm": "演示甲公司",
    "tyshxydm": USCC,
    "zzjgdm": ORG_CODE,
    "gsdjzch": REG_NO,
    "fddbr": "演示某",
    "zjhm": "",
    "wh": "演罚【2017】1号",
    "mc": "演示行为",
    "lb": "罚款",
    "nr": "演示事实",
    "yj": "演示依据",
    "jieguo": "罚款二千元",
    "fkje": "2000",
    "rq": "2017年9月28日",
    "jzq": "2018-09-28",
    "jg": "演示局",
    "jgbm": OFFICE,
    "hj_ztlb": "1",
    "hj_xydw": "演示县局",
}
VINTAGES = {
    ("org-permit", "2016"): PERMIT_2016,
    ("org-permit", "2018"): PERMIT_2018,
    ("org-permit", "hubei"): PERMIT_HUBEI,
    ("org-penalty", "2016"): PENALTY_2016,
    ("org-penalty", "2018"): PENALTY_2018,
    ("org-penalty", "hubei"): PENALTY_HUBEI,
}


def item(code: str) -> Item:
    """A shipped item, as the catalogue topic tells it."""
    return Item(code, SHIPPED[code]["version"], SHIPPED[code])


def record(code: str, row: Mapping[str, str], shape: str = "", **constants: str) -> dict[str, Any]:
    """The submission of one row; raises `RowFault`."""
    found = item(code)
    sender = SENDER._replace(agency="420000-hbt") if code.startswith("org-") else SENDER
    maker = Maker(found, understand(found, tuple(row), shape), sender, constants)
    return maker.make(2, tuple(row.values())).record
