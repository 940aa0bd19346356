"""Faults planted among good records: the others are accepted, these refused with their code and field, then mended."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.ingestion.contracts.answers import Speaker
from services.ingestion.domain.events import RecordAccepted, SubmissionRefused
from services.ingestion.handlers.records import Records
from tests.properties.ingestion.test_answers import Ids
from tests.support import driver
from tests.unit.ingestion import samples

READER = samples.reader()
PLANTED: dict[tuple[str, str], Mapping[str, Any]] = {
    ("SUBJECT_CODE_CHECK_DIGIT", "subject_code"): {
        "subject_code": "91420100MA4KLM0N5A",
        "subject_kind": "org",
        "payload_changes": {"CF_XDR_SHXYM": "91420100MA4KLM0N5A"},
    },
    ("FIELD_MISSING", "CF_WSH"): {"payload_changes": {"CF_WSH": ""}},
    ("FIELD_CODE_LIST", "CF_CFLB"): {"payload_changes": {"CF_CFLB": "罚金"}},
    ("FIELD_ORDER", "CF_YXQ"): {"payload_changes": {"CF_YXQ": date(2016, 1, 1)}},
    ("ACTION_UNKNOWN", "action"): {"action": "delete"},
    ("FORBIDDEN_CONTENT", "CF_SY"): {"payload_changes": {"CF_SY": "当事人420106190003070015"}},
}


def record(number: int, run: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    return samples.record("org-penalty", submission_id=f"{run}-{number}", record_no=f"r-{number}", **changes)


@given(st.integers(1, 40), st.dictionaries(st.integers(0, 39), st.sampled_from(sorted(PLANTED)), max_size=7))
def test_what_is_planted_is_refused_and_nothing_else_and_mending_ends_as_if_it_had_been_right(
    count: int, places: dict[int, tuple[str, str]]
) -> None:
    places = {n: kind for n, kind in places.items() if n < count}
    records, states = Records(Speaker(Ids())), dict[Any, Any]()

    def said(run: str, numbers: Any, changes: Mapping[int, Mapping[str, Any]]) -> list[Any]:
        given_ = [READER.read(samples.sent(record(n, run, changes.get(n, {}))), samples.NOW) for n in numbers]
        return [event for events in driver.run(records, given_, states) for event in events]

    first = said("first", range(count), {n: PLANTED[kind] for n, kind in places.items()})
    for n, event in enumerate(first):
        if n in places:
            assert isinstance(event, SubmissionRefused)
            assert places[n] in {(fault.code, fault.field) for fault in event.faults}
        else:
            assert isinstance(event, RecordAccepted)
    assert all(isinstance(event, RecordAccepted) for event in said("mended", places, {}))
    assert len(states) == count
    assert {(state.version, state.withdrawn) for state in states.values()} == {(1, False)}
