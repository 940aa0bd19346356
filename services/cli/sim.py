"""`credit sim`: the simulator lives with the tests and is run from the repository's root as a program of its own."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli import programs


def sim(
    seed: Annotated[int | None, typer.Option(help="Only this seed, with what was done in it.")] = None,
    bug: Annotated[int | None, typer.Option(help="Plant this bug, 1 to 13.", min=1, max=13)] = None,
    seeds: Annotated[int, typer.Option(help="How many seeds.", min=1)] = 200,
    first: Annotated[int, typer.Option("--from", help="The first seed.", min=1)] = 1,
    bugs: Annotated[bool, typer.Option("--bugs", help="Plant each bug in turn until a seed finds it.")] = False,
    processes: Annotated[int, typer.Option(help="How many processes share the seeds.", min=1)] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Simulate all five services, broker and stores on virtual time, under the faults of each seed."""
    arguments = [f"--seeds={seeds}", f"--from={first}", f"--processes={processes}"]
    arguments += [] if seed is None else [f"--seed={seed}"]
    arguments += [] if bug is None else [f"--bug={bug}"]
    arguments += ["--bugs"] * bugs + ["--json"] * as_json
    raise SystemExit(programs.from_sources("tests.sim", arguments, "the simulator"))
