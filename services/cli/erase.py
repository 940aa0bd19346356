"""`credit erase`: destroy the key of a person, so that nothing sealed with it can ever be read again."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.local.faults import StackFault
from deploy.local.layout import Layout
from services.cli import certificates
from services.cli.key_door import STATES, door

LINE_LIMIT = 100


def erase(
    subject: Annotated[str, typer.Option(help="The subject id: 32 hexadecimal digits.")] = "",
    code_file: Annotated[
        str, typer.Option(help="A file that holds the document's number, or - for the standard input.")
    ] = "",
    kind: Annotated[
        str, typer.Option(help="Of the document: resident_id, residence_permit, passport …")
    ] = "resident_id",
    country: Annotated[str, typer.Option(help="Of a passport: who issued it, three letters.")] = "",
    reason: Annotated[str, typer.Option(help="Why; kept for ever, so no name and no number in it.")] = "",
    unasked: Annotated[
        bool, typer.Option("--unasked", help="Also of a person who never had a key: none is made.")
    ] = False,
    check: Annotated[Path | None, typer.Option(help="Erase nothing; check a certificate's signature.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the certificate as one JSON object.")] = False,
) -> None:
    """Destroy the key of a person for ever. The last copy in a cache is gone a minute later; the certificate says who,
    when, whom and why. A number is read from a file, never from the command line, which others can see.
    """
    if check is not None:
        found = certificates.read(check)
        certificates.check(found)
        _show(found, as_json)
        return
    if bool(subject) == bool(code_file):
        raise typer.BadParameter("give either --subject or --code-file")
    layout = Layout.from_environment()
    person = {"subject_id": subject} if subject else {"document": _document(kind, code_file, country)}
    _show(_erased(layout, _known(layout, person, unasked), reason), as_json)


def _document(kind: str, code_file: str, country: str) -> dict[str, str]:
    try:
        text = sys.stdin.read(LINE_LIMIT) if code_file == "-" else Path(code_file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise StackFault(f"{code_file} cannot be read as a text: it holds one number in UTF-8") from None
    if not text.strip() or len(text.split()) > 1 or len(text) > LINE_LIMIT:
        raise StackFault("the file must hold one number and nothing else")
    return {"kind": kind, "number": text.strip(), "country": country}


def _known(layout: Layout, person: dict[str, Any], unasked: bool) -> str:
    """The subject id; a slip of the pen would erase nobody and look as if it had."""
    from credit.identity.v1 import keys_pb2 as pb

    with door(layout) as call:
        found = call("FindPerson", pb.FindPersonRequest(**person))
    state = STATES.get(found.state, "")
    if state == "REFUSED":
        raise StackFault(f"this names no person ({found.fault}): check it, and --kind")
    if state == "NONE" and not unasked:
        raise StackFault("this person never had a key: check the number; --unasked erases all the same")
    subject_id: str = found.subject_id
    return subject_id


def _erased(layout: Layout, subject_id: str, reason: str) -> dict[str, Any]:
    from services.cli import commands

    arguments = {"subject_id": subject_id, "reason": reason}
    answer = commands.send(layout, "identity", "erase_person", subject_id, arguments)
    if answer.outcome != "DONE":
        raise StackFault("; ".join(f"{fault['field']}: {fault['message_en']}" for fault in answer.faults))
    found: dict[str, Any] = json.loads(answer.detail or "{}")
    certificates.check(found)
    return found


def _show(certificate: dict[str, Any], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(certificate, ensure_ascii=False))
        return
    said = certificate["statement"]
    typer.echo(f"erased      {said['subject_id']}")
    typer.echo(f"when        {said['erased_at']}")
    typer.echo(f"by          {said['issued_by']}, command {said['command_id']}")
    typer.echo(f"reason      {said['reason']}")
    typer.echo(f"digest      {certificate['digest']}")
    typer.echo(f"signature   valid, by {certificate['public_key']}")
