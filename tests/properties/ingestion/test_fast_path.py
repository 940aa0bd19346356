"""The generated fast path and the explaining validator agree on every payload, valid and broken."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.chassis.errors import Unhandleable
from services.chassis.schemas import read_record
from services.ingestion.contracts.edition import Edition, make_edition
from services.ingestion.contracts.submissions import HEAD, read_front
from services.ingestion.domain.wishes import canonical
from tests.properties.ingestion.strategies import of_persons, submissions
from tests.unit.ingestion import samples

EDITIONS = {
    code: make_edition(canonical(shipped.definition), samples.SCHEMA_IDS[code])
    for code, shipped in samples.SHIPPED.items()
}


def explained(edition: Edition, value: bytes) -> list[str]:
    """What the slow path says."""
    try:
        record = read_record(edition.schema, value[HEAD:])
    except Unhandleable:
        return ["UNDECODABLE"]
    return [fault.code for fault in edition.validate(record | record["payload"])]


def quick(edition: Edition, value: bytes) -> bool:
    front = read_front(value)
    return front is not None and edition.certainly_valid(value, front.payload_at, front.envelope)


@settings(max_examples=600, deadline=None)
@given(submissions() | of_persons())
def test_certainly_valid_means_without_a_fault(submission: dict[str, Any]) -> None:
    edition, value = EDITIONS[submission["item"]], samples.framed(submission)
    assert not (quick(edition, value) and explained(edition, value))


@settings(max_examples=300, deadline=None)
@given(submissions(), st.integers(0, 400), st.binary(max_size=3), st.integers(0, 3))
def test_they_agree_on_damaged_bytes_too(submission: dict[str, Any], at: int, put: bytes, cut: int) -> None:
    edition, value = EDITIONS[submission["item"]], samples.framed(submission)
    at = HEAD + at % (len(value) - HEAD)
    damaged = value[:at] + put + value[at + cut :]
    assert not (quick(edition, damaged) and explained(edition, damaged))


def test_every_good_sample_takes_the_fast_path() -> None:
    good = {code: samples.of_person(code) if code in samples.OF_PERSONS else samples.record(code) for code in EDITIONS}
    assert [code for code, edition in EDITIONS.items() if not quick(edition, samples.framed(good[code]))] == []


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes_are_answered_never_an_exception(value: bytes) -> None:
    for framed in (value, b"\x00\x00\x00\x00\x64" + value):
        given_ = samples.reader().read(samples.message(framed), samples.NOW)
        assert given_.faults
        assert given_.submission_id
