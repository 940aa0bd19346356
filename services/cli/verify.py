"""`credit verify`: every record of the running system accounted for, by a program that shares no code with it.

It lives with the tests (tests/chaos/verify.py), runs as a process of its own and reads topics, gRPC, SQL and
files only.
"""

from __future__ import annotations

from typing import Annotated

import typer

from deploy.local.faults import StackFault
from deploy.local.layout import Layout
from services.cli import programs

CANNOT, NOT_ALL_RUNS = 2, 3  # its exit code where something does not answer, and ours


def verify(
    settle: Annotated[float, typer.Option(help="Seconds to wait until nothing is under way.", min=0)] = 30.0,
    allow_parked: Annotated[
        bool, typer.Option("--allow-parked", help="Messages that wait for an operator are no finding.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Account for every submission of the running system; publish nothing meanwhile.

    Ends with ALL RECORDS ACCOUNTED n=… or names the first offending record (exit code 1); exit code 3: something does
    not answer. Its questions to disclosure leave audit rows like anybody's.
    """
    layout = Layout.from_environment()
    addresses = layout.var / "stack.env"
    if not addresses.is_file():
        raise StackFault("there is no running system: credit up")
    arguments = [f"--stack={addresses}", f"--settle={settle}"]
    arguments += ["--allow-parked"] * allow_parked + ["--json"] * as_json
    code = programs.from_sources("tests.chaos.verify", arguments, "the verifier")
    raise typer.Exit(NOT_ALL_RUNS if code == CANNOT else code)
