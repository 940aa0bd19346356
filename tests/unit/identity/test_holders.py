"""Whom a record names as holding an office: read of a few items only, and never as a name."""

from __future__ import annotations

import io
import json
import tomllib
from collections.abc import AsyncGenerator
from datetime import date
from pathlib import Path
from typing import Any

import fastavro
import pytest

from services.chassis.errors import Unhandleable
from services.chassis.message import Message, Moment
from services.chassis.schemas import AVRO, Schemas
from services.chassis.wire import frame
from services.identity.contracts.records import ACCEPTED, Reader
from services.identity.domain.records import RecordSeen
from services.identity.domain.relations import ROLE_OF, Holder
from tests.support.fake_registry import FakeRegistry
from tests.unit.identity.samples import INSTITUTION, JIA, PEPPER, PROFESSIONAL, refer, subject_id

CATALOGUE = Path(__file__).parents[3] / "services" / "ingestion" / "catalogue"
NAME = "演示某"
PERSON = {"subject_kind": "person", "subject_code_kind": "subject_id", "subject_code": "ab" * 16}


@pytest.fixture
async def schemas() -> AsyncGenerator[Schemas]:
    async with FakeRegistry() as registry, Schemas(registry.url) as opened:
        await opened.register_all()
        yield opened


def schema_of(item: str) -> dict[str, Any]:
    return json.loads((AVRO / "items" / item / "1.avsc").read_text())


def filled(fields: list[dict[str, Any]], said: dict[str, Any]) -> dict[str, Any]:
    """A record of these fields: what is said, and anything of the right type for the rest."""
    plain = {"string": "x", "int": 1, "long": 5, "boolean": True}

    def value(of: Any) -> Any:
        if isinstance(of, list):
            return None
        if isinstance(of, dict):
            return {"date": date(2017, 8, 1)}.get(of.get("logicalType", ""), plain.get(of["type"]))
        return plain[of]

    return {field["name"]: said.get(field["name"], value(field["type"])) for field in fields}


async def seen(schemas: Schemas, item: str, envelope: dict[str, Any], **payload: Any) -> RecordSeen:
    """The version as it is read off the topic."""
    schema = schema_of(item)
    schema_id = await schemas.register_text(f"cn.hubei.credit.item.{item}", json.dumps(schema))
    inner = next(field["type"] for field in schema["fields"] if field["name"] == "payload")
    of_org = {"subject_kind": "org", "subject_code_kind": "uscc", "subject_code": JIA, "item": item}
    record = filled(schema["fields"][:-1], of_org | envelope) | {"payload": filled(inner["fields"], payload)}
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), record)
    accepted = fastavro.parse_schema(json.loads((AVRO / ACCEPTED / "1.avsc").read_text()))
    with (AVRO / ACCEPTED / "examples" / "1" / "code-mapping.json").open() as file:
        (golden,) = fastavro.json_reader(file, accepted)
    assert isinstance(golden, dict)
    value = schemas.encode(ACCEPTED, {**golden, "item": item, "submission": frame(schema_id, out.getvalue())})
    return Reader(schemas, PEPPER).read(Message(ACCEPTED, 0, 0, b"", value, (), 0), Moment(7))


async def test_a_register_entry_names_a_holder(schemas: Schemas) -> None:
    reader = Reader(schemas, PEPPER)
    holder = reader.with_holder(await seen(schemas, INSTITUTION, {}, fddbr=NAME)).holder
    assert holder is not None
    assert (holder.role, len(holder.name_key), holder.organisation) == ("LEGAL_REPRESENTATIVE", 16, b"")
    assert NAME not in repr(holder)
    alike = reader.with_holder(await seen(schemas, INSTITUTION, {}, fddbr=" 演示 某")).holder
    other = reader.with_holder(await seen(schemas, INSTITUTION, {}, fddbr=NAME + "二")).holder
    assert alike == holder
    assert other not in (None, holder)
    assert Reader(schemas, PEPPER[::-1]).with_holder(await seen(schemas, INSTITUTION, {}, fddbr=NAME)).holder != holder


@pytest.mark.parametrize("said", [{}, {"fddbr": None}, {"fddbr": ""}, {"fddbr": " "}])
async def test_no_name_is_nobody(schemas: Schemas, said: dict[str, Any]) -> None:
    assert Reader(schemas, PEPPER).with_holder(await seen(schemas, INSTITUTION, {}, **said)).holder is None


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ({"zydwdm": JIA, "zyzt": "执业"}, Holder("RESPONSIBLE_PERSON", organisation=subject_id(JIA))),
        ({"zydwdm": JIA, "zyzt": "暂停"}, Holder("RESPONSIBLE_PERSON", organisation=subject_id(JIA))),
        ({"zydwdm": JIA, "zyzt": "注销"}, None),  # holds it no more
        ({"zydwdm": JIA[:-1] + "J", "zyzt": "执业"}, None),
        ({"zydwdm": None, "zyzt": "执业"}, None),
    ],
)
async def test_a_persons_record_names_the_organisation(schemas: Schemas, said: Any, wanted: Holder | None) -> None:
    assert Reader(schemas, PEPPER).with_holder(await seen(schemas, PROFESSIONAL, PERSON, **said)).holder == wanted


async def test_a_person_that_was_not_sealed_is_not_read(schemas: Schemas) -> None:
    plain = PERSON | {"subject_code_kind": "resident_id", "subject_code": "420106190003070015"}
    given = await seen(schemas, PROFESSIONAL, plain, zydwdm=JIA, zyzt="执业")
    reader = Reader(schemas, PEPPER)
    assert reader.submission(given) is None
    assert reader.with_holder(given) == given


async def test_what_cannot_be_read_is_not_passed_over(schemas: Schemas) -> None:
    given = await seen(schemas, INSTITUTION, {}, fddbr=NAME)
    cut = given._replace(item="sole-trader-registration", accepted=given.accepted.replace(NAME.encode(), b"\xff" * 9))
    with pytest.raises(Unhandleable) as raised:
        Reader(schemas, PEPPER).with_holder(cut)
    assert (raised.value.code, raised.value.detail) == ("HOLDER_UNREADABLE", "sole-trader-registration")
    assert raised.value.__suppress_context__
    withdrawn = cut._replace(action="withdraw")
    assert Reader(schemas, PEPPER).with_holder(withdrawn) == withdrawn


async def test_no_other_item_is_decoded(schemas: Schemas, monkeypatch: pytest.MonkeyPatch) -> None:
    given = [await seen(schemas, item, {}) for item in ("org-permit", "org-penalty", "enterprise-registration")]
    monkeypatch.delattr(Schemas, "decode")
    reader = Reader(schemas, PEPPER)
    for one in given:
        assert reader.submission(one) is None
        assert reader.with_holder(reader.complete(one)) == one
        assert one.named == refer("uscc", JIA)


def test_every_register_entry_that_names_somebody_is_known() -> None:
    """The catalogue says which items have the field; here is kept which office it means."""
    entries = {path.stem: tomllib.loads(path.read_text()) for path in CATALOGUE.glob("*.toml")}
    blocks = {code: {field.get("block") for field in item.get("fields", ())} for code, item in entries.items()}
    assert {code for code, used in blocks.items() if "registration" in used} | {PROFESSIONAL} == set(ROLE_OF)
