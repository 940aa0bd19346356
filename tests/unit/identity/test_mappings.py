"""A mapping that is withdrawn or corrected takes its code back, and what the code linked with it."""

from __future__ import annotations

from services.identity.domain.events import Event, RecordHeld, RecordLinked, RecordUnlinked
from services.identity.domain.subject_events import SubjectChanged
from tests.unit.identity.samples import (
    JIA,
    OTHER_REG_NO,
    REG_NO,
    YI,
    mapping,
    record,
    refer,
    registration,
    subject_id,
    tell,
)

LINKED = record(REG_NO, "reg_no", number=2)


def ends(said: list[Event]) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = []
    for event in said:
        if isinstance(event, RecordUnlinked):
            found.append(("nobody", event.record_id, event.link_no))
        elif isinstance(event, RecordHeld):
            found.append(("held", event.held.given.record_id, event.held.reason))
        elif isinstance(event, RecordLinked) and event.given.item != "code-mapping":
            found.append(("linked", event.given.record_id, event.link.subject_id))
    return found


def test_a_withdrawn_mapping_takes_its_code_back_and_the_records_go_to_review() -> None:
    cluster, _ = tell(mapping(number=9), LINKED)
    assert [code.kind for code in cluster.subject(subject_id(JIA)).codes] == ["uscc", "reg_no"]
    cluster, said = tell(mapping(number=9, version=2, action="withdraw"), cluster=cluster)
    assert ends(said) == [("nobody", LINKED.record_id, 2), ("held", LINKED.record_id, "CODE_UNKNOWN")]
    assert [e.change for e in said if isinstance(e, SubjectChanged)] == ["CODE_REMOVED"]
    assert [code.kind for code in cluster.subject(subject_id(JIA)).codes] == ["uscc"]
    assert cluster.alias(refer("reg_no", REG_NO).id, "").subject_id is None


def test_a_corrected_mapping_leads_its_records_to_the_right_subject() -> None:
    cluster, _ = tell(mapping(number=9), LINKED)
    _, said = tell(mapping(YI, number=9, version=2, action="correct"), cluster=cluster)
    assert ends(said)[-1] == ("linked", LINKED.record_id, subject_id(YI))
    (again,) = [e for e in said if isinstance(e, RecordLinked) and e.given == LINKED]
    assert again.link_no == 3  # above that of the change, below that of the next one


def test_a_code_that_another_mapping_or_a_registration_brings_too_stays() -> None:
    cluster, _ = tell(mapping(number=8), mapping(number=9), LINKED)
    _, said = tell(mapping(number=9, version=2, action="withdraw"), cluster=cluster)
    assert ends(said) == []
    by_code = record("MA4KLM0N5", "org_code", number=2)
    cluster, _ = tell(mapping(old_kind="org_code", old="MA4KLM0N5", number=9), registration(number=7), by_code)
    _, said = tell(
        mapping(old_kind="org_code", old="MA4KLM0N5", number=9, version=2, action="withdraw"), cluster=cluster
    )
    assert ends(said) == []


def test_a_mapping_that_was_in_conflict_has_the_code_once_it_is_free() -> None:
    cluster, said = tell(mapping(number=8), LINKED, mapping(YI, number=9))
    assert ends(said)[-1][2] == "ALIAS_CONFLICT"
    _, said = tell(mapping(number=8, version=2, action="withdraw"), cluster=cluster)
    assert ends(said)[-1] == ("linked", LINKED.record_id, subject_id(YI))


def test_what_was_nobodys_is_told_under_its_number_ever_after() -> None:
    """A later version must not reach a consumer before the one that links the record again, and be passed over."""
    cluster, _ = tell(mapping(number=9), LINKED, mapping(number=9, version=2, action="withdraw"))
    cluster, said = tell(mapping(YI, number=10), cluster=cluster)
    assert [e.link_no for e in said if isinstance(e, RecordLinked) and e.given == LINKED] == [3]
    _, said = tell(record(REG_NO, "reg_no", number=2, version=2, action="correct"), cluster=cluster)
    assert [e.link_no for e in said if isinstance(e, RecordLinked)] == [3]


def test_another_code_of_the_same_subject_is_not_touched() -> None:
    other = record(OTHER_REG_NO, "reg_no", number=3)
    cluster, _ = tell(mapping(number=8), mapping(old=OTHER_REG_NO, number=9), LINKED, other)
    _, said = tell(mapping(number=8, version=2, action="withdraw"), cluster=cluster)
    assert {end[1] for end in ends(said)} == {LINKED.record_id}
