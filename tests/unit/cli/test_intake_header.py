"""A header that says nothing, or two things, is refused with what to do about it; before any row is read."""

from __future__ import annotations

import pytest

from deploy.local.faults import StackFault
from services.cli.intake.header import understand
from tests.unit.cli.intake_items import PENALTY_2018, VINTAGES, item

PENALTY = item("org-penalty")


@pytest.mark.parametrize(("code", "shape"), VINTAGES, ids=str)
def test_the_vintage_is_told_by_the_header(code: str, shape: str) -> None:
    columns = understand(item(code), tuple(VINTAGES[code, shape]))
    assert columns.shape == shape
    assert columns.ignored == ()


def test_columns_of_two_vintages_are_named() -> None:
    with pytest.raises(StackFault, match=r"CF_XDR_ZDM of 2016 and CF_XDR_GSZC of 2018"):
        understand(PENALTY, [*PENALTY_2018, "CF_XDR_ZDM"])


def test_a_number_that_means_two_things_asks_for_the_shape() -> None:
    header = ["CF_XDR_MC", "CF_WSH", "代码_2"]
    with pytest.raises(StackFault, match="代码_2 means CF_XDR_ZZJG in 2016, CF_XDR_GSZC in 2018"):
        understand(PENALTY, header)
    assert understand(PENALTY, header, "2016").targets["CF_XDR_ZZJG"].sources[0].at == 2
    assert understand(PENALTY, header, "2018").targets["CF_XDR_GSZC"].sources[0].at == 2


def test_a_remark_in_brackets_counts_more_than_the_number() -> None:
    columns = understand(PENALTY, ["CF_XDR_MC", "行政相对人代码_2（组织机构代码）"])
    assert columns.targets["CF_XDR_ZZJG"].sources[0].at == 1


def test_full_width_spaces_and_case_do_not_count() -> None:
    columns = understand(PENALTY, ["ＣＦ＿ｗｓｈ", " 违法 事实 "])
    assert columns.targets["CF_WSH"].sources[0].at == 0
    assert columns.targets["CF_SY"].sources[0].at == 1


@pytest.mark.parametrize(
    ("header", "shape", "match"),
    [
        (["演示一", "演示二"], "", "no column belongs"),
        (["CF_WSH", "cf_wsh"], "", "twice"),
        (["CF_WSH"], "1999", "known are 2016, 2018, hubei"),
    ],
)
def test_headers_that_cannot_be_used(header: list[str], shape: str, match: str) -> None:
    with pytest.raises(StackFault, match=match):
        understand(PENALTY, header, shape)


def test_what_is_not_used_is_told_but_not_what_is_never_collected() -> None:
    columns = understand(PENALTY, [*PENALTY_2018, "内部备注", "CF_FR_ZJHM"])
    assert columns.ignored == ("内部备注",)
