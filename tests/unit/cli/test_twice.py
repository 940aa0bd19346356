"""A decision under two record numbers is found, whoever has sent it by whichever door."""

from __future__ import annotations

from typing import Any

import pytest

from services.cli.twice import Seen, decision, found

FIELDS = ("CF_CFJGDM", "CF_WSH", "subject_code")
SENT: dict[str, Any] = {
    "subject_code": "91420100MA4KLM0N5H",
    "payload": {"CF_CFJGDM": "11420000MB000000XX", "CF_WSH": "演罚〔2017〕1号"},
}


def seen(number: str, said: str, agency: str = "420000-hbt", item: str = "org-penalty") -> Seen:
    return Seen(f"{agency}/{item}/{number}".encode(), agency, item, number, said)


def rows(*given: Seen) -> list[tuple[str, str, int, int]]:
    return [(told["agency"], told["item"], told["records"], told["twice"]) for told in found(given)]


HBT, GSJ = "420000-hbt", "420000-gsj"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], []),
        ([seen("1", "a"), seen("2", "b")], [(HBT, "org-penalty", 2, 0)]),
        ([seen("1", "a"), seen("2", "a"), seen("3", "b")], [(HBT, "org-penalty", 3, 2)]),
        ([seen("1", "a"), seen("1", "a")], [(HBT, "org-penalty", 1, 0)]),  # a correction
        ([seen("1", "a"), seen("2", "a"), seen("2", "b")], [(HBT, "org-penalty", 2, 0)]),  # corrected since
        ([seen("1", "a"), seen("2", "a"), seen("2", "")], [(HBT, "org-penalty", 1, 0)]),  # withdrawn since
        ([seen("1", "a"), seen("2", "a", item="org-permit")], [(HBT, "org-penalty", 1, 0), (HBT, "org-permit", 1, 0)]),
        ([seen("1", "a"), seen("1", "a", GSJ)], [(GSJ, "org-penalty", 1, 1), (HBT, "org-penalty", 1, 1)]),
        ([seen("1", ""), seen("2", "")], []),  # nothing is known of what they say
    ],
)
def test_what_stands_twice_is_counted_by_feed(given: list[Seen], expected: list[tuple[str, str, int, int]]) -> None:
    assert rows(*given) == expected


def test_the_records_of_one_decision_are_named_by_their_numbers() -> None:
    (told, other) = found([seen("7", "a"), seen("3", "a"), seen("1", "a", GSJ)])
    named = [{"agency": GSJ, "record_no": "1"}, {"agency": HBT, "record_no": "3"}, {"agency": HBT, "record_no": "7"}]
    assert told["decisions"] == other["decisions"] == [named]
    assert (told["rate"], other["rate"]) == (1.0, 1.0)


@pytest.mark.parametrize("number", ["演罚〔2017〕1号", "演罚[2017]1号", "演罚（2017） 1号", "演罚【２０１７】１号"])
def test_a_decision_is_one_however_its_number_is_written(number: str) -> None:
    again = SENT | {"payload": SENT["payload"] | {"CF_WSH": number}}
    assert decision(FIELDS, again) == decision(FIELDS, SENT) != ""


@pytest.mark.parametrize("change", [{"CF_WSH": "演罚〔2017〕2号"}, {"CF_CFJGDM": "11420000MB0000001X"}])
def test_another_number_or_another_body_is_another_decision(change: dict[str, str]) -> None:
    assert decision(FIELDS, SENT | {"payload": SENT["payload"] | change}) != decision(FIELDS, SENT)
    assert decision(FIELDS, SENT | {"subject_code": "91420100MA4KLM0N5X"}) != decision(FIELDS, SENT)


@pytest.mark.parametrize("missing", ["", None])
def test_without_a_part_of_the_key_nothing_is_known(missing: str | None) -> None:
    assert decision(FIELDS, SENT | {"payload": SENT["payload"] | {"CF_WSH": missing}}) == ""
    assert "演罚" not in decision(FIELDS, SENT)
