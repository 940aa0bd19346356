"""Look-ups share statements; nobody is told what another asked for, or what another channel may see."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import grpc
import pytest

from tests.support.road import Road, messages, organisation

COUNT = "SELECT count(*) FROM audit"
CARD = "INSERT INTO subjects VALUES ($1, 1, 'org', '演示查询企业', ARRAY['uscc', 'org_code'], $2, 0)"
CODE = "INSERT INTO subject_codes (kind, code, subject_id) VALUES ($1, $2, $3)"
RECORD = """
INSERT INTO disclosed_records (subject_id, record_id, version, in_public, in_government, item, item_version, agency,
    submission_id, decided_on, accepted_at, fields, changed_at)
VALUES ($1, $2, 1, $3, true, 'org-permit', 1, '420000-gsj', 'planted', DATE '2019-01-01', 0, '\\x00', 0)
"""


class Planted(NamedTuple):
    """A subject put straight into disclosure's store; `shared` has its organisation code too."""

    subject_id: bytes
    uscc: str
    shared: str
    public: int
    government: int


@pytest.fixture
def planted(road: Road) -> Iterator[list[Planted]]:
    """Two subjects that share a code, and one that only the government's records tell of."""
    shared = organisation().uscc[8:17]
    found = [Planted(secrets.token_bytes(16), organisation().uscc, shared, n, n + 2) for n in range(2)]
    found.append(Planted(secrets.token_bytes(16), "", "", 0, 1))
    ids = [one.subject_id for one in found]

    def sql(statement: str, *values: Any) -> None:
        road.stack.sql("disclosure", statement, *values)

    try:
        for one in found:
            if one.uscc:
                sql(CARD, one.subject_id, [one.uscc, one.shared])
                sql(CODE, "uscc", one.uscc, one.subject_id)
                sql(CODE, "org_code", one.shared, one.subject_id)
            for n in range(one.government):
                sql(RECORD, one.subject_id, secrets.token_bytes(16), n < one.public)
        yield found
    finally:
        for table in ("disclosed_records", "subject_codes", "subjects"):
            sql(f"DELETE FROM {table} WHERE subject_id = ANY($1::bytea[])", ids)


def test_each_question_of_a_batch_is_answered_by_its_own_channels_rules(road: Road, planted: list[Planted]) -> None:
    pb = messages("disclosure")
    one, other, known_by_records = planted
    keys = [
        pb.SubjectKey(code=pb.Code(kind="uscc", code=other.uscc)),
        pb.SubjectKey(subject_id=one.subject_id.hex()),
        pb.SubjectKey(code=pb.Code(kind="org_code", code=one.shared)),
        pb.SubjectKey(subject_id=known_by_records.subject_id.hex()),
        pb.SubjectKey(code=pb.Code(kind="uscc", code=other.uscc)),
        pb.SubjectKey(code=pb.Code(kind="uscc", code=organisation().uscc)),
    ]
    for channel, name in ((1, "public"), (2, "government")):
        inquiry = pb.Inquiry(channel=channel, caller="演示处", purpose="测试")
        before = road.stack.sql("disclosure", COUNT)[0][0]
        answer = road.ask("disclosure", "BatchGetSubject", pb.BatchGetSubjectRequest(inquiry=inquiry, subjects=keys))
        assert road.stack.sql("disclosure", COUNT)[0][0] - before == len(keys)
        told = [(a.subject.subject_id, a.subject.records, a.fault) for a in answer.answers]
        second = (other.subject_id.hex(), getattr(other, name), "")
        last = (known_by_records.subject_id.hex(), 1, "") if name == "government" else ("", 0, "SUBJECT_UNKNOWN")
        assert told == [
            second, (one.subject_id.hex(), getattr(one, name), ""), ("", 0, "CODE_AMBIGUOUS"), last, second,
            ("", 0, "SUBJECT_UNKNOWN"),
        ]  # fmt: skip
        lanes = road.stack.sql(
            "disclosure", "SELECT partition FROM lanes WHERE topic = 'credit.identity.record.v1' AND next_offset >= 0"
        )
        assert sorted(p.partition for p in answer.as_of) == sorted(row[0] for row in lanes)


def test_questions_asked_at_once_are_not_mixed_up(road: Road, planted: list[Planted]) -> None:
    pb = messages("disclosure")

    def ask(n: int) -> None:
        subject, channel = planted[n % 3], ("public", "government")[n % 2]
        inquiry = pb.Inquiry(channel=1 + n % 2, caller=f"演示处{n}", purpose="测试")
        request = pb.GetSubjectRequest(inquiry=inquiry, subject=pb.SubjectKey(subject_id=subject.subject_id.hex()))
        if not subject.uscc and channel == "public":
            with pytest.raises(grpc.RpcError) as refused:
                road.ask("disclosure", "GetSubject", request)
            assert refused.value.code() is grpc.StatusCode.NOT_FOUND
            return
        found = road.ask("disclosure", "GetSubject", request).subject
        assert (found.subject_id, found.records) == (subject.subject_id.hex(), getattr(subject, channel))

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(ask, range(96)))
    rows = road.stack.sql(
        "disclosure",
        "SELECT caller, channel FROM audit WHERE subject_id = ANY($1)",
        [p.subject_id for p in planted[:2]],
    )
    asked = {(f"演示处{n}", ("public", "government")[n % 2]) for n in range(96) if n % 3 < 2}
    assert {(row["caller"], row["channel"]) for row in rows} == asked
