"""Catalogue items and subjects -> inputs, and the catalogue as this process knows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.chassis.errors import Unhandleable
from services.chassis.message import Message, Moment
from services.chassis.schemas import Schemas
from services.disclosure.contracts.text import storable
from services.disclosure.domain.edition import DefinitionFault, Edition, EditionSeen, edition_of, usable
from services.disclosure.domain.events import Code
from services.disclosure.domain.subject_card import SubjectSeen

CATALOGUE = "credit.ingestion.catalogue.v1"
SUBJECT = "credit.identity.subject.v1"
NAME_LIMIT = 200
CODE_LIMIT = 64


class Catalogue:
    """The editions this process knows; replaced as a whole when the store's revision changes."""

    def __init__(self) -> None:
        self.revision = -1
        self._editions: Mapping[str, Sequence[Edition]] = {}
        self._usable: dict[tuple[str, int], Edition | None] = {}

    def fill(self, revision: int, editions: Mapping[str, Sequence[Edition]]) -> None:
        """Take over what the store holds."""
        self.revision, self._editions, self._usable = revision, editions, {}

    def edition(self, item: str, version: int) -> Edition | None:
        """By which edition a record of that one is shown; None: not here yet."""
        if (item, version) not in self._usable:
            self._usable[item, version] = usable(self._editions.get(item, ()), version)
        return self._usable[item, version]


def read_edition(schemas: Schemas, message: Message, moment: Moment) -> EditionSeen:
    """A published edition; raises `Unhandleable` for one that says too little."""
    _, record = schemas.decode(message.value or b"")
    try:
        return edition_of(str(record["code"]), int(record["version"]), str(record["definition"]), moment.now_ms)
    except KeyError as error:
        raise Unhandleable("FIELD_MISSING", str(error)) from None
    except DefinitionFault as fault:
        raise Unhandleable("DEFINITION_UNREADABLE", str(fault)) from None


def read_subject(schemas: Schemas, message: Message, moment: Moment) -> SubjectSeen:
    """A subject as it is now; raises `Unhandleable`."""
    _, record = schemas.decode(message.value or b"")
    try:
        name: str | None = record["name"]
        return SubjectSeen(
            record["subject_id"],
            record["subject_version"],
            record["subject_kind"],
            storable(name, NAME_LIMIT) if name else None,
            tuple(Code(c["kind"], _code(c["code"])) for c in record["codes"]),
            moment.now_ms,
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise Unhandleable("FIELD_MISSING", type(error).__name__) from None


def _code(text: str) -> str:
    return storable(text, CODE_LIMIT).replace("\n", "")
