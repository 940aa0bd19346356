"""A thousand made-up persons on the real road: sealed wherever they go, found nowhere, and one of them erased.

Nobody who lives can hold these numbers: they are of 8 August 1888. All begin alike, and so do names and phones, so a
search for the beginnings finds any of them, in whatever form it lies about.
"""

from __future__ import annotations

import asyncio
import json
import urllib.request
from base64 import b64encode
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

from deploy.local import passwords
from deploy.local.layout import SERVICES
from services.chassis import outbox
from services.cli import commands
from services.cli.outsider import Reader
from services.ingestion.domain.definition import parse
from services.ingestion.domain.item_schema import schema_text, subject
from services.kernel.resident_id import check_character
from tests.support.road import DAY, RUN, Record, Road, beside, numbers
from tests.support.stack import eventually
from tests.unit.ingestion import persons

pytestmark = pytest.mark.stack

AGENCY, BASE = "420000-ysry", "22000"
BODY, NAME, PHONE = "42010618880808", "演示植入某", "0270000000"
HOW_MANY = 1000


def number(n: int) -> str:
    body = f"{BODY}{n:03d}"
    return body + check_character(body)


def record(n: int, **changes: Any) -> Record:
    serial = next(numbers)
    payload = {"holder": f"{NAME}{n}", "title": "演示奖", "phone": f"{PHONE}{n:04d}", "contact": f"{NAME}{n}之家"}
    return {
        "submission_id": f"p-{RUN}-{serial}",
        "item": persons.CODE,
        "agency": AGENCY,
        "source_unit": "",
        "action": "report",
        "record_no": f"p-{RUN}-{n}",
        "subject_kind": "person",
        "subject_code_kind": "resident_id",
        "subject_code": number(n),
        "subject_name": f"{NAME}{n}",
        "decided_on": DAY,
        "produced_at": 1_506_600_000_000 + serial,
        "payload": {**payload, "awarded_on": DAY},
    } | changes


@pytest.fixture(scope="module")
def road(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Road]:
    """A stack of its own: its files are searched for a thousand persons, and one of them is erased for ever."""
    with beside(tmp_path_factory.mktemp("persons"), BASE) as found:
        yield found


@pytest.fixture(scope="module")
def reporting(road: Road) -> Road:
    """The road with an item about persons in force and an agency that may report it."""
    definition = persons.DEFINITION | {"agencies": [AGENCY], "disclosure": "public"}
    item, _ = parse(definition)
    assert item is not None
    client = SchemaRegistryClient({"url": road.layout.registry_url})
    schema_id = client.register_schema(subject(item.code), Schema(schema_text(item), "AVRO"))
    arguments = {"definition": definition, "schema_id": schema_id}
    assert commands.send(road.layout, "ingestion", "publish_item", item.code, arguments).outcome == "DONE"
    road.agency(AGENCY, persons.CODE)
    return road


@pytest.fixture(scope="module")
def planted(reporting: Road) -> Road:
    """Every one of them was taken in, and is known to the services behind."""
    reporting.accepted(*[record(n) for n in range(HOW_MANY)])
    eventually(lambda: linked(reporting) >= HOW_MANY, "all persons' records are linked")
    return reporting


async def _fetch(road: Road, service: str, statement: str) -> list[Any]:
    password = passwords.password(road.layout.secrets, service)
    connection = await asyncpg.connect(road.layout.database(service), password=password)
    try:
        return await connection.fetch(statement)
    finally:
        await connection.close()


def fetch(road: Road, service: str, statement: str) -> list[Any]:
    """As the service's own role."""
    return asyncio.run(_fetch(road, service, statement))


def linked(road: Road) -> int:
    rows = fetch(road, "identity", "SELECT count(*) AS n FROM record_links WHERE rule = 'SUBJECT_ID'")
    found: int = rows[0]["n"]
    return found


def keys(road: Road) -> dict[bytes, bytes | None]:
    rows = fetch(road, "identity", "SELECT subject_id, wrapped FROM person_keys")
    return {row["subject_id"]: row["wrapped"] for row in rows}


# --- the search ----------------------------------------------------------------------------------------------------


def forms(text: str) -> Iterator[bytes]:
    """UTF-8, GB18030, each also in hexadecimal and in base64 at each of the three places where it may begin."""
    for plain in (text.encode(), text.encode("gb18030")):
        yield from (plain, plain.hex().encode(), plain.hex().upper().encode())
        for before in range(3):
            whole = b64encode(bytes(before) + plain)
            yield whole[before + (before > 0) : len(whole) - 4]


WANTED = [form for text in (BODY, NAME, PHONE) for form in forms(text) if len(form) > 6]


def holds(data: bytes) -> bool:
    return any(data.find(form) >= 0 for form in WANTED)


def files_that_hold(files: Iterable[Path]) -> list[Path]:
    """Files of what is running: they may shrink while they are read, which a mapping of them would not survive."""
    return [file for file in files if file.is_file() and holds(_content(file))]


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""  # deleted since it was listed


def test_the_search_finds_what_lies_in_the_submit_topic(planted: Road, tmp_path: Path) -> None:
    with Reader(planted.layout) as reader:
        assert any(holds(message.value() or b"") for message in reader.read([f"credit.submit.{AGENCY}.v1"]))
    file = tmp_path / "planted"
    for form in forms(number(7)):
        file.write_bytes(b"before" + form + b"after")
        assert files_that_hold([file]) == [file]


def test_no_other_topic_holds_a_person(planted: Road) -> None:
    """Batches are compressed on disk, so the messages are looked at as well as the files."""
    with Reader(planted.layout) as reader:
        topics = [topic for topic in reader.topics("credit.") if not topic.startswith("credit.submit.")]
        assert "credit.ingestion.record.v1" in topics
        found = {
            message.topic()
            for message in reader.read(topics)
            for part in (message.key(), message.value(), *(value for _, value in message.headers() or ()))
            if part is not None and holds(part if isinstance(part, bytes) else str(part).encode())
        }
    assert found == set()
    logs = (planted.layout.var / "kafka").rglob("*.log")
    assert files_that_hold(file for file in logs if not file.parent.name.startswith("credit.submit.")) == []


def test_no_database_log_or_metric_holds_a_person(planted: Road) -> None:
    for service in SERVICES:
        fetch(planted, service, "SELECT 1")
        for row in fetch(planted, service, "SELECT blob FROM outbox"):  # compressed, too
            assert not holds(repr(outbox.events(row["blob"])).encode())
        port = planted.layout.address(f"{service}.http")
        with urllib.request.urlopen(f"http://{port}/metrics", timeout=10) as answer:
            assert not holds(answer.read())
    assert files_that_hold((planted.layout.var / "postgres").rglob("*")) == []
    assert files_that_hold(planted.layout.logs.rglob("*")) == []


def test_no_person_is_on_the_public_feed_although_the_item_is_public(planted: Road) -> None:
    ids = {one.hex() for one in keys(planted)}
    assert not [told for told in planted.feed("public") if told.key.hex() in ids]


# --- one is erased -------------------------------------------------------------------------------------------------


def test_one_is_erased_and_everybody_else_stays_as_they_were(planted: Road, tmp_path: Path) -> None:
    before, code = keys(planted), tmp_path / "number"
    code.write_text(number(13), encoding="utf-8")
    how = ("erase", "--code-file", str(code), "--reason", "演示：本人申请", "--json")
    certificate = json.loads(planted.stack.credit(*how).stdout)
    erased = bytes.fromhex(certificate["statement"]["subject_id"])
    after = keys(planted)
    assert before.pop(erased) is not None
    assert after.pop(erased) is None
    assert after == before
    file = tmp_path / "certificate.json"
    file.write_text(json.dumps(certificate, ensure_ascii=False), encoding="utf-8")
    assert "valid" in planted.stack.credit("erase", "--check", str(file)).stdout
    assert json.loads(planted.stack.credit(*how).stdout) == certificate  # asked again: the first one stands

    def refused() -> bool:
        """Within a minute, when ingestion's last copy of the key is gone."""
        (receipt,) = planted.submit(record(13, record_no=f"p-{RUN}-13-{next(numbers)}"))
        return [fault["code"] for fault in receipt["faults"]] == ["SUBJECT_ERASED"]

    eventually(refused, "nothing more is taken in of who was erased", 90)
    assert keys(planted)[erased] is None
    planted.accepted(record(14, record_no=f"p-{RUN}-14-2"))


def replayed(road: Road, service: str = "ingestion", code: int = 0) -> dict[str, Any]:
    done = road.stack.credit("replay", service, "--json", check=False)
    assert done.returncode == code, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_a_replay_after_the_erasure_is_equal_and_what_is_planted_is_found(planted: Road) -> None:
    said = replayed(planted)
    assert said["equal"] is True
    taken = said["recalled"]["submissions of erased persons"]
    assert 1 <= taken < HOW_MANY  # of the one, once or more until ingestion's copy of the key was gone
    plant = "UPDATE records SET submission = set_byte(submission, length(submission) - 1, $1) WHERE record_no = $2"
    number_13 = f"p-{RUN}-13"
    (row,) = planted.stack.sql("ingestion", "SELECT submission FROM records WHERE record_no = $1", number_13)
    last = row["submission"][-1]
    planted.stack.sql("ingestion", plant, last ^ 2, number_13)  # the day, which is not sealed
    try:
        said = replayed(planted, code=1)
    finally:
        planted.stack.sql("ingestion", plant, last, number_13)
    assert [row["table"] for row in said["tables"] if row["live"] != row["replayed"]] == ["records"]
    assert said["recalled"]["submissions of erased persons"] == taken


@pytest.mark.parametrize("service", [service for service in SERVICES if service != "ingestion"])
def test_the_other_stores_are_rebuilt_as_before(planted: Road, service: str) -> None:
    said = replayed(planted, service)
    assert (said["equal"], said["recalled"]) == (True, {})


def test_a_number_that_never_had_a_key_is_no_erasure(planted: Road, tmp_path: Path) -> None:
    code = tmp_path / "number"
    code.write_text("420101190112311007", encoding="utf-8")
    done = planted.stack.credit("erase", "--code-file", str(code), "--reason", "演示", check=False)
    assert done.returncode == 1
    assert "never had a key" in done.stderr
    assert "420101190112311007" not in done.stdout + done.stderr


def test_the_master_key_is_rotated_while_the_road_goes_on(planted: Road) -> None:
    before = keys(planted)
    status = json.loads(planted.stack.credit("keys", "rotate", "--json").stdout)
    assert status["wrapped_under_others"] == 0
    assert status["standing"] == status["newest"]
    after = keys(planted)
    assert after.keys() == before.keys()
    assert all((before[one] is None) == (after[one] is None) for one in before)
    assert not any(after[one] == before[one] for one in before if before[one] is not None)
    (receipt,) = planted.submit(record(15))
    assert receipt["outcome"] == "DUPLICATE"  # its content was known again: the data key is the same
