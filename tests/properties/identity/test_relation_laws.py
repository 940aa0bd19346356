"""Laws of offices: whatever the order in which versions and registrations come, the youngest registration counts."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from services.identity.domain.records import RecordSeen
from services.identity.domain.relations import tell as list_relations
from tests.unit.identity.samples import JIA, REG_NO, YI, entry, kept, mapping, subject_id, tell

entries = st.builds(
    lambda holder, uscc, number, version, action, at: entry(
        holder, uscc, number=number + (0 if uscc == JIA else 10), version=version, action=action, produced_at=at
    ),
    st.sampled_from(["演示某", "演示别人", "演示第三", None]),
    st.sampled_from([JIA, JIA, YI]),
    st.integers(1, 4),
    st.integers(1, 3),
    st.sampled_from(["report", "correct", "correct", "withdraw"]),
    st.integers(1, 5),
)
# A version of a record is what it is, however often it comes.
histories = st.lists(entries, max_size=14, unique_by=lambda one: (one.record_id, one.version))
by_old_code = st.builds(
    lambda holder, version, action: entry(holder, REG_NO, "reg_no", number=30, version=version, action=action),
    st.sampled_from(["演示某", "演示别人", "演示第三", None]),
    st.integers(1, 2),
    st.sampled_from(["report", "report", "correct", "withdraw"]),
)
mappings = st.builds(
    lambda uscc, version, action: mapping(uscc, number=21, version=version, action=action),
    st.sampled_from([JIA, YI]),
    st.integers(1, 4),
    st.sampled_from(["report", "correct", "withdraw"]),
)


def youngest(history: list[RecordSeen], uscc: str) -> set[tuple[bytes, int]]:
    """The plain rule: of each record its newest version counts, of these the youngest that names somebody."""
    newest: dict[bytes, RecordSeen] = {}
    for one in history:
        if (
            one.named.id == subject_id(uscc)
            and one.version > newest.get(one.record_id, one._replace(version=0)).version
        ):
            newest[one.record_id] = one
    named = [one for one in newest.values() if one.holder is not None and not one.withdraws]
    last = max(named, key=lambda one: (one.produced_at, one.record_id), default=None)
    return set() if last is None else {(last.record_id, last.version)}


@given(histories.flatmap(lambda history: st.tuples(st.just(history), st.permutations(history))))
def test_what_stands_is_the_youngest_registrations_in_any_order(
    both: tuple[list[RecordSeen], list[RecordSeen]],
) -> None:
    for history in both:
        relations = kept(tell(*history)[1])
        for uscc in (JIA, YI):
            mine = [one for one in relations if one.relation.organisation == subject_id(uscc)]
            stands = {(t.kept.record_id, t.kept.relation.version) for t in list_relations(mine) if t.stands}
            assert stands == youngest(history, uscc)


@given(histories)
def test_at_most_one_stands_and_each_version_is_told_once(history: list[RecordSeen]) -> None:
    relations = kept(tell(*history)[1])
    for uscc in (JIA, YI):
        mine = [one for one in relations if one.relation.organisation == subject_id(uscc)]
        told = list_relations(mine)
        assert sum(one.stands for one in told) <= 1
        assert Counter(one.kept for one in told) == Counter(mine)
        assert all(one.stands != bool(one.ended_as) for one in told)
        assert all(one.since <= one.kept.relation.said_at for one in told)


@given(histories)
def test_a_repeat_neither_begins_nor_ends_anything(history: list[RecordSeen]) -> None:
    cluster, _ = tell(*history)
    assert tell(*history, cluster=cluster)[1] == []


@given(st.lists(st.one_of(by_old_code, mappings), min_size=4, max_size=12))
def test_only_a_linked_record_speaks_and_by_its_newest_version(history: list[RecordSeen]) -> None:
    """Also of records that an old code links, and that lose their link with it."""
    cluster, said = tell(*history)
    speaking = {one.record_id: one.relation for one in kept(said) if one.ended_as is None}
    assert speaking == {r.record_id: r.relation for r in cluster.records.values() if r.relation is not None}
    for record_id, relation in speaking.items():
        record = cluster.record(record_id)
        assert record.link is not None
        assert (relation.version, relation.organisation) == (record.linked, record.link.subject_id)
