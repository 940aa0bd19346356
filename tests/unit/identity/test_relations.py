"""Who holds an office: what begins and ends it, and which of several records counts."""

from __future__ import annotations

import pytest

from services.identity.domain.events import Event, RelationBegan, RelationEnded
from services.identity.domain.records import RecordSeen
from services.identity.domain.relations import ROLE_OF, Holder, bound
from services.identity.domain.relations import tell as list_relations
from tests.unit.identity.samples import (
    JIA,
    PROFESSIONAL,
    REG_NO,
    YI,
    entry,
    kept,
    mapping,
    record,
    registration,
    sealed,
    subject_id,
    tell,
)

R1, R2, R3 = (entry(number=number).record_id for number in (1, 2, 3))


def head(two_digits: str = "ab", uscc: str = JIA, **more: object) -> RecordSeen:
    """A record about a responsible person of an organisation."""
    holder = Holder("RESPONSIBLE_PERSON", organisation=subject_id(uscc))
    return sealed(two_digits, item=PROFESSIONAL, **more)._replace(holder=holder)


def told(*given: RecordSeen) -> list[tuple[bytes, int, str, int]]:
    """Record, version, how it ended (`stands`: it did not) and since when, the youngest first."""
    found = list_relations(kept(tell(*given)[1]))
    lines = [(one, "stands" if one.stands else one.ended_as) for one in found]
    return [(one.kept.record_id, one.kept.relation.version, how, one.since) for one, how in lines]


def of(said: list[Event]) -> list[Event]:
    return [event for event in said if isinstance(event, RelationBegan | RelationEnded)]


OLD, YOUNG = entry("演示某", produced_at=10), entry("演示别人", number=2, produced_at=20)
CASES = {
    "a registration begins it": ([OLD], [(R1, 1, "stands", 10)]),
    "the youngest registration counts": ([OLD, YOUNG], [(R2, 1, "stands", 20), (R1, 1, "SUCCEEDED", 10)]),
    "also if it came first": ([YOUNG, OLD], [(R2, 1, "stands", 20), (R1, 1, "SUCCEEDED", 10)]),
    "of two of one moment always the same": (
        [YOUNG._replace(produced_at=10), OLD],
        [(R2, 1, "stands", 10), (R1, 1, "SUCCEEDED", 10)],
    ),
    "a correction replaces": (
        [OLD, entry("演示别人", version=2, action="correct", produced_at=11)],
        [(R1, 2, "stands", 11), (R1, 1, "CORRECTED", 10)],
    ),
    "a correction of something else leaves the beginning": (
        [OLD, entry("演示某", version=2, action="correct", produced_at=11)],
        [(R1, 2, "stands", 10), (R1, 1, "CORRECTED", 10)],
    ),
    "the same name in a younger record goes on": (
        [OLD, entry("演示某", number=2, produced_at=20)],
        [(R2, 1, "stands", 10), (R1, 1, "SUCCEEDED", 10)],
    ),
    "one between breaks it": (
        [OLD, YOUNG, entry("演示某", number=3, produced_at=30)],
        [(R3, 1, "stands", 30), (R2, 1, "SUCCEEDED", 20), (R1, 1, "SUCCEEDED", 10)],
    ),
    "a correction that names nobody ends it": (
        [OLD, entry(None, version=2, action="correct")],
        [(R1, 1, "CORRECTED", 10)],
    ),
    "another record that names nobody says nothing of it": (
        [OLD, entry(None, number=2, produced_at=20)],
        [(R1, 1, "stands", 10)],
    ),
    "a withdrawal ends it": ([OLD, entry(None, version=2, action="withdraw")], [(R1, 1, "WITHDRAWN", 10)]),
    "a withdrawal of the younger one gives the older one back": (
        [OLD, YOUNG, entry("演示别人", number=2, version=2, action="withdraw", produced_at=21)],
        [(R2, 1, "WITHDRAWN", 20), (R1, 1, "stands", 10)],
    ),
    "what was taken back does not break it": (
        [
            OLD,
            YOUNG,
            entry(None, number=2, version=2, action="withdraw"),
            entry("演示某", number=3, produced_at=30),
        ],
        [(R3, 1, "stands", 10), (R2, 1, "WITHDRAWN", 20), (R1, 1, "SUCCEEDED", 10)],
    ),
    "a withdrawal of the older one changes nothing": (
        [OLD, YOUNG, entry(None, version=2, action="withdraw")],
        [(R2, 1, "stands", 20), (R1, 1, "WITHDRAWN", 10)],
    ),
    "a version that is overtaken says nothing": (
        [entry("演示某", version=2, action="correct", produced_at=11), entry("演示别人", produced_at=10)],
        [(R1, 2, "stands", 11)],
    ),
    "several responsible persons stand beside each other": (
        [head("ab"), head("cd", number=2)],
        [(R2, 1, "stands", 10), (R1, 1, "stands", 10)],
    ),
    "one that two records name stands once": (
        [head("ab"), head("ab", number=2, produced_at=20)],
        [(R2, 1, "stands", 10), (R1, 1, "SUCCEEDED", 10)],
    ),
}


@pytest.mark.parametrize(("given", "wanted"), CASES.values(), ids=CASES)
def test_which_relation_stands(given: list[RecordSeen], wanted: list[tuple[bytes, int, str, int]]) -> None:
    assert told(*given) == wanted


def test_it_is_said_what_ended_it() -> None:
    ended = list_relations(kept(tell(OLD, YOUNG, entry(None, number=2, version=2, action="withdraw"))[1]))
    assert [(one.ended_by, one.ended_at) for one in ended] == [((R2, 2), 7), (None, None)]
    succeeded = list_relations(kept(tell(OLD, YOUNG)[1]))[1]
    assert (succeeded.ended_by, succeeded.ended_at) == ((R2, 1), 20)


def test_the_holder_named_by_a_document_is_the_subject_of_the_record() -> None:
    (begun,) = of(tell(head("ab"))[1])
    assert isinstance(begun, RelationBegan)
    assert (begun.relation.person_id, begun.relation.name_digest) == (b"\xab" * 16, None)
    assert begun.relation.organisation == subject_id(JIA)


def test_a_name_is_linked_to_nobody() -> None:
    (begun,) = of(tell(OLD)[1])
    assert isinstance(begun, RelationBegan)
    assert begun.relation.person_id is None


def test_one_name_has_another_digest_in_each_organisation_and_office() -> None:
    """So nobody can ask the store in which firms a name stands."""
    key, jia, yi = b"k" * 16, subject_id(JIA), subject_id(YI)
    places = {bound(key, jia, "HEAD"), bound(key, yi, "HEAD"), bound(key, jia, "OWNER")}
    assert len(places) == 3
    assert bound(b"l" * 16, jia, "HEAD") not in places
    one, other = (kept(tell(entry("演示某", code))[1])[0].relation for code in (JIA, YI))
    assert one.name_digest != other.name_digest


def test_records_of_other_items_say_nothing_of_offices() -> None:
    assert of(tell(registration(), record(number=2), mapping(number=3))[1]) == []


def test_a_record_that_waits_says_nothing_until_it_is_linked() -> None:
    waiting = entry("演示某", REG_NO, "reg_no")
    assert of(tell(waiting)[1]) == []
    cluster, said = tell(waiting, mapping(number=2))
    assert [type(event) for event in of(said)] == [RelationBegan]
    assert cluster.record(R1).relation is not None


def test_a_record_that_loses_its_link_says_nothing_any_more() -> None:
    given = [entry("演示某", REG_NO, "reg_no"), mapping(number=2), mapping(number=2, version=2, action="withdraw")]
    _, said = tell(*given)
    assert list_relations(kept(said))[0].ended_as == "UNLINKED"
    (again,) = list_relations(kept(tell(*given, mapping(YI, number=3))[1]))
    assert (again.stands, again.kept.relation.organisation) == (True, subject_id(YI))


def test_of_what_was_taken_back_no_digest_stays() -> None:
    (withdrawn,) = kept(tell(OLD, entry(None, version=2, action="withdraw"))[1])
    assert (withdrawn.relation.name_digest, withdrawn.relation.person_id) == (None, None)


def test_registrations_that_name_nobody_in_the_catalogue_are_not_decoded() -> None:
    assert "enterprise-registration" not in ROLE_OF
    assert not {"org-permit", "org-penalty", "code-mapping"} & ROLE_OF.keys()
