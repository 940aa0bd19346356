"""People judge, merge and take apart subjects. Merged subjects make a forest: one stands for others.

Nothing of a subject is lost by a merge: records keep the subject that their code names, and every subject its codes and
name. So to take two apart is exactly to undo their merge, whatever came meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from services.identity.domain.cluster import Cluster
from services.identity.domain.events import RecordMoved
from services.identity.domain.ledger import Judgement
from services.identity.domain.order_events import SubjectsJudged
from services.identity.domain.orders import JudgeAsked, MergeAsked, PairAsked, UnmergeAsked
from services.identity.domain.story import Story, moved_by
from services.identity.domain.subject_events import SubjectChanged
from services.identity.domain.terms import Cause, Judged

CONTRARY = {"SAME": "NOT_SAME", "NOT_SAME": "SAME", "UNSURE": ""}


def decide(story: Story, given: PairAsked) -> tuple[Sequence[str], str | None]:
    """Tells what follows; the faults for which nothing does, and what was done or stands against it, as JSON."""
    if isinstance(given, MergeAsked):
        return _merge(story, given)
    return _unmerge(story, given) if isinstance(given, UnmergeAsked) else _judge(story, given)


def _merge(story: Story, given: MergeAsked) -> tuple[Sequence[str], str | None]:
    cluster = story.cluster
    faults = list(_unmergeable(cluster, given.into, given.gone))
    against = next(_judged_two(cluster, given.into, given.gone), None)
    if faults or against is not None:
        return faults or ["JUDGED_NOT_SAME"], None if against is None else _told(against)
    number = _judged(story, given, given.into, given.gone, "MERGED")
    gone = story.cluster.subject(given.gone)
    gone = gone._replace(version=gone.version + 1, merged_into=given.into)
    story.tell([SubjectChanged(gone, "MERGED", story.at_ms)])
    return [], _moved(story, given.gone, number, "MERGED")


def _unmergeable(cluster: Cluster, into: bytes, gone: bytes) -> Iterator[str]:
    yield from _unknown(cluster, into, gone)
    if cluster.subject(gone).merged_into is not None:
        yield "ALREADY_MERGED"
    elif cluster.subject(into).merged_into is not None:
        yield "INTO_MERGED"


def _unknown(cluster: Cluster, one: bytes, other: bytes) -> Iterator[str]:
    if one == other:
        yield "SAME_SUBJECT"
    elif not (cluster.subject(one).version and cluster.subject(other).version):
        yield "SUBJECT_UNKNOWN"


def _judged_two(cluster: Cluster, into: bytes, gone: bytes) -> Iterator[Judgement]:
    """Standing judgements that somebody of the one side and somebody of the other are two."""
    into, gone = cluster.root(into), cluster.root(gone)
    sides = set(cluster.tree(into)), set(cluster.tree(gone))
    for found in cluster.ledger.newest.values():
        apart = (found.one in sides[0] and found.other in sides[1]) or (
            found.one in sides[1] and found.other in sides[0]
        )
        if found.means == "NOT_SAME" and apart:
            yield found


def _unmerge(story: Story, given: UnmergeAsked) -> tuple[Sequence[str], str | None]:
    gone = story.cluster.subject(given.gone)
    if gone.merged_into is None or gone.merged_into != given.into:
        return ["NOT_MERGED"], None
    number = _judged(story, given, given.into, given.gone, "UNMERGED")
    apart = gone._replace(version=gone.version + 1, merged_into=None)
    story.tell([SubjectChanged(apart, "UNMERGED", story.at_ms)])
    return [], _moved(story, given.gone, number, "UNMERGED")


def _judge(story: Story, given: JudgeAsked) -> tuple[Sequence[str], str | None]:
    cluster = story.cluster
    if faults := list(_unknown(cluster, given.one, given.other)):
        return faults, None
    if given.verdict == "NOT_SAME" and cluster.root(given.one) == cluster.root(given.other):
        return ["MERGED_NOW"], None
    stands = cluster.ledger.newest.get(frozenset((given.one, given.other)))
    if stands is not None and stands.means == CONTRARY[given.verdict] and not given.overrule:
        return ["JUDGED_OTHERWISE"], _told(stands)
    number = _judged(story, given, given.one, given.other, given.verdict)
    return [], json.dumps({"number": number, "verdict": given.verdict})


def _judged(story: Story, given: PairAsked, one: bytes, other: bytes, verdict: Judged) -> int:
    number = story.next_number()
    order = given.order
    story.tell([SubjectsJudged(Judgement(number, verdict, one, other, order.by, order.reason, story.at_ms))])
    return number


def _moved(story: Story, gone: bytes, number: int, cause: Cause) -> str:
    """All records of the tree are about whoever stands for it now, under a number above all before."""
    cluster = story.cluster
    root = cluster.root(gone)
    records = sorted(_records(cluster, set(cluster.tree(gone))))
    story.tell(RecordMoved(record_id, moved_by(number), root, cause, story.at_ms) for record_id in records)
    return json.dumps({"number": number, "records": len(records), "subject_id": root.hex()})


def _records(cluster: Cluster, subjects: set[bytes]) -> Iterable[bytes]:
    """Those of the store, but of what this batch touched what it made of them."""
    for subject_id in subjects:
        yield from (one for one in cluster.ledger.members.get(subject_id, ()) if one not in cluster.records)
    for record in cluster.records.values():
        if record.link is not None and record.link.subject_id in subjects:
            yield record.record_id


def _told(found: Judgement) -> str:
    told = {"number": found.number, "verdict": found.verdict, "by": found.by, "reason": found.reason}
    return json.dumps({"earlier": {**told, "judged_at": found.at_ms}}, ensure_ascii=False)
