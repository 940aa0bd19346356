"""`credit keys status | rotate`: the key that persons' keys are wrapped under."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from typing import Annotated, Any

import typer

from deploy.local import passwords
from deploy.local.faults import StackFault
from deploy.local.layout import Layout
from services.cli.key_door import door

KEK = "identity.kek"
PATIENCE_S = 600.0
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True, help=__doc__)


@app.command()
def status(as_json: Json = False) -> None:
    """Which key stands, how many persons' keys are still wrapped under others, how many persons were erased."""
    _show(_keyring(Layout.from_environment()), as_json)


@app.command()
def rotate(
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the old key in the file when all is wrapped anew.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a new key, wrap every person's key under it while the service goes on, and drop the old one.

    What the old key had wrapped and is still somewhere (a backup, the database's own log, dead rows) can never be read
    again: after an erasure this is what makes it so. Cut short it is begun again: `credit keys rotate`.
    """
    layout = Layout.from_environment()
    _make(layout, _keyring(layout))
    found = _until(layout, lambda ring: ring["newest"] != ring["standing"])
    _command(layout, found["newest"])
    found = _until(layout, lambda ring: ring["standing"] == ring["newest"] and not ring["wrapped_under_others"])
    if not keep:
        file = layout.secrets / KEK
        passwords.write_private(file, file.read_text(encoding="ascii").split()[0] + "\n")
    _show(found, as_json)


def _make(layout: Layout, ring: dict[str, Any]) -> None:
    """Put a new key before the others, unless one that was put there before still waits to be taken."""
    if ring["newest"] == ring["standing"]:
        file = layout.secrets / KEK
        passwords.write_private(file, f"{secrets.token_hex(32)}\n{file.read_text(encoding='ascii')}")


def _command(layout: Layout, kek_id: str) -> None:
    from services.cli import commands

    answer = commands.send(layout, "identity", "rotate_keys", "kek", {"kek_id": kek_id})
    if answer.outcome != "DONE":
        raise StackFault("; ".join(fault["message_en"] for fault in answer.faults))


def _until(layout: Layout, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    ends = time.monotonic() + PATIENCE_S
    while not holds(ring := _keyring(layout)):
        if time.monotonic() > ends:
            raise StackFault("the rotation goes on in the background: credit keys status; credit logs identity")
        time.sleep(0.5)
    return ring


def _keyring(layout: Layout) -> dict[str, Any]:
    from credit.identity.v1 import keys_pb2 as pb

    names = ("standing", "newest", "wrapped_under_others", "erased", "cipher", "certificate_public_key")
    with door(layout) as call:
        found = call("GetKeyring", pb.GetKeyringRequest())
    return {name: getattr(found, name) for name in names}


def _show(ring: dict[str, Any], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(ring))
        return
    for name, value in ring.items():
        typer.echo(
            f"{name.replace('_', ' '):<24}{value:,}"
            if isinstance(value, int)
            else f"{name.replace('_', ' '):<24}{value}"
        )
