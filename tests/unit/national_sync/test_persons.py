"""The nation is sent nothing about natural persons: no exchange is agreed, and sealed texts are none it could read."""

from __future__ import annotations

import pytest

from services.chassis.message import Moment
from services.chassis.wire import HEAD, frame
from services.national_sync.contracts.linked import LINKED, read_record
from services.national_sync.domain.inputs import Irrelevant, RecordSeen
from tests.support.linked_record import linked, message, submission
from tests.support.local_schemas import LocalSchemas

SCHEMAS = LocalSchemas()


@pytest.mark.parametrize(
    ("kind", "code_kind", "code", "pushed"),
    [
        ("org", "uscc", "91420100MA4KLM0N5H", True),
        ("sole_trader", "uscc", "92420106MA4ABCD17H", True),
        ("person", "subject_id", "ab" * 16, False),
    ],
)
def test_a_record_about_a_person_goes_no_further(kind: str, code_kind: str, code: str, pushed: bool) -> None:
    said = submission("org-permit", 7, subject_kind=kind, subject_code_kind=code_kind, subject_code=code)
    value = frame(SCHEMAS.schema_id(LINKED), linked("org-permit", said)[HEAD.size :])
    seen = read_record(SCHEMAS, {"org-permit"}, message(LINKED, b"S" * 16, value), Moment(1))
    assert type(seen) is (RecordSeen if pushed else Irrelevant)
