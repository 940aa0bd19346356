"""Whether a command is really of whom it names (`issued_by`), and whether that one may give it.

Kafka tells a consumer nothing of who has written a message: everybody who may write to a command topic can name
anybody. So a command is signed, and every service checks it before anything else is read of it, by the register of
operators that `CREDIT_OPERATORS` names. What decides is the message and the register alone, never the clock: the moment
is the broker's own (LogAppendTime), so that a replay decides as it was decided.

A command is good for ten minutes around `issued_at`: whoever has seen one cannot publish it again later. Within them
the aggregate knows a command's id again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from services.chassis import operators, signing
from services.chassis.commands import Codec, Command, Fault, read_command, type_of
from services.chassis.errors import Transient
from services.chassis.message import Message
from services.chassis.operators import Operator, Operators

VARIABLE = "CREDIT_OPERATORS"
NOT_ALLOWED = ""  # the type by which a command is routed that is not allowed; no command has it
GOOD_FOR_MS = 600_000
SIGN = "signed by the key that the operators' register names for issued_by"

UNSIGNED = Fault("COMMAND_UNSIGNED", "signature", SIGN, "", "命令未签名", "the command is not signed", "")
UNKNOWN = Fault(
    "ISSUER_UNKNOWN", "issued_by", "a principal in the operators' register", "", "签发人未登记",
    "nobody of this name may give commands at this time", "operator",
)  # fmt: skip
FORGED = Fault("SIGNATURE_WRONG", "signature", SIGN, "", "签名不符", "the signature is not that of who is named", "")
STALE = Fault(
    "COMMAND_STALE", "issued_at", "published within 10 minutes of issued_at", "", "命令已过时效",
    "the command was issued at another time than it was published: send it anew", "",
)  # fmt: skip
NOT_YOURS = Fault(
    "COMMAND_NOT_ALLOWED", "type", "a command that the register allows this principal", "", "无权发出该命令",
    "this principal may not give this command", "",
)  # fmt: skip
NOT_FOR_THEM = Fault(
    "MAY_NOT_SPEAK_FOR", "", "on whose behalf this principal may speak by the register", "", "无权代表该单位或人员",
    "this principal may not speak on behalf of whom the command names", "",
)  # fmt: skip


class Authority:
    """Judges the commands of one service; without a register nobody's word is doubted."""

    def __init__(self, service: str, codec: Codec, file: Path | None) -> None:
        self._service, self._codec, self._file = service, codec, file
        self._seen: tuple[int, int] = (0, 0)
        self._register: Operators | None = None

    def type_of(self, message: Message) -> str:
        """By which a command is routed: its own, or `NOT_ALLOWED`; raises `Unhandleable` for what is no command."""
        kind = type_of(self._codec, message)
        return NOT_ALLOWED if self._file and self.objection(read_command(self._codec, message), message) else kind

    def objection(self, command: Command, message: Message) -> Fault | None:
        """What stands against carrying out this command; raises `Transient` while the register cannot be read."""
        register = self._read()
        if register is None or message.timestamp_ms < register.checked_since:
            return None
        return next(iter(self._objections(register, command, message)), None)

    def _objections(self, register: Operators, command: Command, message: Message) -> Iterator[Fault]:
        signature, entries = message.header(signing.HEADER), register.at(command.issued_by, message.timestamp_ms)
        if signature is None:
            yield UNSIGNED
        if not entries:
            yield UNKNOWN
        signer = next((e for e in entries if _signed(e, signature or b"", message)), None)
        if signer is None:
            yield FORGED
            return
        if abs(message.timestamp_ms - command.issued_at) > GOOD_FOR_MS:
            yield STALE
        if not signer.may(self._service, command.type):
            yield NOT_YOURS
        for argument, name in _named(register.on_behalf, command.arguments):
            if not signer.may_speak_for(name):
                yield NOT_FOR_THEM._replace(field=argument)

    def _read(self) -> Operators | None:
        """Read anew when the file was replaced; commands are few."""
        if self._file is None:
            return None
        try:
            found = self._file.stat()
            if self._seen != (found.st_mtime_ns, found.st_ino):
                self._register = operators.parse(self._file.read_text(encoding="utf-8"))
                self._seen = found.st_mtime_ns, found.st_ino
        except (OSError, ValueError) as error:
            raise Transient("operators register", str(error)) from error
        return self._register


def _signed(entry: Operator, signature: bytes, message: Message) -> bool:
    return signing.holds(entry.public_key, signature, message.topic, message.key, message.value or b"")


def _named(on_behalf: Iterable[str], arguments: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """As text, whatever it is: a handler may take it so."""
    for argument in on_behalf:
        if arguments.get(argument) is not None:
            yield argument, str(arguments[argument])


def register_file(environment: Mapping[str, str]) -> Path | None:
    """Where the register lies; None where none is named."""
    named = environment.get(VARIABLE)
    return Path(named) if named else None
