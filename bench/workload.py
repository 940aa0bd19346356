"""The workload: permits (org-permit) as three agencies report them, encoded once, re-keyed for every run.

One subject per six records, chosen at random from all of them; 1 % invalid in seven kinds, 0.5 % duplicates, 0.5 %
corrections. A run gives every record a new number and every subject a new code with a right check digit, so that no
run meets a key of an earlier one; names and texts stay.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from random import Random
from typing import Any, NamedTuple, cast

import fastavro

from services.cli.synthetic.basics import PERMITTERS, permits
from services.cli.synthetic.chance import source
from services.cli.synthetic.changes import changed
from services.cli.synthetic.codes import ORGANISATION, new_org_code, wrong_check
from services.cli.synthetic.draft import Draft
from services.cli.synthetic.faulty import KINDS
from services.cli.synthetic.organisations import organisations
from services.kernel import uscc

ITEM = "org-permit"
AGENCIES = tuple(sorted(PERMITTERS))
PER_SUBJECT = 6
INVALID, DUPLICATE, CORRECTED = 0.01, 0.005, 0.005
MARK = "B0000"  # of the templates; every run has another of the same length
TEXT = "市场监督管理环境保护经审查符合法定条件标准准予许可食品生产经营排放处理设备检验范围期限地址变更延续核准登记"
TEXT_LENGTH = 30
Encode = Callable[[Mapping[str, Any]], bytes]


class Template(NamedTuple):
    """A submission but for its mark and its subject's code. `subject` -1: the code stays as it is."""

    agency: str
    record: int
    value: bytes
    subject: int
    code: bytes
    outcome: str


class Message(NamedTuple):
    """What is published."""

    agency: str
    key: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class Run:
    """One load, and what must come of it."""

    mark: str
    messages: Sequence[Message]
    outcomes: Sequence[str]
    codes: Sequence[bytes]

    def subjects(self) -> list[str]:
        """The code of every submission's subject; empty where it is not valid."""
        return [code.decode() for code in self.codes]

    def receipts(self) -> dict[str, str]:
        """The outcome of every submission, by its id."""
        return {submission_id(self.mark, n): outcome for n, outcome in enumerate(self.outcomes)}

    def standing(self) -> dict[tuple[str, str], tuple[int, bytes]]:
        """(agency, record_no) -> version and submission of every record, as it must stand in the end."""
        found: dict[tuple[str, str], tuple[int, bytes]] = {}
        for (agency, key, value), outcome in zip(self.messages, self.outcomes, strict=True):
            if outcome == "ACCEPTED":
                at = agency, key.decode()
                found[at] = found.get(at, (0, b""))[0] + 1, value
        return found

    @property
    def accepted(self) -> int:
        """How many versions of records come out."""
        return sum(outcome == "ACCEPTED" for outcome in self.outcomes)


class Workload:
    """So many submissions; `run` makes a load of them, or of the first ones."""

    def __init__(self, count: int, encode: Encode, at_ms: int, seed: int = 20170410) -> None:
        self._seed = seed
        self._subjects = max(1, count // PER_SUBJECT)
        self._templates = list(_templates(seed, count, self._subjects, encode, at_ms))

    @property
    def mean_bytes(self) -> float:
        """Of a value with its frame."""
        return sum(len(t.value) for t in self._templates) / len(self._templates)

    @property
    def subjects(self) -> int:
        """How many codes a run needs."""
        return self._subjects

    def run(self, number: int, count: int | None = None, codes: Sequence[bytes] | None = None) -> Run:
        """Load `number` of this stack; numbers from 1 on are each used once. `codes`: not new ones, but these."""
        mark = f"B{number:04d}"
        old, new = MARK.encode(), mark.encode()
        codes = self._codes(number) if codes is None else codes
        messages: list[Message] = []
        named: list[bytes] = []
        for t in self._templates[:count]:
            value = t.value.replace(old, new)
            if t.subject >= 0:
                value = value.replace(t.code, codes[t.subject])
            messages.append(Message(t.agency, record_no(mark, t.record).encode(), value))
            named.append(codes[t.subject] if t.subject >= 0 else b"")
        return Run(mark, messages, [t.outcome for t in self._templates[:count]], named)

    def _codes(self, number: int) -> list[bytes]:
        """A new code for every subject: the same kind and region, another organisation code."""
        chance, taken = source(self._seed, f"codes {number}"), set[str]()
        heads = [of.uscc[:8] for of in organisations(self._seed, self._subjects)]
        return [uscc.complete(head + new_org_code(ORGANISATION, chance, taken)).encode() for head in heads]


def encoder(schema_id: int, schema: Any) -> Encode:
    """Frames and encodes with a schema as the registry has it."""
    parsed: Any = cast(Any, fastavro).parse_schema(schema)
    head = b"\0" + schema_id.to_bytes(4)

    def encode(record: Mapping[str, Any]) -> bytes:
        buffer = io.BytesIO(head)
        buffer.seek(len(head))
        cast(Any, fastavro).schemaless_writer(buffer, parsed, record)
        return buffer.getvalue()

    return encode


def submission_id(mark: str, number: int) -> str:
    """Of the submission that is published as number `number`."""
    return f"{mark}s{number:08d}"


def record_no(mark: str, number: int) -> str:
    """Rises with time, as agencies' numbers do."""
    return f"{mark}r{number:08d}"


def record_id(agency: str, number: str) -> bytes:
    """The platform's published rule for naming a record."""
    return blake2b(f"{agency}\0{ITEM}\0{number}".encode(), digest_size=16).digest()


def _templates(seed: int, count: int, subjects: int, encode: Encode, at_ms: int) -> Iterator[Template]:
    chance, known = source(seed, "bench"), organisations(seed, subjects)
    who = [chance.randrange(subjects) for _ in range(count)]
    drafts = permits(chance, [known[n] for n in who])
    repeatable: list[int] = []  # records that were reported and not yet touched again
    touched: dict[int, Draft] = {}
    for n in range(count):
        draft, record, outcome = _text(drafts[n], chance), n, "ACCEPTED"
        luck = chance.random()
        if luck < INVALID:
            draft, outcome = _spoiled(draft, chance), "REFUSED"
        elif luck < INVALID + DUPLICATE + CORRECTED and repeatable:
            record = repeatable.pop(chance.randrange(len(repeatable)))
            duplicate = luck < INVALID + DUPLICATE
            draft = touched[record] if duplicate else replace(changed(touched[record]), action="correct")
            outcome = "DUPLICATE" if duplicate else "ACCEPTED"
        else:
            repeatable.append(record)
            touched[record] = draft
        value = encode(envelope(draft, n, record, at_ms + n))
        theirs = draft.subject_code == known[who[record]].uscc
        yield Template(draft.agency, record, value, who[record] if theirs else -1, draft.subject_code.encode(), outcome)


def _text(draft: Draft, chance: Random) -> Draft:
    """The content of a permit is free text: random, lest the compression be flattered."""
    draft.payload["XK_NR"] += "".join(chance.choices(TEXT, k=TEXT_LENGTH))
    return draft


def _spoiled(draft: Draft, chance: Random) -> Draft:
    spoils = [spoil for _, make, spoil in KINDS if make is permits]
    n = chance.randrange(len(spoils) + 2)
    if n < len(spoils):
        return spoils[n](draft, chance)
    wrong = uscc.PLACEHOLDER if n == len(spoils) else wrong_check(draft.subject_code, chance)
    return replace(draft, subject_code=wrong)


def envelope(draft: Draft, number: int, record: int, at_ms: int) -> dict[str, Any]:
    """A draft as submission `number` about record `record`, before a run gives it its mark."""
    return {
        "submission_id": submission_id(MARK, number),
        "item": draft.item,
        "agency": draft.agency,
        "source_unit": "",
        "action": draft.action,
        "record_no": record_no(MARK, record),
        "subject_kind": draft.subject_kind,
        "subject_code_kind": draft.subject_code_kind,
        "subject_code": draft.subject_code,
        "subject_name": draft.subject_name,
        "decided_on": draft.decided_on,
        "produced_at": at_ms,
        "payload": draft.payload,
    }
