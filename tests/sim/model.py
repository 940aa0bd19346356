"""What must become of every submission, worked out a second time and in other words than the services do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple

from tests.sim.traffic import Sent


class Answer(NamedTuple):
    """The final receipt of one submission."""

    submission_id: str
    outcome: str
    fault: str


class Version(NamedTuple):
    """An accepted version of a record."""

    record_id: bytes
    version: int
    sent: Sent


@dataclass
class Story:
    """One record as its agency told it."""

    versions: list[Version] = field(default_factory=list[Version])
    known: list[str] = field(default_factory=list[str])

    @property
    def withdrawn(self) -> bool:
        """Taken back for good."""
        return bool(self.versions) and self.versions[-1].sent.action == "withdraw"


@dataclass
class Model:
    """Fed with the submissions of each record in the order of its partition."""

    answers: list[Answer] = field(default_factory=list[Answer])
    stories: dict[tuple[str, str, str], Story] = field(default_factory=dict[tuple[str, str, str], Story])

    def tell(self, sent: Sent) -> None:
        """One more submission."""
        outcome, fault = self._judge(sent)
        self.answers.append(Answer(sent.submission_id, outcome, fault))

    def _judge(self, sent: Sent) -> tuple[str, str]:
        story = self.stories.setdefault((sent.agency, sent.item, sent.record_no), Story())
        if sent.fault:
            return "REFUSED", sent.fault
        if story.versions and sent.submission_id in story.known[-8:]:
            return "DUPLICATE", ""
        fault = _fault(story, sent)
        if fault:
            return "REFUSED", fault
        story.known.append(sent.submission_id)
        if story.versions and sent.action != "withdraw" and sent.content == story.versions[-1].sent.content:
            return "DUPLICATE", ""
        story.versions.append(Version(record_id(sent), len(story.versions) + 1, sent))
        return "ACCEPTED", ""

    def accepted(self) -> list[Version]:
        """Every accepted version."""
        return [version for story in self.stories.values() for version in story.versions]

    def standing(self, *items: str) -> list[Version]:
        """The newest version of each record of these items that is not withdrawn."""
        stories = [story for (_, item, _), story in self.stories.items() if item in items]
        return [story.versions[-1] for story in stories if story.versions and not story.withdrawn]


def _fault(story: Story, sent: Sent) -> str:
    if not story.versions:
        return "" if sent.action == "report" else "RECORD_UNKNOWN"
    if story.withdrawn:
        return "ALREADY_WITHDRAWN"
    same = sent.content == story.versions[-1].sent.content
    if sent.action == "report" and not same:
        return "RECORD_NO_REUSED"
    newest = max(version.sent.produced_at for version in story.versions)
    if sent.action == "correct" and not same and sent.produced_at < newest:
        return "CORRECTION_STALE"
    return ""


def record_id(sent: Sent) -> bytes:
    """As the contract says: 16 bytes of BLAKE2b over agency, item and record number."""
    return blake2b(f"{sent.agency}\0{sent.item}\0{sent.record_no}".encode(), digest_size=16).digest()


def expected(log: Iterable[Sent]) -> Model:
    """The model after these submissions."""
    model = Model()
    for sent in log:
        model.tell(sent)
    return model
