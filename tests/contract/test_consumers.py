"""Every consumer reads every golden example of what it consumes, by its own table of handlers."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncGenerator
from typing import Any

import fastavro
import pytest

from services.chassis import breaker, carrying_out, orders
from services.chassis.commands import COMMAND
from services.chassis.handling import Handler
from services.chassis.message import Message, Moment
from services.chassis.schemas import Schemas
from services.chassis.wire import frame, schema_id_of, unframe
from services.disclosure import handlers as disclosure
from services.disclosure.contracts.records import Linked, RecordReader
from services.disclosure.contracts.reference import Catalogue
from services.disclosure.domain.edition import Edition, EditionSeen, edition_of
from services.disclosure.domain.events import Code
from services.disclosure.domain.inputs import LinkMoved
from services.disclosure.domain.subject_card import SubjectSeen
from services.disclosure.domain.terms import FEEDS
from services.identity import handlers as identity
from services.identity.contracts.orders import OrderReader
from services.identity.contracts.records import Reader
from services.identity.domain import codes
from services.identity.domain import orders as ids
from services.identity.domain.records import RecordSeen
from services.identity.keys import handlers as identity_keys
from services.identity.keys.certificate import Certifier
from services.ingestion import handlers as ingestion
from services.ingestion.config import load_catalogue
from services.ingestion.contracts.answers import Speaker
from services.ingestion.contracts.reference import (
    ITEM_COMMANDS,
    AgencyAsked,
    CommandReader,
    ItemAsked,
    ReferenceSpeaker,
)
from services.ingestion.contracts.register import Register
from services.ingestion.contracts.submissions import SubmissionReader
from services.ingestion.domain.wishes import PublishItem, canonical
from services.national_sync import handlers as national_sync
from services.national_sync.config import load_mappings
from services.national_sync.contracts.answers import ANSWER, answer_told
from services.national_sync.contracts.fields import NationalFields
from services.national_sync.contracts.linked import read_submission
from services.national_sync.domain import inputs as exchange_inputs
from services.national_sync.domain.mapping import to_national
from services.sanctions import handlers as sanctions
from services.sanctions.config import load_memoranda
from services.sanctions.domain import inputs
from services.sanctions.domain.department import AgencyRegistered
from services.sanctions.domain.events import Subject
from services.sanctions.domain.inputs import Feedback
from tests.contract import examples
from tests.contract.examples import AVRO, Golden, Record
from tests.contract.test_editions import breaks
from tests.support.fake_registry import FakeRegistry

ACCEPTED, LINKED, SUBJECT = "credit.ingestion.record.v1", "credit.identity.record.v1", "credit.identity.subject.v1"
LINK = "credit.identity.link.v1"
AGENCY, CATALOGUE, FEEDBACK = "credit.ingestion.agency.v1", "credit.ingestion.catalogue.v1", "credit.feedback.v1"
CONSUMED = {
    "ingestion": {COMMAND},
    "identity": {ACCEPTED, COMMAND},
    "disclosure": {LINKED, LINK, SUBJECT, CATALOGUE, COMMAND},
    "sanctions": {LINKED, LINK, FEEDBACK, AGENCY, COMMAND},
    "national_sync": {LINKED, LINK, ANSWER, COMMAND},
}
NOW = Moment(1_506_657_700_000)
PEPPER = b"pepper of the tests, 16 and more"
SHIPPED = {shipped.item.code: canonical(shipped.definition) for shipped in load_catalogue()}
MEMORANDA, MAPPINGS = load_memoranda(), load_mappings()


def item_schemas() -> dict[str, int]:
    """Text -> id of the item schemas that the submissions inside the examples were written with."""
    found: dict[str, int] = {}
    for golden in [*examples.of(ACCEPTED), *examples.of(LINKED)]:
        record = golden.record
        text = (AVRO / "items" / record["item"] / f"{record['item_version']}.avsc").read_text(encoding="utf-8")
        found[text] = schema_id_of(record["submission"]) or 0
    return found


@pytest.fixture
async def schemas() -> AsyncGenerator[Schemas]:
    """Agencies have registered the items' schemas; no consumer has seen them yet."""
    async with FakeRegistry() as registry, Schemas(registry.url) as opened:
        registry.ids.update(item_schemas())
        await opened.register_all()
        yield opened


def tables(schemas: Schemas) -> dict[str, tuple[Handler, ...]]:
    """What each service consumes, as its composition root builds it."""
    register, speaker, answers = Register(), Speaker(schemas), ReferenceSpeaker(schemas)
    own = {
        "ingestion": ingestion.handlers(SubmissionReader(register, 0), speaker, CommandReader(schemas), answers),
        "identity": (
            *identity.handlers(schemas, Reader(schemas, PEPPER), OrderReader(schemas, PEPPER)),
            *identity_keys.handlers(schemas, Certifier(bytes(32))),
        ),
        "disclosure": disclosure.handlers(schemas, RecordReader(schemas, Catalogue())),
        "sanctions": sanctions.handlers(schemas, MEMORANDA),
        "national_sync": national_sync.handlers(schemas, MAPPINGS),
    }
    return {
        service: (*table, *carrying_out.handlers(service, schemas), breaker.handler(service, schemas))
        for service, table in own.items()
    }


def family_of(handler: Handler) -> str:
    """The family that a handler reads; nothing for timers, and for submissions, which items describe."""
    if handler.topic.startswith("command:"):
        return COMMAND
    if handler.topic.startswith(("timer:", "credit.submit.")):
        return ""
    return handler.topic.replace("*", "v1")


def handler_of(schemas: Schemas, service: str, golden: Golden) -> Handler | None:
    """The handler that gets this example; None: a command that another service takes."""
    wanted = f"command:{golden.record['type']}" if golden.family == COMMAND else None
    found = [h for h in tables(schemas)[service] if family_of(h) == golden.family and wanted in (None, h.topic)]
    return found[0] if found else None


async def read(schemas: Schemas, service: str, golden: Golden) -> Any:
    """The input that a service makes of an example as it comes from the wire."""
    handler = handler_of(schemas, service, golden)
    assert handler is not None
    value = golden.value(await schemas.register_text(f"{golden.family}-value", golden.schema))
    topic = "credit.feedback.420000-gsj.v1" if golden.family == FEEDBACK else golden.family
    return handler.read(Message(topic, 0, 0, b"key", value, (), NOW.now_ms), NOW)


def every(*families: str) -> pytest.MarkDecorator:
    found = [golden for family in families for golden in examples.of(family)]
    return pytest.mark.parametrize("golden", found, ids=lambda g: g.name)


async def test_the_tables_of_handlers_consume_these_families_and_no_others(schemas: Schemas) -> None:
    found = {service: {family_of(h) for h in table} - {""} for service, table in tables(schemas).items()}
    assert found == CONSUMED


@every(COMMAND)
async def test_every_command_has_a_service_that_takes_it(schemas: Schemas, golden: Golden) -> None:
    takers = [service for service in CONSUMED if handler_of(schemas, service, golden) is not None]
    assert takers == {
        "register_agency": ["ingestion"],
        **{kind: ["ingestion"] for kind in ITEM_COMMANDS},
        "erase_person": ["identity"],
        "rotate_keys": ["identity"],
        "record_answer": ["national_sync"],
        "release_parked": list(CONSUMED),
        "discard_parked": list(CONSUMED),
        "resume_lane": list(CONSUMED),
        **{f"{what}_subjects": ["identity"] for what in ("merge", "unmerge", "judge")},
        **{f"{what}_review": ["identity"] for what in ("claim", "decide")},
    }.get(golden.record["type"])
    for service in takers:
        await read(schemas, service, golden)


async def test_every_type_of_command_has_an_example(schemas: Schemas) -> None:
    types = {h.topic.removeprefix("command:") for t in tables(schemas).values() for h in t if family_of(h) == COMMAND}
    assert {golden.record["type"] for golden in examples.of(COMMAND)} == types


def command(name: str) -> tuple[Golden, Record]:
    golden = Golden(COMMAND, "1", name)
    return golden, json.loads(golden.record["arguments"])


async def test_ingestion_reads_its_commands(schemas: Schemas) -> None:
    golden, arguments = command("add-agency")
    asked = await read(schemas, "ingestion", golden)
    assert isinstance(asked, AgencyAsked)
    assert (asked.command.command_id, asked.wish.faults) == (golden.record["command_id"], ())
    assert (asked.wish.code, asked.wish.name_zh, asked.wish.items) == (arguments["code"], arguments["name_zh"], ())
    golden, arguments = command("publish-item")
    asked = await read(schemas, "ingestion", golden)
    assert isinstance(asked, ItemAsked)
    assert isinstance(asked.wish, PublishItem)
    assert (asked.wish.code, asked.wish.proposal.version, asked.wish.schema_id) == ("code-mapping", 1, 101)
    assert (json.loads(asked.wish.proposal.definition), asked.wish.faults) == (arguments["definition"], ())


@pytest.mark.parametrize("name", ["draft-item", "merge-drafts", "confirm-item", "retire-item", "register-consumer"])
async def test_ingestion_reads_the_commands_of_an_items_life(schemas: Schemas, name: str) -> None:
    golden, _ = command(name)
    asked = await read(schemas, "ingestion", golden)
    assert isinstance(asked, ItemAsked)
    assert (asked.wish.code, asked.wish.faults) == ("code-mapping", ())
    assert asked.wish.asker == (golden.record["command_id"], golden.record["issued_by"], NOW.now_ms)


@pytest.mark.parametrize("service", CONSUMED)
async def test_every_service_reads_the_command_that_releases(schemas: Schemas, service: str) -> None:
    golden, arguments = command("release-parked")
    asked = await read(schemas, service, golden)
    assert isinstance(asked, orders.OrderGiven)
    assert (asked.kind, asked.reason) == ("release", "")
    assert asked.places == ((arguments["topic"], arguments["partition"], arguments["offset"]),)


@pytest.mark.parametrize("service", CONSUMED)
async def test_every_service_reads_the_command_that_discards(schemas: Schemas, service: str) -> None:
    golden, arguments = command("discard-parked")
    asked = await read(schemas, service, golden)
    assert isinstance(asked, orders.OrderGiven)
    assert (asked.kind, asked.reason) == ("discard", arguments["reason"])
    assert [list(place) for place in asked.places] == arguments["places"]


@pytest.mark.parametrize("service", CONSUMED)
async def test_every_service_reads_the_command_that_lets_a_lane_go_on(schemas: Schemas, service: str) -> None:
    golden, arguments = command("resume-lane")
    asked = await read(schemas, service, golden)
    assert isinstance(asked, breaker.ResumeAsked)
    assert asked.lane == (arguments["topic"], arguments["partition"])


async def test_identity_reads_its_commands(schemas: Schemas) -> None:
    jia, yi = (codes.refer(PEPPER, "uscc", code).id for code in ("91420100MA4KLM0N5H", "93420111MA4XYK1279"))
    for name, kind in (("merge-subjects", ids.MergeAsked), ("unmerge-subjects", ids.UnmergeAsked)):
        golden, arguments = command(name)
        asked = await read(schemas, "identity", golden)
        assert isinstance(asked, kind)
        assert (asked.into, asked.gone, asked.order.reason) == (jia, yi, arguments["reason"])
        assert (asked.order.by, asked.order.faults) == ("演示员", ())
    asked = await read(schemas, "identity", command("judge-subjects")[0])
    assert isinstance(asked, ids.JudgeAsked)
    assert (asked.one, asked.other, asked.verdict, asked.overrule, asked.order.faults) == (jia, yi, "UNSURE", False, ())
    golden, arguments = command("claim-review")
    asked = await read(schemas, "identity", golden)
    assert isinstance(asked, ids.ClaimAsked)
    assert (asked.record_id.hex(), asked.version, asked.minutes) == (arguments["record_id"], 1, 30)
    assert asked.order.faults == ()
    asked = await read(schemas, "identity", command("decide-review")[0])
    assert isinstance(asked, ids.DecideAsked)
    assert (asked.decision, asked.subject_id, asked.order.faults) == ("link", jia, ())
    golden, arguments = command("erase-person")
    asked = (await read(schemas, "identity", golden)).wish
    assert (asked.subject_id.hex(), asked.reason) == (arguments["subject_id"], arguments["reason"])
    assert not asked.faults
    golden, arguments = command("rotate-keys")
    asked = (await read(schemas, "identity", golden)).wish
    assert (asked.kek_id, asked.faults) == (arguments["kek_id"], ())


@every(ACCEPTED)
async def test_identity_reads_accepted_records(schemas: Schemas, golden: Golden) -> None:
    record, reader = golden.record, Reader(schemas, PEPPER)
    seen = await read(schemas, "identity", golden)
    assert isinstance(seen, RecordSeen)
    assert (seen.record_id, seen.version, seen.item) == (record["record_id"], record["version"], record["item"])
    assert (seen.action, seen.agency, seen.named.fault) == (record["action"], record["agency"], None)
    assert reader.submission(seen) == (record["submission"] if record["item"] == "code-mapping" else None)
    await schemas.resolve([reader.submission(seen)])
    whole = reader.complete(seen)
    assert whole.trouble is None
    if record["item"] == "code-mapping":
        assert [claim.alias for claim in whole.claims] == [codes.refer(PEPPER, "org_code", "MA4KLM0N5")]


def published(item: str) -> Catalogue:
    """The catalogue with the shipped edition of an item, as disclosure knows it."""
    edition: Edition = edition_of(item, 1, SHIPPED[item], 0).edition
    catalogue = Catalogue()
    catalogue.fill(1, {item: [edition]})
    return catalogue


@every(LINKED)
async def test_disclosure_reads_linked_records(schemas: Schemas, golden: Golden) -> None:
    record = golden.record
    linked = await read(schemas, "disclosure", golden)
    assert isinstance(linked, Linked)
    for name in ("record_id", "version", "subject_id", "action", "item", "item_version", "agency", "submission_id"):
        assert getattr(linked, name) == record[name]
    assert linked.feeds == (FEEDS if record["disclosure"] == "public" else ("government",))
    await schemas.resolve([linked.needed])
    seen = RecordReader(schemas, published(record["item"])).complete(linked)
    assert (seen.record_id, seen.version, seen.withdraws) == (
        record["record_id"],
        record["version"],
        record["action"] == "withdraw",
    )
    if seen.withdraws:
        assert seen.shown is None
    else:
        assert seen.shown is not None
        assert (seen.shown.subject_code, seen.shown.subject_name) == ("91420100MA4KLM0N5H", "演示甲有限公司")
        sensitive = {
            f["code"] for f in json.loads(SHIPPED[record["item"]])["fields"] if f.get("sensitivity", "none") != "none"
        }
        assert seen.shown.fields
        assert not seen.shown.fields.keys() & sensitive


@every(LINK)
async def test_disclosure_reads_changes_of_links(schemas: Schemas, golden: Golden) -> None:
    moved = await read(schemas, "disclosure", golden)
    record = golden.record
    who = (record["record_id"], record["link_no"], record["subject_id"], record["linked"])
    assert moved == LinkMoved(*who, NOW.now_ms)


@every(LINK)
async def test_sanctions_reads_changes_of_links(schemas: Schemas, golden: Golden) -> None:
    moved = await read(schemas, "sanctions", golden)
    record = golden.record
    assert isinstance(moved, inputs.LinkMoved)
    for name in ("record_id", "link_no", "subject_id", "linked"):
        assert getattr(moved, name) == record[name]
    assert set(moved.memoranda) == {memorandum.code for memorandum in MEMORANDA.values()}


@every(SUBJECT)
async def test_disclosure_reads_subjects(schemas: Schemas, golden: Golden) -> None:
    record = golden.record
    assert await read(schemas, "disclosure", golden) == SubjectSeen(
        record["subject_id"],
        record["subject_version"],
        record["subject_kind"],
        record["name"],
        tuple(Code(**code) for code in record["codes"]),
        NOW.now_ms,
        record.get("merged_into"),
        record["change"] == "ERASED",
    )


@every(CATALOGUE)
async def test_disclosure_reads_the_catalogue(schemas: Schemas, golden: Golden) -> None:
    seen = await read(schemas, "disclosure", golden)
    assert isinstance(seen, EditionSeen)
    assert (seen.code, seen.edition.version) == (golden.record["code"], golden.record["version"])
    fields = json.loads(golden.record["definition"])["fields"]
    plain = [field["code"] for field in fields if field.get("sensitivity", "none") == "none"]
    assert [rule.code for rule in seen.edition.rules] == plain


@every(LINKED)
async def test_sanctions_reads_linked_records(schemas: Schemas, golden: Golden) -> None:
    record = golden.record
    seen = await read(schemas, "sanctions", golden)
    if record["item"] not in MEMORANDA:
        assert seen == inputs.Irrelevant()
        return
    assert isinstance(seen, inputs.RecordSeen)
    assert (seen.record_id, seen.version, seen.action) == (record["record_id"], record["version"], record["action"])
    assert seen.subject == Subject(record["subject_id"], "91420100MA4KLM0N5H", "演示甲有限公司")
    assert (seen.subject_kind, seen.memorandum) == ("org", MEMORANDA[record["item"]])


@every(FEEDBACK)
async def test_sanctions_reads_feedback(schemas: Schemas, golden: Golden) -> None:
    record = golden.record
    seen = await read(schemas, "sanctions", golden)
    assert isinstance(seen, Feedback)
    for name in ("feedback_id", "task_id", "agency", "outcome", "executed_on"):
        assert getattr(seen, name) == record[name]
    assert seen.faults == ()


@every(AGENCY)
async def test_sanctions_reads_agencies(schemas: Schemas, golden: Golden) -> None:
    assert await read(schemas, "sanctions", golden) == AgencyRegistered(golden.record["code"], NOW.now_ms)


@every(LINKED)
async def test_national_sync_reads_linked_records(schemas: Schemas, golden: Golden) -> None:
    record = golden.record
    seen = await read(schemas, "national_sync", golden)
    if record["item"] not in MAPPINGS:
        assert seen == exchange_inputs.Irrelevant()
        return
    assert isinstance(seen, exchange_inputs.RecordSeen)
    assert (seen.record_id, seen.version, seen.item) == (record["record_id"], record["version"], record["item"])
    assert seen.submission == record["submission"]
    await schemas.resolve([seen.submission])
    payload = read_submission(schemas, seen.submission)["payload"]
    told = to_national(MAPPINGS[seen.item], payload)
    assert told
    assert NationalFields(schemas, MAPPINGS).of(seen.item, seen.submission) == told


@every(LINK)
async def test_national_sync_reads_changes_of_links(schemas: Schemas, golden: Golden) -> None:
    record = golden.record
    lost = exchange_inputs.Unlinked(record["record_id"], record["link_no"], NOW.now_ms)
    assert await read(schemas, "national_sync", golden) == (exchange_inputs.Irrelevant() if record["linked"] else lost)


@every(ANSWER)
async def test_national_sync_reads_the_answers_of_its_gateway(schemas: Schemas, golden: Golden) -> None:
    answer = await read(schemas, "national_sync", golden)
    assert isinstance(answer, exchange_inputs.Answer)
    for name in ("record_id", "version", "attempt", "action", "verdict", "code", "text"):
        assert getattr(answer, name) == golden.record[name]
    written = schemas.decode(answer_told(schemas, answer).value)[1]
    assert {**written, "answered_at": golden.record["answered_at"]} == golden.record


async def test_national_sync_reads_the_answers_that_it_once_told_as_commands(schemas: Schemas) -> None:
    golden, arguments = command("record-answer")
    answer = await read(schemas, "national_sync", golden)
    assert isinstance(answer, exchange_inputs.Answer)
    assert answer.record_id.hex() == arguments["record_id"]
    for name in ("version", "attempt", "action", "verdict", "code", "text"):
        assert getattr(answer, name) == arguments[name]


@every(ACCEPTED)
def test_the_linked_example_of_the_same_name_repeats_the_accepted_body(golden: Golden) -> None:
    """Identity passes the body on untouched, so the examples must agree byte for byte."""
    linked = Golden(LINKED, golden.edition, golden.name)
    assert unframe(linked.value(1))[1].endswith(unframe(golden.value(1))[1])


CONSUMERS = [
    (service, golden)
    for service, families in CONSUMED.items()
    for family in sorted(families)
    for golden in examples.of(family)
]


def grown(schema: str, planted: Record, at: int | None = None) -> str:
    """The next edition of a family: one field more, before the field number `at`, else at its end."""
    text: Record = json.loads(schema)
    fields: list[Record] = text["fields"]
    place = len(fields) if at is None else at
    return json.dumps({**text, "fields": [*fields[:place], planted, *fields[place:]]})


COMMANDS = {
    "ingestion": {"register_agency", *ITEM_COMMANDS},
    "identity": {
        "merge_subjects",
        "unmerge_subjects",
        "judge_subjects",
        "claim_review",
        "decide_review",
        "erase_person",
        "rotate_keys",
    },
    "national_sync": {"record_answer"},
}
READ = [
    (service, golden)
    for service, golden in CONSUMERS
    if golden.family != COMMAND or golden.record["type"] in COMMANDS.get(service, ())
]


@pytest.mark.parametrize(("service", "golden"), READ, ids=lambda part: getattr(part, "name", part))
async def test_a_newer_edition_with_an_unknown_field_anywhere_is_read_like_the_known_one(
    schemas: Schemas, service: str, golden: Golden
) -> None:
    """The compatibility rule lets a field with a default appear at any place, also before those read first."""
    for at in range(len(json.loads(golden.schema)["fields"]) + 1):
        await reads_grown(schemas, service, golden, at)


async def reads_grown(schemas: Schemas, service: str, golden: Golden, at: int) -> None:
    newer = grown(golden.schema, {"name": "planted", "type": "string", "default": ""}, at)
    assert not breaks(golden.schema, newer)
    subject, out = f"{golden.family}-value", io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(json.loads(newer)), {**golden.record, "planted": "later"})
    value = frame(await schemas.register_text(subject, newer), out.getvalue())
    assert value != golden.value(await schemas.register_text(subject, golden.schema))
    topic = "credit.feedback.420000-gsj.v1" if golden.family == FEEDBACK else golden.family
    handler = handler_of(schemas, service, golden)
    assert handler is not None
    found = handler.read(Message(topic, 0, 0, b"key", value, (), NOW.now_ms), NOW)
    known = await read(schemas, service, golden)
    if isinstance(found, Linked):
        found = found._replace(value=known.value)  # the message as it came, to be read again by the same reader
    assert found == known, f"planted before field {at}"


@pytest.mark.parametrize("family", sorted(set().union(*CONSUMED.values())))
def test_a_newer_edition_with_a_field_that_has_no_default_is_refused(family: str) -> None:
    schema = examples.of(family)[0].schema
    assert breaks(schema, grown(schema, {"name": "planted", "type": "string"}))
