"""The practice agencies: real units of 2017, so that the catalogue names them; what they publish is synthetic."""

from __future__ import annotations

from deploy.local.layout import Layout
from services.cli.agency import onboard

# Names as in item 3 of 鄂信用文〔2017〕1号.
AGENCIES = {
    "420000-gsj": "湖北省工商行政管理局",
    "420000-hbt": "湖北省环境保护厅",
    "420000-fy": "湖北省高级人民法院",
    "420000-gsui": "湖北省国家税务局",
    "420100-xyb": "武汉市信用办",
}
REGISTRAR = "420000-gsj"


def onboard_all(layout: Layout) -> None:
    """Topics, users, rights and registration of each; harmless when they are there already."""
    for code, name in AGENCIES.items():
        onboard(layout, code, name, ())
