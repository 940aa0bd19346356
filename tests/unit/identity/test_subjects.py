"""What is said about a subject: that it exists, a code more, its registered name."""

from __future__ import annotations

from services.identity.domain.events import Event
from services.identity.domain.subject_events import NameConfirmed, SubjectChanged
from tests.unit.identity.samples import JIA, SOLE, mapping, record, registration, subject_id, tell


def changes(said: list[Event]) -> list[tuple[str, int, str | None, list[str]]]:
    found = [e for e in said if isinstance(e, SubjectChanged)]
    return [(e.change, e.subject.version, e.subject.name, [c.kind for c in e.subject.codes]) for e in found]


def test_the_first_record_registers_without_a_name() -> None:
    assert changes(tell(record(name="演示甲公司"), record(number=2))[1]) == [("REGISTERED", 1, None, ["uscc"])]


def test_a_registration_tells_everything_at_once() -> None:
    said = tell(registration(), registration(number=2))[1]
    assert changes(said) == [("REGISTERED", 1, "演示甲有限公司", ["uscc", "org_code"])]


def test_a_registration_of_a_known_subject_adds_code_and_name() -> None:
    assert changes(tell(record(), registration(number=2))[1])[1:] == [
        ("CODE_ADDED", 2, None, ["uscc", "org_code"]),
        ("NAMED", 3, "演示甲有限公司", ["uscc", "org_code"]),
    ]


def test_a_mapping_adds_its_code_once() -> None:
    said = tell(record(), mapping(number=2), mapping(number=3))[1]
    assert changes(said)[1:] == [("CODE_ADDED", 2, None, ["uscc", "reg_no"])]


def test_the_youngest_registration_names_in_any_order() -> None:
    old = registration(name="演示旧名", produced_at=1)
    new = registration(number=2, name="演示新名", produced_at=2)
    assert tell(old, new)[0].subject(subject_id(JIA)).name == "演示新名"
    assert tell(new, old)[0].subject(subject_id(JIA)).name == "演示新名"


def test_the_same_name_again_is_told_to_nobody_but_remembered() -> None:
    again = registration(number=2, produced_at=30)
    between = registration(number=3, name="演示旧名", produced_at=20)
    cluster, said = tell(registration(produced_at=10), again, between)
    assert [type(e) for e in said if isinstance(e, SubjectChanged | NameConfirmed)] == [SubjectChanged, NameConfirmed]
    assert cluster.subject(subject_id(JIA)).name == "演示甲有限公司"


def test_the_kind_follows_from_the_code() -> None:
    cluster, _ = tell(record(SOLE, subject_kind="org"), record(JIA, number=2, subject_kind="sole_trader"))
    assert cluster.subject(subject_id(SOLE)).kind == "sole_trader"
    assert cluster.subject(subject_id(JIA)).kind == "org"


def test_a_withdrawal_that_comes_first_still_registers_whom_it_links() -> None:
    cluster, said = tell(registration(action="withdraw"))
    assert changes(said) == [("REGISTERED", 1, None, ["uscc"])]
    assert cluster.subject(subject_id(JIA)).version == 1
