"""What is written field by field is what an encoder with the schema writes, and is read back as it was."""

from __future__ import annotations

import io
import json
from typing import Any, get_args

import fastavro
from hypothesis import given
from hypothesis import strategies as st

from services.chassis import commands
from services.chassis.commands import Command
from services.chassis.message import Message, Moment
from services.chassis.prefix import prefix_reader, prefix_writer
from services.national_sync.contracts import answers, exchange
from services.national_sync.domain.events import Action, Answered, Event, PushDueAgain, PushWanted, Status, Verdict
from services.national_sync.domain.inputs import Answer
from tests.support.local_schemas import LocalSchemas

SCHEMAS = LocalSchemas()
LONG = st.integers(-(2**63), 2**63 - 1)
INT = st.integers(1, 2**31 - 1)
AT_MS = st.integers(0, 2**42)
TEXT = st.text(max_size=300)
ID = st.binary(min_size=16, max_size=16)
KINDS: dict[str, tuple[Any, st.SearchStrategy[Any]]] = {
    "long": ("long", LONG),
    "string": ("string", TEXT),
    "bytes": ("bytes", st.binary(max_size=300)),
    "fixed16": ({"type": "fixed", "size": 16}, ID),
    "long?": (["null", "long"], st.none() | LONG),
    "string?": (["null", "string"], st.none() | TEXT),
}


@given(st.data())
def test_any_fields(data: st.DataObject) -> None:
    kinds = data.draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=7))
    values = {f"f{i}": data.draw(KINDS[kind][1]) for i, kind in enumerate(kinds)}
    written = prefix_writer(kinds)(*values.values())
    out = io.BytesIO()
    fastavro.schemaless_writer(out, _schema(kinds), values)
    assert written == out.getvalue()
    assert prefix_reader(kinds)(written, 0) == (*values.values(), len(written))


def _schema(kinds: list[str]) -> Any:
    fields = [{"name": f"f{i}", "type": KINDS[kind][0]} for i, kind in enumerate(kinds)]
    for i, one in enumerate(fields):
        if isinstance(one["type"], dict):
            one["type"] = {**one["type"], "name": f"Fixed{i}"}
    return fastavro.parse_schema({"type": "record", "name": "R", "fields": fields})


@given(TEXT, TEXT, TEXT, AT_MS, st.dictionaries(TEXT, TEXT | LONG, max_size=4))
def test_a_command(command_id: str, kind: str, issued_by: str, at_ms: int, arguments: dict[str, Any]) -> None:
    told: dict[str, Any] = {"command_id": command_id, "type": kind, "issued_by": issued_by, "issued_at": at_ms}
    told["arguments"] = json.dumps(arguments)
    value = commands.written(SCHEMAS, command_id, kind, issued_by, at_ms, told["arguments"])
    assert value == SCHEMAS.encode(commands.COMMAND, told)
    message = Message("", 0, 0, b"", value, (), 0)
    assert commands.read_command(SCHEMAS, message) == Command(command_id, kind, issued_by, arguments, at_ms)


statuses = st.none() | st.sampled_from(get_args(Status))
answered = st.builds(
    Answered, INT, TEXT, INT, st.just("put"), st.just("REFUSED"), TEXT, TEXT, AT_MS, statuses, st.none(), INT
)
wanted = st.builds(PushWanted, INT, TEXT, st.just("put"), st.binary(), AT_MS, INT)
again = st.builds(PushDueAgain, INT, TEXT, INT, AT_MS, INT)


@given(ID, wanted | again | answered)
def test_an_exchange(record_id: bytes, event: Event) -> None:
    told = exchange.exchange_changed(SCHEMAS, record_id, event)
    if isinstance(event, Answered) and event.moves_to is None:
        assert told is None
        return
    assert told is not None
    _, record = SCHEMAS.decode(told.value)
    assert told.value == SCHEMAS.encode(exchange.EXCHANGE, record)
    final = isinstance(event, Answered)
    assert (record["state"], record["answer_code"]) == ((event.moves_to, event.code) if final else ("PENDING", None))
    version = event.version - event.link_no if final else event.version  # an answer is to the number of a push
    assert (record["exchange_id"], record["version"], record["item"]) == (record_id, version, event.item)
    assert record["link_no"] == event.link_no


actions, verdicts = st.sampled_from(get_args(Action)), st.sampled_from(get_args(Verdict))


@given(st.builds(Answer, ID, INT, INT, actions, verdicts, TEXT, TEXT, AT_MS), st.integers(0, 2**42))
def test_an_answer_of_the_national_platform(answer: Answer, now_ms: int) -> None:
    told = answers.answer_told(SCHEMAS, answer)
    _, record = SCHEMAS.decode(told.value)
    assert told.value == SCHEMAS.encode(answers.ANSWER, record)
    assert record["verdict"] == answer.verdict
    read = answers.read_answer(SCHEMAS, Message("", 0, 0, told.key, told.value, (), 0), Moment(now_ms))
    code, text = answer.code[: answers.CODE_LIMIT], answer.text[: answers.TEXT_LIMIT]
    kept = {"code": code.replace("\0", "\ufffd"), "text": text.replace("\0", "\ufffd"), "at_ms": now_ms}
    assert read == answer._replace(**kept)
