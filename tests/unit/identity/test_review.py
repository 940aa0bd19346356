"""The review list: what waits is released in order, never lost, never told out of order."""

from __future__ import annotations

from services.identity.domain.events import (
    Event,
    RecordHeld,
    RecordLinked,
    RecordOvertaken,
    RecordSuperseded,
    VersionArrived,
)
from services.identity.domain.subject_events import AliasBound
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


def linked(said: list[Event]) -> list[tuple[int, int, bool]]:
    """Record number, version and whether it came out of review."""
    found = [e for e in said if isinstance(e, RecordLinked)]
    return [(int.from_bytes(e.given.record_id[6:]), e.given.version, e.released) for e in found]


def test_a_mapping_releases_what_waits_in_order_of_arrival() -> None:
    waiting = [record(REG_NO, "reg_no", number=n) for n in (5, 3, 4)]
    cluster, said = tell(*waiting)
    assert [e.held.alias_id for e in said if isinstance(e, RecordHeld)] == [refer("reg_no", REG_NO).id] * 3
    cluster, said = tell(mapping(number=9), cluster=cluster)
    assert linked(said) == [
        (9, 1, False),
        (3, 1, True),
        (4, 1, True),
        (5, 1, True),
    ]  # accepted_at rises with the number
    assert {e.link.subject_id for e in said if isinstance(e, RecordLinked)} == {subject_id(JIA)}
    assert not any(r.held for r in cluster.records.values())


def test_a_registration_releases_by_organisation_code() -> None:
    cluster, _ = tell(record("MA4KLM0N5", "org_code", number=2))
    _, said = tell(registration(number=9), cluster=cluster)
    assert linked(said) == [(9, 1, False), (2, 1, True)]


def test_the_code_is_bound_before_anything_is_released_by_it() -> None:
    """The row that others lock and look at is written in the same decision as the links that follow from it."""
    cluster, _ = tell(record(REG_NO, "reg_no", number=2))
    _, said = tell(mapping(number=9), cluster=cluster)
    kinds = [type(e).__name__ for e in said]
    assert kinds == ["SubjectChanged", "MappingStands", "AliasBound", "RecordLinked", "RecordLinked"]


def test_later_versions_queue_behind_and_come_out_in_order() -> None:
    first = record(REG_NO, "reg_no", number=2)
    second = record(REG_NO, "reg_no", number=2, version=2, action="correct")
    third = record(REG_NO, "reg_no", number=2, version=3, action="withdraw")
    cluster, said = tell(first, second, third)
    assert [type(e) for e in said] == [RecordHeld] * 3
    _, said = tell(mapping(number=9), cluster=cluster)
    assert linked(said) == [(9, 1, False), (2, 1, True), (2, 2, True), (2, 3, True)]


def test_whoever_is_second_sees_the_first() -> None:
    """Either order of the alias lock ends in the same links: one finds the waiting record, the other the known code."""
    waits, brings = record(REG_NO, "reg_no", number=2), mapping(number=9)
    record_first, _ = tell(waits, brings)
    mapping_first, _ = tell(brings, waits)
    assert record_first.records == mapping_first.records
    assert record_first.aliases == mapping_first.aliases


def test_a_later_version_with_a_good_code_brings_the_earlier_out() -> None:
    cluster, _ = tell(record(REG_NO, "reg_no"), record("00000000000000000X", version=2, action="correct"))
    _, said = tell(record(version=3, action="correct"), cluster=cluster)
    assert linked(said) == [(1, 1, True), (1, 2, True), (1, 3, False)]


def test_a_withdrawal_is_not_held_up_by_a_doubtful_correction() -> None:
    cluster, _ = tell(record(), record(YI, version=2, action="correct"))
    cluster, said = tell(record(version=3, action="withdraw"), cluster=cluster)
    assert [(type(e), getattr(e, "version", 0)) for e in said] == [(RecordSuperseded, 2), (RecordLinked, 0)]
    assert cluster.record(record().record_id).held == ()


def test_an_order_that_is_settled_stays_settled() -> None:
    """A code that comes later does not tell a version that was overtaken."""
    overtaken = record(REG_NO, "reg_no", version=2, action="correct")
    cluster, _ = tell(record(), overtaken, record(version=3, action="withdraw"))
    _, said = tell(mapping(number=9), cluster=cluster)
    assert linked(said) == [(9, 1, False)]


def test_a_code_that_turns_out_to_be_another_subjects_changes_the_reason() -> None:
    cluster, _ = tell(record(YI), record(REG_NO, "reg_no", version=2, action="correct"))
    cluster, said = tell(mapping(number=9), cluster=cluster)
    assert linked(said) == [(9, 1, False)]
    (held,) = cluster.record(record().record_id).held
    assert (held.reason, held.alias_id) == ("SUBJECT_CHANGED", None)


def test_a_conflicting_mapping_waits_without_an_effect() -> None:
    cluster, _ = tell(mapping())
    after, said = tell(mapping(YI, number=2), cluster=cluster)
    assert [type(e) for e in said] == [RecordHeld]
    assert after.aliases == cluster.aliases
    assert subject_id(YI) not in after.subjects


def test_a_withdrawn_mapping_brings_nothing() -> None:
    cluster, said = tell(mapping(action="withdraw"))
    assert not [e for e in said if isinstance(e, AliasBound)]
    assert [code.kind for code in cluster.subject(subject_id(JIA)).codes] == ["uscc"]


def test_only_what_waits_for_that_code_is_released() -> None:
    cluster, _ = tell(record(REG_NO, "reg_no"), record(OTHER_REG_NO, "reg_no", number=2))
    _, said = tell(mapping(number=9), cluster=cluster)
    assert linked(said) == [(9, 1, False), (1, 1, True)]


def test_a_version_that_comes_after_a_newer_one_is_linked_or_superseded_but_never_passed_over() -> None:
    cluster, said = tell(record(version=2, action="correct"))
    assert linked(said) == [(1, 2, False)]
    assert cluster.record(record().record_id).missing == (1,)
    cluster, said = tell(record(), cluster=cluster)
    assert [type(e) for e in said] == [VersionArrived, RecordOvertaken]
    assert tell(record(), cluster=cluster)[1] == []  # and if it comes again, it is a repeat


def test_a_version_that_is_late_goes_before_those_that_wait() -> None:
    cluster, _ = tell(record(REG_NO, "reg_no", version=2, action="correct"))
    cluster, said = tell(record(), cluster=cluster)
    assert linked(said) == [(1, 1, False)]
    _, said = tell(mapping(number=9), cluster=cluster)
    assert linked(said) == [(9, 1, False), (1, 2, True)]


def test_a_registration_releases_what_waits_for_the_name_of_its_subject() -> None:
    tax_no = "420100MA4KLM0N5"
    waiting = record(tax_no, "tax_no", number=2), record(tax_no, "tax_no", number=3, name="演示乙有限公司")
    cluster, said = tell(mapping(old_kind="tax_no", old=tax_no, number=8), *waiting)
    assert linked(said) == [(8, 1, False)]
    cluster, said = tell(registration(number=9), cluster=cluster)
    assert linked(said) == [(9, 1, False), (2, 1, True)]
    (held,) = cluster.record(waiting[1].record_id).held
    assert (held.reason, held.alias_id) == ("NAME_DIFFERS", subject_id(JIA))
