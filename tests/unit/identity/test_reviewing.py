"""What people do with the review list: take for a while, link, leave, reject; about a person two decide."""

from __future__ import annotations

from services.identity.domain.cluster import Cluster, evolve
from services.identity.domain.deciding import decide
from services.identity.domain.events import Event, RecordHeld, RecordLinked
from services.identity.domain.order_events import OrderAnswered, RecordRejected, ReviewDecided
from services.identity.domain.orders import FAULTS, Asked, ClaimAsked, DecideAsked, Order
from services.identity.domain.records import RecordSeen
from tests.unit.identity.samples import JIA, OTHER_REG_NO, REG_NO, YI, mapping, record, registration, subject_id, tell

RECORD = record().record_id
MINUTE = 60_000


def order(by: str = "甲", number: int = 1, at_ms: int = 1000) -> Order:
    return Order(f"{by}-{number}", "decide_review", by, "演示", at_ms)


def asked(
    by: str = "甲", decision: str = "link", to: str | None = JIA, version: int = 1, at_ms: int = 1000
) -> DecideAsked:
    whom = subject_id(to) if to else None
    return DecideAsked(order(by, at_ms, at_ms), RECORD, version, decision, whom)  # type: ignore[arg-type] # a literal


def claim(by: str = "甲", minutes: int = 30, at_ms: int = 1000) -> ClaimAsked:
    return ClaimAsked(order(by, at_ms, at_ms), RECORD, 1, minutes)


def give(cluster: Cluster, given: Asked | RecordSeen) -> tuple[Cluster, list[Event], tuple[str, ...]]:
    events = list(decide(cluster, given))
    for event in events:
        cluster = evolve(cluster, event)
    return cluster, events, next((e.faults for e in events if isinstance(e, OrderAnswered)), ())


def waiting(**more: object) -> Cluster:
    return tell(registration(number=8), registration(YI, number=9), record(REG_NO, "reg_no", **more))[0]  # type: ignore[arg-type]


def test_every_fault_is_in_the_table_under_its_own_code() -> None:
    assert all(code == fault.code and fault.message_zh and fault.message_en for code, fault in FAULTS.items())


def test_a_second_reviewer_is_told_until_the_time_is_over() -> None:
    cluster, _, faults = give(waiting(), claim("甲", 30, 1000))
    assert faults == ()
    _, events, faults = give(cluster, claim("乙", 30, 2000))
    assert faults == ("CLAIMED",)
    assert '"claimed_by": "甲"' in str(next(e.detail for e in events if isinstance(e, OrderAnswered)))
    assert give(cluster, asked("乙", at_ms=3000))[2] == ("CLAIMED",)
    assert give(cluster, claim("乙", 30, 1001 + 30 * MINUTE))[2] == ()


def test_a_person_links_by_decision_and_later_versions_under_that_code_follow() -> None:
    cluster, events, faults = give(waiting(), asked())
    assert faults == ()
    (linked,) = [e for e in events if isinstance(e, RecordLinked)]
    assert (linked.link.subject_id, linked.link.rule, linked.released) == (subject_id(JIA), "REVIEW", True)
    cluster, events, _ = give(cluster, record(REG_NO, "reg_no", version=2, action="correct"))
    assert [e.link.rule for e in events if isinstance(e, RecordLinked)] == ["REVIEW"]
    _, events, _ = give(cluster, record(OTHER_REG_NO, "reg_no", version=3, action="correct"))
    assert [e.held.reason for e in events if isinstance(e, RecordHeld)] == ["CODE_UNKNOWN"]


def test_what_is_rejected_is_told_to_nobody_and_released_by_no_code() -> None:
    cluster, events, _ = give(waiting(), asked(decision="reject", to=None))
    assert [type(e) for e in events] == [ReviewDecided, RecordRejected, OrderAnswered]
    _, events, _ = give(cluster, mapping(number=7))
    assert [e.given.record_id for e in events if isinstance(e, RecordLinked)] == [mapping(number=7).record_id]
    assert give(cluster, asked(at_ms=2000))[2] == ("NOT_WAITING",)


def test_what_is_left_waits_on() -> None:
    cluster, _, faults = give(waiting(), asked(decision="leave", to=None))
    assert faults == ()
    assert cluster.in_review(RECORD, 1) is not None


def test_nothing_is_linked_to_a_subject_that_nobody_named() -> None:
    assert give(waiting(), asked(to="92420106MA4ABCD17H"))[2] == ("SUBJECT_UNKNOWN",)


def test_no_decision_makes_a_code_two_subjects() -> None:
    cluster, _ = tell(registration(YI, number=9), mapping(number=8), mapping(YI, number=1))
    assert give(cluster, asked(to=YI))[2] == ("CODE_TAKEN",)


def test_about_a_person_two_people_decide_alike() -> None:
    cluster = waiting(subject_kind="person")
    assert give(cluster, asked())[2] == ("PERSON_NOT_SUPPORTED_YET",)
    cluster, events, faults = give(cluster, asked("甲", "reject", None))
    assert faults == ()
    assert [e.carried_out for e in events if isinstance(e, ReviewDecided)] == [False]
    assert cluster.in_review(RECORD, 1) is not None
    assert give(cluster, asked("甲", "reject", None, at_ms=2000))[2] == ("SECOND_PERSON",)
    cluster, events, faults = give(cluster, asked("乙", "reject", None, at_ms=3000))
    assert faults == ()
    assert [type(e) for e in events] == [ReviewDecided, RecordRejected, OrderAnswered]


def test_an_order_that_comes_again_is_answered_as_at_first() -> None:
    cluster, first, _ = give(waiting(), asked())
    cluster, again, _ = give(cluster, asked())
    assert [(e.faults, e.detail) for e in again if isinstance(e, OrderAnswered)] == [
        (e.faults, e.detail) for e in first if isinstance(e, OrderAnswered)
    ]
    assert len(again) == 1
