"""What the world is told of an exchange, and the timer by which it goes on."""

from __future__ import annotations

from services.chassis.errors import Unhandleable
from services.chassis.message import Message, Moment, Outgoing
from services.chassis.prefix import prefix_writer
from services.chassis.schemas import Schemas
from services.chassis.wire import frame
from services.national_sync.domain.events import Answered, Event, LinkNoted, PushWanted
from services.national_sync.domain.inputs import RetryDue

EXCHANGE = "credit.national-sync.exchange.v1"
# ExchangeChanged: exchange_id, version, item, state, attempt, answer_code, answer_text, changed_at, link_no.
_exchange = prefix_writer(["fixed16", "long", "string", "string", "long", "string?", "string?", "long", "long"])


def read_retry(message: Message, moment: Moment) -> RetryDue:
    """A timer: its key is the record, its body the number of the push; raises `Unhandleable` for any other body."""
    try:
        version = int(message.value or b"")
    except ValueError as error:
        raise Unhandleable("TIMER_UNREADABLE", type(error).__name__) from error
    return RetryDue(message.key, version, moment.now_ms)


def exchange_changed(schemas: Schemas, record_id: bytes, event: Event) -> Outgoing | None:
    """What the world is told; an answer that came too late moves nothing and is told to nobody.

    A record, its answers and its timers come in three lanes, and nothing orders what lanes publish. That needs no
    counter: what is told orders itself. The higher version and link_no together are the later; of one such push a final
    answer (ACKNOWLEDGED, REFUSED) is the last, be it to an earlier attempt; else the higher attempt, and of that
    RETRYING is after PENDING.
    """
    if isinstance(event, LinkNoted):
        return None
    version = event.version
    if not isinstance(event, Answered):
        attempt = 1 if isinstance(event, PushWanted) else event.attempt
        told = ("PENDING", attempt, None, None)
    elif event.moves_to is None:
        return None
    else:
        version -= event.link_no
        told = (event.moves_to, event.attempt, event.code, event.text)
    body = _exchange(record_id, version, event.item, *told, event.at_ms, event.link_no)
    return Outgoing(EXCHANGE, record_id, frame(schemas.schema_id(EXCHANGE), body))
