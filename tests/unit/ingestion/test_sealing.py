"""What is said about a person leaves ingestion sealed, or not at all."""

from __future__ import annotations

import io
from base64 import b64encode, urlsafe_b64decode
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import fastavro
import pytest
from cryptography.exceptions import InvalidTag

from services.chassis.cipher import AES, SM4, Suite, derived
from services.chassis.errors import Transient
from services.chassis.message import Outgoing
from services.ingestion.contracts.answers import Speaker
from services.ingestion.contracts.batch_reader import BatchReader
from services.ingestion.contracts.program import TABLE_VERSION
from services.ingestion.contracts.register import Register
from services.ingestion.contracts.sealing import SEALED, Sealer, sealed
from services.ingestion.domain.definition import parse
from services.ingestion.domain.events import RecordAccepted
from services.ingestion.domain.person import Document, PersonKey
from services.ingestion.domain.reference import AgencyRow
from services.ingestion.domain.submission import Submission
from services.ingestion.handlers.records import Records
from services.ingestion.native import load
from tests.support import driver
from tests.unit.ingestion import persons, samples
from tests.unit.ingestion.test_records import Ids, outcome

SUBJECT, KEY = bytes(range(16)), b"k" * 32
LIVE, GONE, NOBODY = PersonKey(SUBJECT, KEY), PersonKey(SUBJECT, None), PersonKey(b"", None)
SECRETS = (persons.NUMBER, persons.OTHER, persons.NAME, persons.PHONE, persons.PLACE)


class Keys:
    """Identity as ingestion sees it: what it was asked, and what it answers."""

    def __init__(self, known: PersonKey | Mapping[str, PersonKey] = LIVE) -> None:
        self.known, self.asked = known, list[list[Document]]()

    async def ask(self, documents: Sequence[Document]) -> Mapping[Document, PersonKey]:
        self.asked.append(list(documents))
        known = self.known
        return {d: known if isinstance(known, PersonKey) else known[d.number] for d in documents}


class EmptyStore:
    """Nothing is known of any record."""

    async def fetch(self, *_: Any) -> list[Any]:
        return []


Said = list[tuple[Any, list[Outgoing]]]


async def told(keys: Keys, *given: Submission) -> Said:
    """Each event and what is announced of it, as a batch."""
    aggregate, store = Records(Speaker(Ids()), sealer=Sealer(keys.ask)), EmptyStore()
    await aggregate.load(store, given)  # type: ignore[arg-type] # all that is asked of a store here
    events = driver.run(aggregate, given)
    return [(es[0], list(aggregate.announce(es[0], one))) for one, es in zip(given, events, strict=True)]


def forms(text: str) -> Iterator[bytes]:
    """The ways in which a text may lie about."""
    for plain in (text.encode(), text.encode("gb18030"), text.encode("utf-16-le")):
        yield from (plain, plain.hex().encode(), plain.hex().upper().encode())
        for shift in range(3):  # base64 of a text inside of other text
            yield b64encode(bytes(shift) + plain)[shift + (shift > 0) : -4]


def leaks(said: object) -> list[str]:
    """Which secrets are in what was said, in whatever form."""
    text = b"".join(_bytes(said))
    return [secret for secret in SECRETS if any(form in text for form in forms(secret))]


def _bytes(said: object) -> Iterator[bytes]:
    if isinstance(said, bytes):
        yield said
    elif isinstance(said, (tuple, list)):
        for part in said:
            yield from _bytes(part)
    else:
        yield str(said).encode()


def decoded(event: Any) -> dict[str, Any]:
    """The sealed submission by the item's own schema."""
    return fastavro.schemaless_reader(io.BytesIO(event.submission[5:]), persons.SCHEMA, None)  # type: ignore[return-value]


def opened(text: str, field: str, record_id: bytes, key: bytes = KEY, suite: Suite = AES) -> str:
    raw = urlsafe_b64decode(text.removeprefix(SEALED))
    assert raw[0] == suite.number
    about = record_id + field.encode()
    return suite.unseal(derived(key, suite, b"ingestion|text"), raw[1:13], raw[13:], about).decode()


def test_the_search_finds_what_is_there() -> None:
    for secret in SECRETS:
        for form in forms(secret):
            assert leaks([b"before" + form + b"after"]) != []
    assert leaks(b64encode(b"xy" + persons.NUMBER.encode() + b"z")) == [persons.NUMBER]


async def test_nothing_of_a_person_is_said_in_plain_text() -> None:
    given = persons.read(persons.record())
    assert leaks([given.value]) != []
    said = await told(Keys(), given)
    assert outcome(said[0][0]) == "report 1"
    assert leaks(said) == []
    assert [message.topic for message in said[0][1]] == ["credit.ingestion.record.v1", "credit.receipts.420000-hbt.v1"]


async def test_the_sealed_record_is_one_of_its_schema_with_the_rest_untouched() -> None:
    ((event, _),) = await told(Keys(), persons.read(persons.record()))
    found, plain = decoded(event), persons.record()
    assert (found["subject_code_kind"], found["subject_code"]) == ("subject_id", SUBJECT.hex())
    for name in plain.keys() - {"payload", "subject_code", "subject_code_kind", "subject_name"}:
        assert found[name] == plain[name]
    payload = found["payload"]
    assert (payload["title"], payload["awarded_on"]) == ("演示奖", samples.DECIDED)
    assert opened(found["subject_name"], "subject_name", event.record_id) == persons.NAME
    for field, text in (("holder", persons.NAME), ("phone", persons.PHONE), ("contact", persons.PLACE)):
        assert opened(payload[field], field, event.record_id) == text
    with pytest.raises(InvalidTag):
        opened(payload["phone"], "contact", event.record_id)
    with pytest.raises(InvalidTag):
        opened(payload["phone"], "phone", bytes(16))
    with pytest.raises(InvalidTag):
        opened(payload["phone"], "phone", event.record_id, b"x" * 32)


async def test_a_field_that_is_missing_stays_missing() -> None:
    ((event, _),) = await told(Keys(), persons.read(persons.record({"phone": None})))
    assert decoded(event)["payload"]["phone"] is None


async def test_the_other_cipher_follows_from_the_key() -> None:
    key = b"k" * 16
    ((event, _),) = await told(Keys(PersonKey(SUBJECT, key)), persons.read(persons.record()))
    assert opened(decoded(event)["subject_name"], "subject_name", event.record_id, key, SM4) == persons.NAME


async def test_a_replay_says_what_was_said() -> None:
    first, second = [await told(Keys(), persons.read(persons.record())) for _ in range(2)]
    assert first == second


async def test_a_text_is_sealed_differently_for_every_record_field_and_person() -> None:
    texts: list[str] = []
    for number, key in ((1, KEY), (2, KEY), (1, b"x" * 32)):
        given = persons.read(persons.record({"contact": persons.NAME}, record_no=f"r-{number}"))
        ((event, _),) = await told(Keys(PersonKey(SUBJECT, key)), given)
        found = decoded(event)
        texts += [found["subject_name"], found["payload"]["holder"], found["payload"]["contact"]]
    assert len(set(texts)) == 9


async def test_duplicates_and_corrections_are_known_without_a_hash_that_can_be_tried_out() -> None:
    later = samples.PRODUCED + timedelta(minutes=5)
    changed = persons.record({"phone": "02700000002"}, submission_id="s-3", action="correct", produced_at=later)
    given = [persons.read(r) for r in (persons.record(), persons.record(submission_id="s-2"), changed)]
    said = await told(Keys(), *given)
    assert [outcome(event) for event, _ in said] == ["report 1", "DUPLICATE", "correct 2"]
    first, third = said[0][0], said[2][0]
    assert isinstance(first, RecordAccepted)
    assert first.content not in (given[0].content, third.content)  # given: without a key, as of an organisation
    before, after = decoded(first)["payload"], decoded(third)["payload"]
    assert (before["contact"] == after["contact"], before["phone"] == after["phone"]) == (True, False)
    ((other, _),) = await told(Keys(PersonKey(SUBJECT, b"x" * 32)), given[0])
    assert other.content != first.content


@pytest.mark.parametrize(("known", "code"), [(GONE, "SUBJECT_ERASED"), (NOBODY, "SUBJECT_CODE_FORMAT")])
async def test_nothing_is_taken_in_of_who_was_erased(known: PersonKey, code: str) -> None:
    said = await told(Keys(known), persons.read(persons.record()))
    assert outcome(said[0][0]) == code
    assert [message.topic for message in said[0][1]] == ["credit.receipts.420000-hbt.v1"]
    assert leaks(said) == []


async def test_a_batch_asks_once_for_each_person_and_not_at_all_without_one() -> None:
    keys = Keys()
    about = [persons.NUMBER, persons.OTHER, persons.NUMBER]
    given = [persons.read(persons.record(record_no=f"r-{n}", subject_code=code)) for n, code in enumerate(about)]
    org = samples.read(samples.record())
    await told(keys, org, *given)
    assert keys.asked == [[Document("resident_id", persons.NUMBER), Document("resident_id", persons.OTHER)]]
    wrong = persons.read(persons.record({"title": ""}))
    assert wrong.faults
    of_org = {"subject_kind": "org", "subject_code_kind": "uscc", "subject_code": samples.USCC}
    said = await told(keys, org, wrong, persons.read(persons.record(record_no="r-9", **of_org)))
    assert [outcome(event) for event, _ in said] == ["report 1", "FIELD_MISSING", "report 1"]
    assert len(keys.asked) == 1


async def test_while_identity_is_away_the_lane_waits() -> None:
    async def away(documents: Sequence[Document]) -> Mapping[Document, PersonKey]:
        raise Transient("identity", "UNAVAILABLE")

    aggregate, store = Records(Speaker(Ids()), sealer=Sealer(away)), EmptyStore()
    with pytest.raises(Transient):
        await aggregate.load(store, [persons.read(persons.record())])  # type: ignore[arg-type]
    with pytest.raises(Transient):  # so it is where nothing is configured
        await Records(Speaker(Ids())).load(store, [persons.read(persons.record())])  # type: ignore[arg-type]


def test_what_was_not_sealed_is_not_decided() -> None:
    with pytest.raises(KeyError):
        driver.run(Records(Speaker(Ids())), [persons.read(persons.record())])


@pytest.mark.parametrize("field", ["record_no", "submission_id", "source_unit"])
async def test_no_number_stands_where_a_receipt_would_carry_it_on(field: str) -> None:
    given = persons.read(persons.record(**{field: f"A-{persons.NUMBER}"}))
    assert [(fault.code, fault.field) for fault in given.faults] == [("FORBIDDEN_CONTENT", field)]
    said = await told(Keys(), given)
    assert leaks(said) == []
    assert said[0][1][0].key == b"credit.submit.420000-hbt.v1/2/7"


def test_a_sensitive_field_of_a_person_is_a_text() -> None:
    fields = [*persons.FIELDS[:-1], persons.FIELDS[-1] | {"sensitivity": "person_name"}]
    item, faults = parse(persons.DEFINITION | {"fields": fields})
    assert item is None
    assert [(fault.code, fault.field) for fault in faults] == [("DEFINITION_FAULT", "awarded_on")]
    item, _ = parse(persons.DEFINITION | {"fields": fields, "subject_kinds": ["org"]})
    assert item is not None


def test_sealing_leaves_the_names_of_a_submission_as_they_are() -> None:
    given = persons.read(persons.record())
    found = sealed(given, given.ahead, LIVE)
    kept = ("origin", "submission_id", "record_no", "item", "action", "digest", "record_id", "due_on", "notes")
    assert all(getattr(found, name) == getattr(given, name) for name in kept)
    assert found.ahead is None


def test_the_native_reader_is_certain_of_no_person() -> None:
    native, why = load({}, TABLE_VERSION)
    if native is None:
        pytest.skip(f"native reader: {why}")
    reader = BatchReader(native, persons.register(), Speaker(Ids()), 600_000)
    of_org = {"subject_kind": "org", "subject_code_kind": "uscc", "subject_code": samples.USCC}
    messages = [persons.message(persons.record()), persons.message(persons.record(**of_org))]
    person, org = reader.read_many(messages, samples.NOW)
    assert person is None
    assert org is not None


def test_the_agencies_that_may_speak_of_persons_are_known() -> None:
    known = persons.register()
    assert known.about_persons() == sorted(sender.agency for sender in known.senders())
    other, shipped = Register(), samples.reference()
    other.fill(shipped)
    assert other.about_persons() == known.about_persons()
    other.fill(shipped._replace(agencies=tuple(AgencyRow(a.code, tuple(samples.ITEMS)) for a in shipped.agencies)))
    assert other.about_persons() == []
