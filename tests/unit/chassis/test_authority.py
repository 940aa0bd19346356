"""Who may give a command: it is signed by whom it names, and that one may give it, for whom it is given."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from services.chassis import commands, refusing, signing
from services.chassis.authority import NOT_ALLOWED, Authority
from services.chassis.commands import written
from services.chassis.errors import Transient, Unhandleable
from services.chassis.message import Message, Moment
from services.chassis.operators import parse
from tests.support import driver
from tests.support.local_schemas import LocalSchemas

SCHEMAS = LocalSchemas()
TOPIC, KEY = "credit.ingestion.command.v1", b"org-permit"
ROOT, HBT, NEXT, NOBODY = (f"{n:02x}" * 32 for n in range(1, 5))
NOON = 1_506_571_200_000  # 2017-09-28T04:00:00Z
HOUR = 3_600_000
REGISTER = f"""
checked_since = 2017-09-28T03:00:00Z
on_behalf = ["unit", "by"]

[[operator]]
principal = "root"
public_key = "{signing.public_key(ROOT)}"
commands = ["*"]
speaks_for = ["*"]

[[operator]]
principal = "hbt-seal"
public_key = "{signing.public_key(HBT)}"
until = 2017-09-28T05:00:00Z
commands = ["ingestion:confirm_item"]
speaks_for = ["420000-hbt"]

[[operator]]
principal = "hbt-seal"
public_key = "{signing.public_key(NEXT)}"
since = 2017-09-28T05:00:00Z
commands = ["ingestion:*"]
speaks_for = ["42????-hbt"]
"""
CONFIRM = {"code": "org-permit", "version": 2, "unit": "420000-hbt", "document": "演示1号"}


def command(
    by: str = "hbt-seal",
    seed: str = HBT,
    kind: str = "confirm_item",
    arguments: dict[str, Any] | None = None,
    at: int = NOON,
    **how: Any,
) -> Message:
    """As a principal publishes it; `how`: what is done to it on the way."""
    text = json.dumps(CONFIRM if arguments is None else arguments)
    value = written(SCHEMAS, "c-1", kind, by, how.get("issued_at", at), text)
    signature = how["signature"] if "signature" in how else signing.sign(seed, TOPIC, KEY, value)
    headers = () if signature is None else ((signing.HEADER, signature),)
    value = how.get("value", value)
    return Message(how.get("topic", TOPIC), 0, 1, how.get("key", KEY), value, headers, at)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    register = tmp_path / "register.toml"
    register.write_text(REGISTER, encoding="utf-8")
    return register


def fault(file: Path | None, message: Message, service: str = "ingestion") -> tuple[str, str] | None:
    """Code and field; checked that the routing thinks the same."""
    authority = Authority(service, SCHEMAS, file)
    read = commands.read_command(SCHEMAS, message)
    found = authority.objection(read, message)
    assert authority.type_of(message) == (NOT_ALLOWED if found else read.type)
    return found and (found.code, found.field)


OTHER = written(SCHEMAS, "c-2", "confirm_item", "hbt-seal", NOON, json.dumps(CONFIRM))
FOR_OTHER = CONFIRM | {"unit": "420100-hbj"}
CASES: list[tuple[str, Message, tuple[str, str] | None]] = [
    ("its own unit", command(), None),
    ("another's unit", command(arguments=FOR_OTHER), ("MAY_NOT_SPEAK_FOR", "unit")),
    ("another person", command(arguments=CONFIRM | {"by": "演示某"}), ("MAY_NOT_SPEAK_FOR", "by")),
    ("a unit that is no text", command(arguments=CONFIRM | {"unit": ["420000-hbt"]}), ("MAY_NOT_SPEAK_FOR", "unit")),
    ("another command", command(kind="publish_item"), ("COMMAND_NOT_ALLOWED", "type")),
    ("who may all", command("root", ROOT, "publish_item", FOR_OTHER), None),
    ("another's name", command("root", HBT), ("SIGNATURE_WRONG", "signature")),
    ("an unknown name", command("nobody", NOBODY), ("ISSUER_UNKNOWN", "issued_by")),
    ("no name", command("", NOBODY), ("ISSUER_UNKNOWN", "issued_by")),
    ("no signature", command(signature=None), ("COMMAND_UNSIGNED", "signature")),
    ("an empty signature", command(signature=b""), ("SIGNATURE_WRONG", "signature")),
    ("another content", command(value=OTHER), ("SIGNATURE_WRONG", "signature")),
    ("another key", command(key=b"org-penalty"), ("SIGNATURE_WRONG", "signature")),
    ("another service", command(topic="credit.identity.command.v1"), ("SIGNATURE_WRONG", "signature")),
    ("10 minutes old", command(issued_at=NOON - 600_000), None),
    ("older", command(issued_at=NOON - 600_001), ("COMMAND_STALE", "issued_at")),
    ("of the future", command(issued_at=NOON + 600_001), ("COMMAND_STALE", "issued_at")),
    ("before anybody signed", command("x", at=NOON - HOUR - 1, signature=None), None),
    ("from then on", command("x", at=NOON - HOUR, signature=None), ("COMMAND_UNSIGNED", "signature")),
    ("to its last moment", command(at=NOON + HOUR - 1), None),
    ("its end", command(at=NOON + HOUR), ("SIGNATURE_WRONG", "signature")),
    ("the next key too early", command(seed=NEXT, at=NOON + HOUR - 1), ("SIGNATURE_WRONG", "signature")),
    ("the next key", command(seed=NEXT, kind="draft_item", at=NOON + HOUR), None),
    ("a pattern", command(seed=NEXT, arguments=CONFIRM | {"unit": "420100-hbt"}, at=NOON + HOUR), None),
]


@pytest.mark.parametrize(("message", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_command_is_judged_by_the_register(file: Path, message: Message, expected: tuple[str, str] | None) -> None:
    assert fault(file, message) == expected


def test_a_right_is_one_at_a_service(file: Path) -> None:
    assert fault(file, command(), "identity") == ("COMMAND_NOT_ALLOWED", "type")


def test_where_no_register_is_named_nobody_is_doubted() -> None:
    assert fault(None, command(signature=None)) is None


def test_a_refused_command_is_answered_and_nothing_else_is_said(file: Path) -> None:
    handler = refusing.handler("ingestion", SCHEMAS, Authority("ingestion", SCHEMAS, file))
    given = handler.read(command(arguments=FOR_OTHER), Moment(NOON))
    ((event,),) = driver.run(handler.aggregate, [given])
    (answer,) = handler.aggregate.announce(event, given)
    assert (answer.topic, answer.headers) == ("credit.ingestion.outcome.v1", (("correlation_id", b"c-1"),))
    told = SCHEMAS.decode(answer.value)[1]
    assert (told["outcome"], [f["code"] for f in told["faults"]]) == ("REFUSED", ["MAY_NOT_SPEAK_FOR"])


def test_a_command_without_a_type_has_no_handler(file: Path) -> None:
    handler = refusing.handler("ingestion", SCHEMAS, Authority("ingestion", SCHEMAS, file))
    with pytest.raises(Unhandleable, match="NO_HANDLER"):
        handler.read(command("root", ROOT, NOT_ALLOWED), Moment(NOON))


def test_a_register_that_is_replaced_is_read_anew(file: Path) -> None:
    authority = Authority("ingestion", SCHEMAS, file)
    assert authority.type_of(command()) == "confirm_item"
    draft = file.with_name("draft")
    draft.write_text(REGISTER.replace('speaks_for = ["420000-hbt"]', "speaks_for = []"), encoding="utf-8")
    draft.replace(file)
    assert authority.type_of(command()) == NOT_ALLOWED


@pytest.mark.parametrize("text", ["", "checked_since = 2017", None])
def test_while_the_register_cannot_be_read_the_lane_waits(file: Path, text: str | None) -> None:
    file.unlink() if text is None else file.write_text(text, encoding="utf-8")
    with pytest.raises(Transient):
        Authority("ingestion", SCHEMAS, file).type_of(command())


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ("03:00:00Z", "03:00:00", "checked_since"),
        ('"hbt-seal"', '"HBT"', "principal"),
        (signing.public_key(HBT), "00", "public_key of hbt-seal"),
        ('["ingestion:confirm_item"]', '"*"', "commands"),
        ('["420000-hbt"]', "[1]", "speaks_for"),
    ],
)
def test_what_is_wrong_with_a_register_is_said(before: str, after: str, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        parse(REGISTER.replace(before, after))


def test_what_is_no_command_is_parked_as_ever(file: Path) -> None:
    with pytest.raises(Unhandleable):
        Authority("ingestion", SCHEMAS, file).type_of(command(value=b"no command"))


def test_a_refusal_keeps_nothing(file: Path) -> None:
    aggregate = refusing.handler("ingestion", SCHEMAS, Authority("ingestion", SCHEMAS, file)).aggregate
    assert asyncio.run(aggregate.load(None, [])) == {}  # type: ignore[arg-type] # a store is not asked
