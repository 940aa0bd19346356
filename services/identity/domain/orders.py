"""What people order about subjects and about what is in review, and why an order is refused."""

from __future__ import annotations

from typing import NamedTuple

from services.identity.domain.terms import Decision, Verdict


class Order(NamedTuple):
    """Who orders it and why; the reason names nobody by a code (checked where it is read)."""

    command_id: str
    type: str
    by: str
    reason: str
    at_ms: int
    faults: tuple[str, ...] = ()  # found while it was read: codes of FAULTS


class MergeAsked(NamedTuple):
    """One subject is to stand for another."""

    order: Order
    into: bytes
    gone: bytes


class UnmergeAsked(NamedTuple):
    """One subject is to stand for another no more."""

    order: Order
    into: bytes
    gone: bytes


class JudgeAsked(NamedTuple):
    """What somebody says of two subjects; `overrule`: although somebody said the contrary."""

    order: Order
    one: bytes
    other: bytes
    verdict: Verdict
    overrule: bool


class ClaimAsked(NamedTuple):
    """A reviewer wants a version in review for so many minutes."""

    order: Order
    record_id: bytes
    version: int
    minutes: int


class DecideAsked(NamedTuple):
    """What is to become of a version in review; `subject_id`: to whom it is to be linked."""

    order: Order
    record_id: bytes
    version: int
    decision: Decision
    subject_id: bytes | None


Asked = MergeAsked | UnmergeAsked | JudgeAsked | ClaimAsked | DecideAsked
PairAsked = MergeAsked | UnmergeAsked | JudgeAsked
ReviewAsked = ClaimAsked | DecideAsked


class Fault(NamedTuple):
    """Why an order is refused, in the form of the contract."""

    code: str
    field: str
    rule: str
    clause: str
    message_zh: str
    message_en: str
    example: str


def _fault(code: str, field: str, rule: str, zh: str, en: str, example: str = "") -> tuple[str, Fault]:
    return code, Fault(code, field, rule, "", zh, en, example)


FAULTS = dict(
    (
        _fault("REASON_MISSING", "reason", "1 to 500 characters", "必须说明理由", "a reason must be given"),
        _fault(
            "REASON_NAMES",
            "reason",
            "no code of a person or an organisation",
            "理由中不得含主体代码",
            "the reason must not hold a code of a person or an organisation",
        ),
        _fault(
            "SUBJECT_FORMAT",
            "subject",
            "a valid unified social credit code, or a subject id",
            "主体标识无效",
            "a subject is named by a valid unified social credit code or by its id of 32 hexadecimal digits",
        ),
        _fault("SUBJECT_UNKNOWN", "subject", "the subject is known", "主体不存在", "no record names this subject yet"),
        _fault("SAME_SUBJECT", "subject", "two subjects", "两个主体相同", "both are the same subject"),
        _fault(
            "ALREADY_MERGED",
            "gone",
            "a subject is merged once",
            "该主体已被合并",
            "this subject is merged already; take it apart first",
        ),
        _fault(
            "INTO_MERGED",
            "into",
            "who stands for another stands for itself",
            "目标主体已被合并",
            "the other subject is merged itself; name the one that stands for it",
        ),
        _fault("NOT_MERGED", "gone", "merged into the other", "两个主体未合并", "this subject is not merged into it"),
        _fault(
            "JUDGED_NOT_SAME",
            "subject",
            "no judgement says that they are two",
            "已有判断认定为不同主体",
            "an earlier judgement says that these are two; judge them again first",
        ),
        _fault(
            "JUDGED_OTHERWISE",
            "verdict",
            "no judgement says the contrary",
            "与既有判断冲突",
            "an earlier judgement says the contrary; overrule it if it was wrong",
        ),
        _fault(
            "MERGED_NOW",
            "verdict",
            "what is merged is the same",
            "两个主体目前已合并",
            "the two are merged; take them apart instead",
        ),
        _fault("VERDICT", "verdict", "SAME, NOT_SAME or UNSURE", "判断取值无效", "say same, not same or unsure"),
        _fault("RECORD_FORMAT", "record_id", "32 hexadecimal digits", "记录标识无效", "no record id"),
        _fault("NOT_WAITING", "record_id", "the version is in review", "该版本不在待核清单", "this is not in review"),
        _fault("MINUTES", "minutes", "1 to 240", "时长无效", "an item is taken for 1 to 240 minutes"),
        _fault("DECISION", "decision", "link, leave or reject", "处理方式无效", "link, leave or reject"),
        _fault("CLAIMED", "record_id", "nobody else has taken it", "他人正在处理", "another reviewer has taken it"),
        _fault(
            "SECOND_PERSON",
            "issued_by",
            "two people decide about a person's record",
            "须由另一人复核",
            "about a natural person two people decide: another one must confirm",
        ),
        _fault(
            "CODE_TAKEN",
            "record_id",
            "a mapping claims a free code",
            "该代码已属其他主体",
            "the code that this mapping claims is another subject's; correct or withdraw the other mapping first",
        ),
        _fault(
            "PERSON_NOT_SUPPORTED_YET",
            "record_id",
            "organisations and sole traders only",
            "暂不支持自然人",
            "natural persons are not linked yet",
        ),
    )
)
