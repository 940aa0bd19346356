"""A batch of linked records -> those of which the native cutter is certain; the others are left to Python.

The extension knows nothing of the catalogue: of each sort of records it is handed the table to cut by, the first time
it meets one. A sort is what one table holds for: the writer's schema, the subject's kind, the item and its edition, and
to whom it may be disclosed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.chassis.errors import Unhandleable
from services.chassis.message import Message, Moment
from services.chassis.prefix import prefix_reader
from services.chassis.schemas import Schemas
from services.chassis.wire import frame
from services.disclosure.contracts.fields import EncodedFields
from services.disclosure.contracts.plan import plan
from services.disclosure.contracts.program import compile_program
from services.disclosure.contracts.records import ID_LIMIT, LINKED
from services.disclosure.contracts.reference import NAME_LIMIT, Catalogue
from services.disclosure.contracts.text import storable
from services.disclosure.domain.events import Shown
from services.disclosure.domain.inputs import RecordSeen
from services.disclosure.domain.subject_file import feeds_of
from services.disclosure.domain.terms import CODE_KINDS, Feed
from services.disclosure.native import Native

SHOWING = ("report", "correct")  # the actions of which something is shown
Sort = tuple[bytes, str, int, tuple[Feed, ...], bool]  # table, item, its version, feeds, of a person
SCHEMA_ID = 4  # bytes
_sort = prefix_reader(["string", "string", "long", "string", "string"])  # kind; item, its version, class, disclosure


class BatchReader:
    """Reads and completes as `RecordReader` does, many at once, and answers None wherever it is not certain."""

    def __init__(self, native: Native, schemas: Schemas, catalogue: Catalogue) -> None:
        self._native = native
        self._schemas = schemas
        self._catalogue = catalogue
        self._revision: int | None = None
        self._sorts: dict[bytes, Sort | None] = {}
        self._context: tuple[Any, ...] = ()

    def read_many(self, messages: Sequence[Message], moment: Moment) -> list[RecordSeen | None]:
        """One answer per message, by the catalogue as it is in this batch."""
        if self._revision != self._catalogue.revision:  # another edition may be the one to show by
            self._revision, self._sorts = self._catalogue.revision, {}
            self._context = self._made()
        return self._native.read_many(self._context, messages, moment.now_ms)

    def _made(self) -> tuple[Any, ...]:
        head = frame(self._schemas.schema_id(LINKED), b"")
        known = (head, SHOWING, tuple(sorted(CODE_KINDS)), self._sorts, self._sort_of)
        return RecordSeen, Shown, EncodedFields, *known, ID_LIMIT, NAME_LIMIT

    def _sort_of(self, key: bytes) -> Sort | None:
        """Remembered unless it can still change in this revision: there are no more of them than editions and kinds."""
        try:
            kind, item, version, _, disclosure, _ = _sort(key, SCHEMA_ID)
        except Unhandleable:
            return None
        item = storable(item, ID_LIMIT)
        schema, edition = self._schemas.get(int.from_bytes(key[:SCHEMA_ID])), self._catalogue.edition(item, version)
        if schema is None or edition is None:
            return None
        person, feeds = kind == "person", feeds_of(disclosure, kind)
        steps = plan(schema, edition, person)
        table = compile_program(steps) if steps and feeds else None
        self._sorts[key] = found = None if table is None else (table, item, version, feeds, person)
        return found
