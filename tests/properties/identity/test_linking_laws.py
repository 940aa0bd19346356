"""Laws of linking: whatever comes in whatever order, these hold."""

from __future__ import annotations

from collections import defaultdict
from functools import reduce
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.identity.domain.cluster import EMPTY, Cluster, evolve
from services.identity.domain.deciding import alone
from services.identity.domain.events import (
    Event,
    RecordHeld,
    RecordLinked,
    RecordOvertaken,
    RecordSuperseded,
    RecordUnlinked,
)
from services.identity.domain.linking import decide
from services.identity.domain.neighbours import Groups, touched
from services.identity.domain.records import RecordSeen
from services.identity.domain.subject_events import AliasBound, AliasFreed, SubjectChanged
from tests.unit.identity.samples import (
    JIA,
    MAPPING,
    OTHER_REG_NO,
    REG_NO,
    SOLE,
    YI,
    mapping,
    record,
    registration,
    tell,
)

TAX_NO = "420100MA4KLM0N5"
NAMES = st.sampled_from([
    (JIA, "uscc"),
    (YI, "uscc"),
    (REG_NO, "reg_no"),
    (OTHER_REG_NO, "reg_no"),
    ("MA4KLM0N5", "org_code"),
    (TAX_NO, "tax_no"),
    ("00000000000000000X", "uscc"),
    ("420106190003070015", "resident_id"),
])  # fmt: skip
ACTIONS = st.sampled_from(["report", "correct", "correct", "withdraw"])
KINDS = st.sampled_from(["org", "org", "org", "sole_trader", "person"])
NUMBERS = st.integers(1, 4)
VERSIONS = st.integers(1, 4)
records = st.builds(
    lambda name, number, version, action, kind: record(
        *name, number=number, version=version, action=action, subject_kind=kind
    ),
    NAMES,
    NUMBERS,
    VERSIONS,
    ACTIONS,
    KINDS,
)
registrations = st.builds(
    lambda uscc, number, version, action, name, at: registration(
        uscc, number=number, version=version, action=action, name=name, produced_at=at
    ),
    st.sampled_from([JIA, YI, "93420100MA4KLM0N5B"]),
    st.integers(11, 13),
    VERSIONS,
    ACTIONS,
    st.sampled_from(["演示甲", "演示乙", ""]),
    st.integers(1, 3),
)
mappings = st.builds(
    lambda uscc, old, number, version, action: mapping(uscc, *old, number=number, version=version, action=action),
    st.sampled_from([JIA, YI]),
    st.sampled_from([("reg_no", REG_NO), ("reg_no", OTHER_REG_NO), ("tax_no", TAX_NO)]),
    st.integers(21, 23),
    VERSIONS,
    ACTIONS,
)
HELPED = ("CODE_UNKNOWN", "NAME_UNKNOWN", "NAME_DIFFERS", "ALIAS_CONFLICT")
histories = st.lists(st.one_of(records, registrations, mappings), max_size=16)


def key(event: Event) -> tuple[bytes, int]:
    if isinstance(event, RecordSuperseded):
        return event.record_id, event.version
    assert isinstance(event, RecordLinked | RecordHeld | RecordOvertaken)
    seen = event.held.given if isinstance(event, RecordHeld) else event.given
    return seen.record_id, seen.version


@given(histories)
def test_a_repeat_states_nothing_new(history: list[RecordSeen]) -> None:
    cluster, _ = tell(*history)
    assert tell(*history, cluster=cluster)[1] == []


@given(histories)
def test_evolve_accepts_every_event_and_replay_equals_live(history: list[RecordSeen]) -> None:
    live, said = tell(*history)
    assert reduce(evolve, said, EMPTY) == live


@given(histories)
def test_every_version_is_linked_waiting_or_superseded_and_only_one_of_these(history: list[RecordSeen]) -> None:
    """In whatever order they come. What was linked and is nobody's now waits again."""
    cluster, said = tell(*history)
    ends: dict[tuple[bytes, int], str] = {}
    for event in said:
        if isinstance(event, RecordHeld):
            assert ends.get(key(event), "waiting") in ("waiting", "linked")
            ends[key(event)] = "waiting"
        elif isinstance(event, RecordLinked | RecordSuperseded | RecordOvertaken):
            assert ends.get(key(event), "waiting") == "waiting"
            ends[key(event)] = "linked" if isinstance(event, RecordLinked) else "superseded"
    waiting = {(h.given.record_id, h.given.version) for r in cluster.records.values() for h in r.held}
    assert {place for place, end in ends.items() if end == "waiting"} == waiting
    assert ends.keys() == {(one.record_id, one.version) for one in history}


@given(histories)
def test_versions_are_told_in_order_and_a_link_moves_only_with_the_code_that_made_it(history: list[RecordSeen]) -> None:
    told: dict[bytes, list[RecordLinked | RecordUnlinked]] = defaultdict(list)
    for event in tell(*history)[1]:
        if isinstance(event, RecordLinked):
            told[event.given.record_id].append(event)
        elif isinstance(event, RecordUnlinked):
            told[event.record_id].append(event)
    for events in told.values():
        for one, then in pairwise(events):
            if isinstance(one, RecordUnlinked):
                assert isinstance(then, RecordLinked)
                assert then.link_no > one.link_no
            elif isinstance(then, RecordLinked):
                assert then.given.version > one.given.version
                assert then.link.subject_id == one.link.subject_id or then.given.item == MAPPING
            else:
                assert one.link.rule != "USCC"


@given(histories)
def test_a_code_keeps_its_subject_until_it_is_free(history: list[RecordSeen]) -> None:
    whose: dict[bytes, bytes | None] = {}
    for event in tell(*history)[1]:
        if isinstance(event, AliasBound):
            assert whose.get(event.alias.alias_id) in (None, event.alias.subject_id)
            whose[event.alias.alias_id] = event.alias.subject_id
        elif isinstance(event, AliasFreed):
            whose[event.alias_id] = None


@given(histories)
def test_what_a_code_linked_has_a_code_that_is_still_its_subjects(history: list[RecordSeen]) -> None:
    """Or is taken back by its agency, so that nothing can be made of it any more."""
    cluster, _ = tell(*history)
    for record_ in cluster.records.values():
        if record_.link is None or record_.by_code is None or record_.by_code.withdraws:
            continue
        alias = cluster.alias(record_.by_code.named.id, "")
        assert alias.subject_id == record_.link.subject_id


@given(histories)
def test_persons_are_never_linked_and_never_subjects(history: list[RecordSeen]) -> None:
    cluster, said = tell(*history)
    assert not [e for e in said if isinstance(e, RecordLinked) and e.given.subject_kind == "person"]
    assert {s.kind for s in cluster.subjects.values()} <= {"org", "sole_trader"}


@given(histories)
def test_subject_versions_have_no_gaps_and_come_before_links(history: list[RecordSeen]) -> None:
    versions: dict[bytes, list[int]] = defaultdict(list)
    for event in tell(*history)[1]:
        if isinstance(event, SubjectChanged):
            versions[event.subject.subject_id].append(event.subject.version)
        elif isinstance(event, RecordLinked):
            assert versions[event.link.subject_id], "a record was told before its subject"
    assert all(found == list(range(1, len(found) + 1)) for found in versions.values())


@given(histories)
def test_reasons_are_never_empty_and_codes_to_wait_for_are_named_when_one_would_help(history: list[RecordSeen]) -> None:
    for event in tell(*history)[1]:
        if isinstance(event, RecordHeld):
            assert event.held.reason
            assert (event.held.alias_id is not None) == (event.held.reason in HELPED)


@given(histories)
def test_nothing_waits_for_a_code_that_is_known(history: list[RecordSeen]) -> None:
    cluster, _ = tell(*history)
    for alias in cluster.aliases.values():
        held = [h for r in cluster.records.values() for h in r.held if h.alias_id == alias.alias_id]
        assert alias.subject_id is None or {h.reason for h in held} <= {"ALIAS_CONFLICT"}


@given(histories)
def test_clusters_do_not_matter(history: list[RecordSeen]) -> None:
    """What has nothing in common is decided apart as it would be together: the store may cut a batch.

    It cuts none in which links may change.
    """
    history = [one for one in history if not alone(one)]
    groups = Groups()
    for one in history:
        groups.join(touched(one))
    cut: dict[bytes, list[RecordSeen]] = defaultdict(list)
    for one in history:
        cut[groups.of(one.record_id)].append(one)
    parts = [tell(*part)[0] for part in cut.values()]
    whole, _ = tell(*history)
    assert {k: v for p in parts for k, v in p.subjects.items()} == dict(whole.subjects)
    assert {k: v for p in parts for k, v in p.aliases.items()} == dict(whole.aliases)
    assert {k: v for p in parts for k, v in p.records.items()} == dict(whole.records)


def _renumbered(found: list[RecordSeen]) -> list[RecordSeen]:
    """Each record once: order between records is free, order within a record is not."""
    return [one._replace(record_id=b"renumbered" + n.to_bytes(6), version=1) for n, one in enumerate(found)]


agreeing = st.lists(
    st.one_of(
        st.builds(lambda name: record(*name), NAMES),
        st.builds(lambda: mapping(JIA, "reg_no", REG_NO)),
        st.builds(lambda: mapping(JIA, "tax_no", TAX_NO)),
        st.builds(lambda: mapping(SOLE, "reg_no", OTHER_REG_NO)),
        st.builds(lambda at: registration(JIA, produced_at=at), st.integers(1, 5)),  # named as the records name it
        st.builds(lambda at: registration(SOLE, name="演示丙", produced_at=at), st.integers(1, 5)),
    ),
    max_size=12,
).map(_renumbered)


def links(cluster: Cluster) -> dict[bytes, object]:
    return {record_id: (r.link, [(h.reason, h.alias_id) for h in r.held]) for record_id, r in cluster.records.items()}


@given(agreeing.flatmap(lambda history: st.tuples(st.just(history), st.permutations(history))))
def test_records_and_mappings_in_any_order_end_in_the_same_links(
    both: tuple[list[RecordSeen], list[RecordSeen]],
) -> None:
    one, other = tell(*both[0])[0], tell(*both[1])[0]
    assert links(one) == links(other)
    assert {a.alias_id: a.subject_id for a in one.aliases.values()} == {
        a.alias_id: a.subject_id for a in other.aliases.values()
    }
    assert {s.subject_id: (s.name, s.named_at, set(s.codes)) for s in one.subjects.values()} == {
        s.subject_id: (s.name, s.named_at, set(s.codes)) for s in other.subjects.values()
    }


@given(histories)
def test_deciding_does_not_change_the_state_it_is_given(history: list[RecordSeen]) -> None:
    cluster, _ = tell(*history)
    before = (dict(cluster.subjects), dict(cluster.aliases), dict(cluster.records))
    decide(cluster, record(number=4, version=9, action="correct"))
    assert (dict(cluster.subjects), dict(cluster.aliases), dict(cluster.records)) == before
