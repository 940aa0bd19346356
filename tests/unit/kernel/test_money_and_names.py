"""Amounts, names and document numbers as they are really written."""

from __future__ import annotations

import pytest

from services.kernel import document_number, money, names


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2,000(万元)", money.Capital(2_000_000_000, "CNY")),
        ("50万元人民币", money.Capital(50_000_000, "CNY")),
        ("50（万美元）", money.Capital(50_000_000, "USD")),
        ("0.2(万)", money.Capital(200_000, "")),
        ("3,0000000(万)", None),
        ("N/A", None),
        ("万元", None),
        ("50(元)", None),
        ("50(万", None),
        ("-5(万)", None),
        ("9999999999999999(万)", None),
        ("1,234.5678(万元)", money.Capital(1_234_567_800, "CNY")),
    ],
)
def test_registered_capital(text: str, expected: money.Capital | None) -> None:
    assert money.capital(text) == expected


def test_ten_thousands_and_single_yuan_are_both_whole_fen() -> None:
    assert money.fen_of_wan("0.2") == money.fen_of_yuan("2000") == 200_000
    assert money.wan_of_fen(200_000) == "0.2"
    for wrong in ("", "1e3", "-1", "0.0000001", "一"):
        with pytest.raises(ValueError, match=r"amount|分"):
            money.fen_of_wan(wrong)


def test_one_name_written_two_ways_has_one_key_and_the_legal_form_stays() -> None:
    assert names.matching_key("演示（湖北）有限公司") == names.matching_key("演示(湖北) 有限公司")
    assert names.matching_key("演示有限公司") != names.matching_key("演示股份有限公司")
    assert names.matching_key("演示股份有限公司") != names.matching_key("演示股份有限公司武汉分公司")
    assert names.masked("演甲乙") == "演*"


def test_traditional_and_simplified_are_one_name_except_where_a_character_is_used_in_both() -> None:
    assert names.matching_key("演示電力設備責任公司") == names.matching_key("演示电力设备责任公司")
    assert names.matching_key("演示·abc（漢）") == "演示ABC(汉)"
    assert names.matching_key("演示乾坤公司") != names.matching_key("演示干坤公司")


@pytest.mark.parametrize(
    "text", ["鄂环罚〔2017〕12号", "鄂环罚[2017] 12号", "鄂环罚（2017）12号", "鄂环罚【２０１７】12号"]
)
def test_one_document_number_written_many_ways(text: str) -> None:
    assert document_number.normalise(text) == "鄂环罚〔2017〕12号"
