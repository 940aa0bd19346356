"""What was measured on the public register: counts only, of 84,922 rows."""

from __future__ import annotations

from services.cli.synthetic import words

# Column -> kinds of dirt -> measured rows of 84,922. A row has at most one kind in each column.
DIRT = {
    "统一社会信用代码": {"lower_case_code": 44, "wrong_inner_digit": 41, "wrong_check_digit": 24},
    "企业名称": {"full_width_name": 67},
    "企业类型": {"type_missing": 80911},
    "注册资金": {"capital_missing": 20835, "malformed_capital": 277, "implausible_capital": 264, "zero_capital": 8},
    "经营范围": {"full_width_scope": 64101, "scope_missing": 3},
    "地区": {"district_missing": 4},
    "注册地址": {"full_width_address": 2804, "unbalanced_bracket": 1539, "address_missing": 2},
}
SOLE_TRADER, COOPERATIVE = "个体工商户", "农民专业合作社"
TYPES = {
    "集体分支机构(非法人)": 1411,
    "集体所有制": 739,
    SOLE_TRADER: 719,
    "个人独资企业": 484,
    "国有企业": 233,
    "有限责任公司": 186,
    "普通合伙": 44,
    "股份合作制": 42,
    "合伙企业": 37,
    COOPERATIVE: 11,
    "股份有限公司": 7,
}
KINDS = {"91": 82397, "93": 1574, "92": 61}  # of those whose type does not say it
PLACES = {place: measured for place, (_, measured) in words.PLACES.items()}
KIND_OF_TYPE = {SOLE_TRADER: "92", COOPERATIVE: "93"}
OF_EACH_YEAR = (
    *(14, 4, 13, 64, 13, 7, 47, 47, 62, 48, 41, 1561, 941, 541, 907, 877, 819, 924, 1423, 1662, 2158, 2858),
    *(3679, 4878, 5658, 6702, 7785, 6614, 7363, 9148, 8928, 9136),
)
YEARS = dict(zip(range(1978, 2010), OF_EACH_YEAR, strict=True))
