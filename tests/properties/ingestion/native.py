"""The native reader beside the Python one, over the same register; and what it means that they agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from services.chassis.message import Message, Moment
from services.ingestion.contracts.answers import Speaker
from services.ingestion.contracts.batch_reader import BatchReader
from services.ingestion.contracts.program import TABLE_VERSION
from services.ingestion.contracts.register import Register
from services.ingestion.contracts.submissions import SubmissionReader
from services.ingestion.domain import record
from services.ingestion.domain.record import UNKNOWN
from services.ingestion.domain.submission import Origin, Submission
from services.ingestion.native import load
from tests.support.sanitized import SANITIZED, sanitized
from tests.unit.ingestion import samples

TOLERANCE_MS = 600_000


class Ids:
    def schema_id(self, name: str) -> int:
        return {"credit.ingestion.record.v1": 70_000, "credit.receipts.v1": 5}[name]


def extension() -> Any:
    """The extension to test, or the reason to skip."""
    if SANITIZED:
        return sanitized("_reader")
    native, why = load({}, TABLE_VERSION)
    return native or pytest.skip(f"native reader: {why}", allow_module_level=True)


class Both:
    """One register, two readers, one speaker."""

    def __init__(self, native: Any, register: Register | None = None) -> None:
        if register is None:
            register = Register()
            register.fill(samples.reference())
        self.speaker = Speaker(Ids())
        self.python = SubmissionReader(register, TOLERANCE_MS)
        self.native = BatchReader(native, register, self.speaker, TOLERANCE_MS)

    def agree(self, messages: Sequence[Message], moment: Moment = samples.NOW) -> int:
        """How many of these the native reader was certain of; fails where it says something else than Python."""
        answers = self.native.read_many(messages, moment)
        assert len(answers) == len(messages)
        certain = [(m, a) for m, a in zip(messages, answers, strict=True) if a is not None]
        for message, answer in certain:
            self._same(answer, self.python.read(message, moment))
        return len(certain)

    def _same(self, answer: Submission, expected: Submission) -> None:
        assert (type(answer), type(answer.origin)) == (Submission, Origin)
        assert answer._replace(ahead=None) == expected
        assert list(map(type, answer[:-1])) == list(map(type, expected[:-1]))
        first = expected._replace(action="report")
        if expected.action == "report":
            (event,) = record.decide(UNKNOWN, first)
            assert answer.ahead == tuple(self.speaker.announce(event, first))
            assert list(map(type, answer.ahead)) == [type(m) for m in self.speaker.announce(event, first)]
        else:
            assert answer.ahead is None
