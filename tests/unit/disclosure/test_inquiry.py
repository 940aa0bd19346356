"""Who may ask: nobody without a channel, a caller and a purpose; and the cards by which subjects are found."""

from __future__ import annotations

import pytest

from services.disclosure.domain import subject_card
from services.disclosure.domain.events import CardChanged, Code
from services.disclosure.domain.inquiry import (
    CALLER_LIMIT,
    PURPOSE_LIMIT,
    Inquiry,
    Refused,
    inquiry_of,
    subject_id_of,
    subject_key,
)
from services.disclosure.domain.subject_card import SubjectCard, SubjectSeen
from tests.unit.disclosure.samples import JIA

WELL = {"channel": 1, "caller": "演示市信用办", "purpose": "招标资格审查"}
REFUSALS: dict[str, tuple[dict[str, object], str]] = {
    "no channel": ({"channel": 0}, "CHANNEL_REQUIRED"),
    "a channel that does not exist": ({"channel": 3}, "CHANNEL_REQUIRED"),
    "no caller": ({"caller": ""}, "CALLER_REQUIRED"),
    "a caller of white space": ({"caller": " \u3000\t"}, "CALLER_REQUIRED"),
    "a caller too long": ({"caller": "甲" * (CALLER_LIMIT + 1)}, "CALLER_TOO_LONG"),
    "no purpose": ({"purpose": ""}, "PURPOSE_REQUIRED"),
    "a purpose of white space": ({"purpose": "\n"}, "PURPOSE_REQUIRED"),
    "a purpose too long": ({"purpose": "甲" * (PURPOSE_LIMIT + 1)}, "PURPOSE_TOO_LONG"),
}


def asked(**more: object) -> Inquiry:
    return inquiry_of(**{**WELL, **more})  # type: ignore[arg-type] # passed on as they come


@pytest.mark.parametrize(("wrong", "code"), REFUSALS.values(), ids=REFUSALS)
def test_an_inquiry_that_says_too_little_is_refused(wrong: dict[str, object], code: str) -> None:
    with pytest.raises(Refused) as refused:
        asked(**wrong)
    assert refused.value.code == code
    assert refused.value.text.startswith(f"{code}: ")
    assert "甲甲" not in refused.value.text  # nothing that was sent is quoted


@pytest.mark.parametrize(("channel", "feed"), [(1, "public"), (2, "government")])
def test_a_channel_is_a_feed(channel: int, feed: str) -> None:
    assert asked(channel=channel) == (feed, WELL["caller"], WELL["purpose"])


def test_texts_are_kept_as_they_can_be_stored() -> None:
    found = asked(caller=" a\0b ", purpose="甲" * PURPOSE_LIMIT)
    assert (found.caller, len(found.purpose)) == ("a\ufffdb", PURPOSE_LIMIT)


@pytest.mark.parametrize("text", ["", "00", "g" * 32, "0" * 31, "0" * 33, "91420100MA4KLM0N5H", "0" * 34])
def test_an_id_has_32_hexadecimal_digits(text: str) -> None:
    with pytest.raises(Refused) as refused:
        subject_id_of(text, "PAGE_TOKEN_FORMAT")
    assert refused.value.code == "PAGE_TOKEN_FORMAT"
    assert subject_id_of(JIA.hex()) == JIA


@pytest.mark.parametrize(
    ("kind", "code", "fault"),
    [
        ("", "", "CODE_KIND"),
        ("resident_id", "420106190003070015", "CODE_KIND"),
        ("uscc", "", "CODE_REQUIRED"),
        ("uscc", " - ", "CODE_REQUIRED"),
    ],
)
def test_a_person_cannot_be_asked_for_by_number(kind: str, code: str, fault: str) -> None:
    with pytest.raises(Refused) as refused:
        subject_key("", kind, code)
    assert refused.value.code == fault
    assert code not in refused.value.text.split() or not code.strip()


def test_a_code_is_looked_up_without_dirt() -> None:
    assert subject_key("", "uscc", " ９1420100ma4klm0n5h ") == ("uscc", "91420100MA4KLM0N5H")
    assert subject_key("", "org_code", "MA4KLM0N-5") == ("org_code", "MA4KLM0N5")
    assert subject_key(JIA.hex(), "uscc", "ignored") == JIA


def card(kind: str = "org", version: int = 1, *codes: Code) -> SubjectSeen:
    return SubjectSeen(JIA, version, kind, "演示甲有限公司", codes, 7)


def test_a_card_holds_codes_of_organisations_only() -> None:
    codes = (Code("uscc", "A"), Code("resident_id", "B"), Code("uscc", "A"), Code("reg_no", "C"))
    told = subject_card.decide(SubjectCard(JIA), card("sole_trader", 1, *codes))
    assert told == (CardChanged(1, "sole_trader", "演示甲有限公司", (Code("uscc", "A"), Code("reg_no", "C")), 7),)


def test_a_person_has_no_card() -> None:
    assert subject_card.decide(SubjectCard(JIA), card("person")) == ()


def test_the_highest_version_of_a_card_stands() -> None:
    state = SubjectCard(JIA)
    for version in (2, 1, 2, 3):
        for event in subject_card.decide(state, card("org", version, Code("uscc", str(version)))):
            state = subject_card.evolve(state, event)
    assert (state.version, state.codes) == (3, (Code("uscc", "3"),))
    assert subject_card.decide(state, card("org", 3)) == subject_card.decide(state, card("org", 2)) == ()
