"""Catalogue items and subjects -> inputs, and the catalogue as this process knows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.chassis.editions import own_body
from services.chassis.errors import Unhandleable
from services.chassis.message import Message, Moment
from services.chassis.prefix import prefix_reader
from services.chassis.schemas import Schemas
from services.disclosure.contracts.text import storable
from services.disclosure.domain.edition import DefinitionFault, Edition, EditionSeen, edition_of, usable
from services.disclosure.domain.events import Code
from services.disclosure.domain.subject_card import SubjectSeen

CATALOGUE = "credit.ingestion.catalogue.v1"
SUBJECT = "credit.identity.subject.v1"
ERASED = "ERASED"  # the change that says it of a person
NAME_LIMIT = 200
CODE_LIMIT = 64

_HEAD = {
    "subject_id": "fixed16",
    "subject_version": "long",
    "change": "string",
    "subject_kind": "string",
    "name": "string?",
}
_head = prefix_reader(list(_HEAD.values()))
_TAIL = {"changed_at": "long", "merged_into": "fixed16?"}
_tail = prefix_reader(list(_TAIL.values()))
_long = prefix_reader(["long"])
_pair = prefix_reader(["string", "string"])


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
    body = own_body(schemas, SUBJECT, (*_HEAD, "codes", *_TAIL), message.value)
    subject_id, version, change, kind, name, at = _head(body, 0)
    codes, at = _codes(body, at)
    _, merged_into, at = _tail(body, at)
    if at != len(body):
        raise Unhandleable("AVRO_UNREADABLE", "bytes left over")
    told = storable(name, NAME_LIMIT) if name else None
    return SubjectSeen(subject_id, version, kind, told, codes, moment.now_ms, merged_into, change == ERASED)


def _codes(body: bytes, at: int) -> tuple[tuple[Code, ...], int]:
    """The array of codes and where it ends. Of a block with a negative count its size in bytes goes before it."""
    found: list[Code] = []
    count, at = _long(body, at)
    while count:
        if count < 0:
            _, at = _long(body, at)
        for _ in range(abs(count)):
            kind, code, at = _pair(body, at)
            found.append(Code(kind, _code(code)))
        count, at = _long(body, at)
    return tuple(found), at


def _code(text: str) -> str:
    return storable(text, CODE_LIMIT).replace("\n", "")
