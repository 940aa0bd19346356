"""The three tiers of reporting units (省、市、县), which their region's code says: nobody has to be asked.

Items 3 and 4 of 鄂信用文〔2017〕1号. The cities under the province itself (省直管市) and 神农架林区
have codes like counties, 429004 and so on, and report like prefectures: item 4 counts 17 units with them.
"""

from __future__ import annotations

from services.kernel import regions

PROVINCE, PREFECTURE, COUNTY = TIERS = ("province", "prefecture", "county")
WHOLE_PROVINCE = f"{regions.PROVINCE}0000"
DIRECT = f"{regions.PROVINCE}90"


def tier_of(region: str) -> str:
    """The tier of a unit by the six digits of its region."""
    if region == WHOLE_PROVINCE:
        return PROVINCE
    return PREFECTURE if region.endswith("00") or region.startswith(DIRECT) else COUNTY


def is_above(parent: str, region: str) -> bool:
    """Whether a region is of a higher tier than another one and holds it."""
    if TIERS.index(tier_of(parent)) >= TIERS.index(tier_of(region)):
        return False
    return parent == WHOLE_PROVINCE or parent[:4] == region[:4]
