"""Merging and taking apart against a model in which nothing clever happens; what consumers make of what they are told.

The consumer reads the two topics in any order, with repeats: it keeps the highest version and the highest link number.
"""

from __future__ import annotations

import random
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.identity.domain.cluster import EMPTY, Cluster, evolve
from services.identity.domain.deciding import Input, decide
from services.identity.domain.events import Event, RecordLinked, RecordMoved, RecordUnlinked
from services.identity.domain.order_events import OrderAnswered
from services.identity.domain.orders import JudgeAsked, MergeAsked, Order, UnmergeAsked
from tests.unit.identity.samples import JIA, REG_NO, SOLE, YI, mapping, record, registration, subject_id

USCCS = (JIA, YI, SOLE, "93420100MA4KLM0N5B")
IDS = tuple(map(subject_id, USCCS))
one_of = st.sampled_from(range(len(USCCS)))


def told(event: Event) -> tuple[Any, ...] | None:
    """What a consumer hears: record, version (0: none told), link number, whom it is about (None: nobody)."""
    if isinstance(event, RecordLinked):
        about = event.about or event.link.subject_id
        return event.given.record_id, event.given.version, event.link_no, about
    if isinstance(event, RecordMoved):
        return event.record_id, 0, event.link_no, event.subject_id
    return (event.record_id, 0, event.link_no, None) if isinstance(event, RecordUnlinked) else None


class Consumer:
    """The rule that the contract gives consumers, in the fewest words."""

    def __init__(self) -> None:
        self.version: dict[bytes, int] = {}
        self.link: dict[bytes, tuple[int, bytes | None]] = {}
        self.named: dict[bytes, bytes] = {}

    def hear(self, record_id: bytes, version: int, link_no: int, about: bytes | None) -> None:
        if version > self.version.get(record_id, 0):
            self.version[record_id] = version
            if about is not None:
                self.named[record_id] = about
        if link_no > self.link.get(record_id, (0, None))[0]:
            self.link[record_id] = link_no, about

    def about(self, record_id: bytes) -> bytes | None:
        return self.link[record_id][1] if record_id in self.link else self.named.get(record_id)


class Merging(RuleBasedStateMachine):
    """The model: whom each record names, and into whom each subject was merged."""

    def __init__(self) -> None:
        super().__init__()
        self.cluster: Cluster = EMPTY
        self.named: dict[bytes, tuple[int, int]] = {}  # record -> subject that it names, version
        self.into: dict[int, int] = {}
        self.apart: set[frozenset[int]] = set()
        self.by_code: set[bytes] = set()
        self.mapped: int | None = None  # whose the old code is
        self.mapping_version = 0
        self.mapping_stands = False
        self.heard: list[tuple[Any, ...]] = []
        self.count = 0

    @initialize()
    def subjects(self) -> None:
        for number, uscc in enumerate(USCCS):
            self.tell(registration(uscc, number=900 + number))

    def tell(self, given: Input) -> list[Event]:
        events = list(decide(self.cluster, given))
        for event in events:
            self.cluster = evolve(self.cluster, event)
        self.heard += [heard for event in events if (heard := told(event)) is not None]
        return events

    def order(self, kind: str) -> Order:
        self.count += 1
        return Order(f"c{self.count}", kind, "演示员", "演示理由", self.count)

    def answer(self, given: Input) -> tuple[str, ...]:
        answers = [event for event in self.tell(given) if isinstance(event, OrderAnswered)]
        assert len(answers) == 1
        before = self.cluster
        again = [event for event in decide(self.cluster, given) if isinstance(event, OrderAnswered)]
        assert [(a.faults, a.detail) for a in again] == [(answers[0].faults, answers[0].detail)]
        assert self.cluster is before
        return answers[0].faults

    def root(self, one: int) -> int:
        while one in self.into:
            one = self.into[one]
        return one

    def below(self, root: int) -> set[int]:
        return {one for one in range(len(USCCS)) if self.root(one) == root}

    @rule(whose=one_of)
    def a_record(self, whose: int) -> None:
        self.count += 1
        given = record(USCCS[whose], number=self.count)
        self.tell(given)
        self.named[given.record_id] = whose, 1

    @rule(data=st.data())
    @precondition(lambda self: bool(self.named))
    def a_correction(self, data: st.DataObject) -> None:
        record_id = data.draw(st.sampled_from(sorted(self.named)))
        whose, version = self.named[record_id]
        number = int.from_bytes(record_id[6:])
        self.tell(record(USCCS[whose], number=number, version=version + 1, action="correct"))
        self.named[record_id] = whose, version + 1

    @rule()
    def a_record_under_the_old_code(self) -> None:
        self.count += 1
        given = record(REG_NO, "reg_no", number=self.count)
        self.tell(given)
        self.by_code.add(given.record_id)

    @rule(whose=one_of, action=st.sampled_from(["correct", "correct", "withdraw"]))
    def a_mapping(self, whose: int, action: str) -> None:
        if self.mapping_version and not self.mapping_stands:
            return  # it was withdrawn: no version follows
        self.mapping_version += 1
        action = action if self.mapping_version > 1 else "report"
        self.tell(mapping(USCCS[whose], number=800, version=self.mapping_version, action=action))
        self.mapping_stands = action != "withdraw"
        self.mapped = whose if self.mapping_stands else None

    @rule(into=one_of, gone=one_of)
    def merge(self, into: int, gone: int) -> None:
        faults = self.answer(MergeAsked(self.order("merge_subjects"), IDS[into], IDS[gone]))
        sides = self.below(self.root(into)), self.below(self.root(gone))
        apart = any(frozenset((a, b)) in self.apart for a in sides[0] for b in sides[1])
        allowed = into != gone and into not in self.into and gone not in self.into and not apart
        assert (faults == ()) == allowed
        if allowed:
            self.into[gone] = into

    @rule(into=one_of, gone=one_of)
    def unmerge(self, into: int, gone: int) -> None:
        faults = self.answer(UnmergeAsked(self.order("unmerge_subjects"), IDS[into], IDS[gone]))
        assert (faults == ()) == (self.into.get(gone) == into)
        if not faults:
            del self.into[gone]
            self.apart.add(frozenset((into, gone)))

    @rule(one=one_of, other=one_of, same=st.booleans(), overrule=st.booleans())
    def judge(self, one: int, other: int, same: bool, overrule: bool) -> None:
        pair, verdict = frozenset((one, other)), "SAME" if same else "NOT_SAME"
        asked = JudgeAsked(self.order("judge_subjects"), IDS[one], IDS[other], verdict, overrule)  # type: ignore[arg-type]
        faults = self.answer(asked)
        if one == other:
            assert faults == ("SAME_SUBJECT",)
        elif same and pair in self.apart:
            assert faults == (() if overrule else ("JUDGED_OTHERWISE",))
            self.apart -= {pair} if overrule else set()
        elif not same and self.root(one) == self.root(other):
            assert faults == ("MERGED_NOW",)
        elif not same and not faults:
            self.apart.add(pair)

    @invariant()
    def every_record_is_whose_the_model_says(self) -> None:
        for record_id, (whose, _) in self.named.items():
            link = self.cluster.record(record_id).link
            assert link is not None
            assert self.cluster.root(link.subject_id) == IDS[self.root(whose)]
        for record_id in self.by_code:
            link = self.cluster.record(record_id).link
            assert (link is None) == (self.mapped is None)
            assert link is None or self.cluster.root(link.subject_id) == IDS[self.root(self.mapped or 0)]

    @invariant()
    def a_consumer_that_hears_it_in_any_order_agrees(self) -> None:
        chance = random.Random(len(self.heard))
        for heard in (self.heard, self.heard[::-1], chance.sample(self.heard, len(self.heard)) + self.heard[:3]):
            consumer = Consumer()
            for one in heard:
                consumer.hear(*one)
            for record_id, (whose, version) in self.named.items():
                assert consumer.about(record_id) == IDS[self.root(whose)]
                assert consumer.version[record_id] == version
            for record_id in self.by_code:
                expected = None if self.mapped is None else IDS[self.root(self.mapped)]
                assert consumer.about(record_id) == expected


TestMerging = Merging.TestCase
TestMerging.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
