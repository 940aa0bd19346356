"""What ingestion consumes: which aggregate each message concerns, and who reads it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from services.chassis.handling import Handler
from services.chassis.message import Message, Moment
from services.ingestion.contracts.answers import Speaker
from services.ingestion.contracts.feeds import FeedReader, FeedSpeaker
from services.ingestion.contracts.reference import ITEM_COMMANDS, CommandReader, ReferenceSpeaker
from services.ingestion.contracts.sealing import Sealer
from services.ingestion.contracts.submissions import SubmissionReader
from services.ingestion.domain.feed import Shown
from services.ingestion.domain.submission import Submission
from services.ingestion.handlers.feeds import Feeds
from services.ingestion.handlers.records import NO_KEYS, Records, none_shown
from services.ingestion.handlers.reference import Agencies, Items

ReadMany = Callable[[Sequence[Message], Moment], Sequence[Submission | None]]


def handlers(
    submissions: SubmissionReader,
    speaker: Speaker,
    commands: CommandReader,
    answers: ReferenceSpeaker,
    read_many: ReadMany | None = None,
    shown: Shown = none_shown,
    sealer: Sealer = NO_KEYS,
) -> tuple[Handler, ...]:
    """The table: topic, aggregate, reader; `read_many` is the native reader of whole batches, if there is one.

    `shown` says of which items the records are published.
    """
    return (
        Handler("credit.submit.*", Records(speaker, shown, sealer), submissions.read, read_many),
        Handler("command:register_agency", Agencies(answers), commands.register_agency),
        *(Handler(f"command:{kind}", Items(answers), commands.about_item) for kind in ITEM_COMMANDS),
    )


def feed_handlers(reader: FeedReader, speaker: FeedSpeaker) -> tuple[Handler, ...]:
    """What is said about feeds."""
    return (Handler("command:expect_feed", Feeds(speaker), reader.expect_feed),)
