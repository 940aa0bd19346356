"""Who asks for what: refused with a clear text unless channel, caller and purpose are named."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from services.disclosure.domain.terms import CODE_KINDS, Feed
from services.kernel.text import narrowed

CHANNELS: dict[int, Feed] = {1: "public", 2: "government"}  # as the contract numbers them
CALLER_LIMIT = 100
PURPOSE_LIMIT = 200
UNKNOWN = "SUBJECT_UNKNOWN"
AMBIGUOUS = "CODE_AMBIGUOUS"

SubjectKey: TypeAlias = "bytes | tuple[str, str]"  # an id, or kind and code


class Refused(Exception):
    """The question cannot be answered; the text names the rule and quotes nothing that was sent."""

    @property
    def text(self) -> str:
        """Code and rule."""
        return str(self.args[0])

    @property
    def code(self) -> str:
        """The code alone."""
        return self.text.partition(":")[0]


class Inquiry(NamedTuple):
    """By which door, who, and what for."""

    channel: Feed
    caller: str
    purpose: str


def inquiry_of(channel: int, caller: str, purpose: str) -> Inquiry:
    """Raises `Refused`."""
    if channel not in CHANNELS:
        raise Refused("CHANNEL_REQUIRED: say CHANNEL_PUBLIC or CHANNEL_GOVERNMENT")
    who = _text(caller, CALLER_LIMIT, "CALLER", "name the office or system that asks")
    why = _text(purpose, PURPOSE_LIMIT, "PURPOSE", "say what the answer is for; it is kept with the query")
    return Inquiry(CHANNELS[channel], who, why)


def _text(given: str, limit: int, what: str, rule: str) -> str:
    text = given.strip().replace("\0", "\ufffd")
    if not text:
        raise Refused(f"{what}_REQUIRED: {rule}")
    if len(text) > limit:
        raise Refused(f"{what}_TOO_LONG: at most {limit} characters")
    return text


def subject_id_of(text: str, code: str = "SUBJECT_ID_FORMAT") -> bytes:
    """16 bytes as 32 hexadecimal digits; raises `Refused`."""
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    if len(found) != 16:
        raise Refused(f"{code}: 32 hexadecimal digits are needed")
    return found


def subject_key(subject_id: str, kind: str, code: str) -> SubjectKey:
    """An id or a code of an organisation; raises `Refused`."""
    if subject_id:
        return subject_id_of(subject_id)
    if kind not in CODE_KINDS:
        raise Refused("CODE_KIND: name a subject_id, or a code of kind " + ", ".join(sorted(CODE_KINDS)))
    wanted = narrowed(code).replace("-", "").replace("\0", "")
    if not wanted:
        raise Refused("CODE_REQUIRED: the code is empty")
    return kind, wanted
