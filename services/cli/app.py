"""`credit`: the list of commands. What a command needs is imported when it is called, so that --help is quick."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import NamedTuple

import typer

from deploy.local.faults import StackFault


class Command(NamedTuple):
    """Where a command lives (`module:function` or `module:Typer`) and what --help says of it."""

    target: str
    summary: str


COMMANDS = {
    "up": Command("services.cli.stack:up", "Start the stack and the services, and wait until they can work."),
    "down": Command("services.cli.stack:down", "Stop everything."),
    "status": Command("services.cli.stack:status", "What runs, where it listens, whether it can work."),
    "logs": Command("services.cli.stack:logs", "What a program wrote."),
    "wipe": Command("services.cli.stack:wipe", "Stop everything and delete all data of the stack."),
    "agency": Command("services.cli.agency:app", "Agencies: add (topics, user, rights, quota, samples), list, show."),
    "import": Command("services.cli.intake.command:import_file", "Publish a file of records, answer every row."),
    "receipts": Command("services.cli.receipts:receipts", "Read an agency's receipts."),
    "errors": Command("services.cli.errors:app", "Every fault a receipt can state: as a list, as a page."),
    "subject": Command("services.cli.subject:subject", "Show what is disclosed about a subject."),
    "catalogue": Command(
        "services.cli.catalogue_app:app", "The catalogue: list, show, page; add, confirm, retire items."
    ),
    "explain": Command("services.cli.explain:explain", "Why a record is about whom it is about."),
    "review": Command("services.cli.review:app", "What could not be linked: list, claim, decide."),
    "relations": Command("services.cli.relations:relations", "Who holds and held an office in an organisation."),
    "codes": Command("services.cli.codes:app", "Unmapped, wrong and duplicate codes by agency and month: report."),
    "merge": Command("services.cli.subjects:merge", "Let one subject stand for another."),
    "unmerge": Command("services.cli.subjects:unmerge", "Take apart subjects that were merged."),
    "judge": Command("services.cli.subjects:judge", "Say whether two subjects are the same."),
    "template": Command("services.cli.template:template", "Write the spreadsheet of a catalogue item."),
    "trace": Command("services.cli.trace:trace", "Follow a submission hop by hop."),
    "feeds": Command("services.cli.feeds:app", "What each agency sends of each item; who is silent."),
    "clock": Command("services.cli.clock:clock", "The legal clock of a record: each hop, what fell due, who was late."),
    "deadline": Command("services.cli.deadline:deadline", "The last day of a legal term, and the way there."),
    "parked": Command("services.cli.parked:app", "What a service has put aside: list, show, release, discard."),
    "lanes": Command("services.cli.lanes:app", "The lanes of a service: how far they are; let a stopped one go on."),
    "erase": Command("services.cli.erase:erase", "Destroy the key of a person, for ever, with a certificate."),
    "operator": Command("services.cli.operator:app", "Who may give commands, and for whom: add, list, end."),
    "keys": Command("services.cli.keys:app", "The key that persons' keys are wrapped under: status, rotate."),
    "reconcile": Command("services.cli.reconcile:reconcile", "Compare what the services hold of every record."),
    "verify": Command("services.cli.verify:verify", "Account for every record, by a program that shares no code."),
    "replay": Command("services.cli.replay:replay", "Rebuild a service's store from the journals and compare it."),
    "sim": Command("services.cli.sim:sim", "Simulate the road under faults, seed by seed; with planted bugs."),
    "demo": Command("services.cli.demo.command:demo", "The whole road once, with reconciliation."),
}
STUBS = Path(__file__).parents[1] / "_stubs"  # generated from proto/ by make
EXIT_CODES = "Exit codes: 0 done, 1 failed (one line says why and what to do), 2 wrong usage, 3 not everything runs."


def main() -> None:
    """Dispatch by the first word; everything else is shown by the overview."""
    arguments = sys.argv[1:]
    known = COMMANDS.get(arguments[0]) if arguments else None
    app = _load(arguments[0], known) if known else _overview()
    name = f"credit {arguments[0]}" if known else "credit"
    try:
        app(args=arguments[1:] if known else arguments, prog_name=name)
    except StackFault as fault:
        sys.stderr.write(f"credit: {fault}\n")
        raise SystemExit(1) from None


def _load(name: str, command: Command) -> typer.Typer:
    sys.path.append(str(STUBS))
    module, _, attribute = command.target.partition(":")
    found = getattr(importlib.import_module(module), attribute)
    if isinstance(found, typer.Typer):
        return found
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command(name, help=found.__doc__)(found)
    return app


def _overview() -> typer.Typer:
    summary = "A provincial public credit information platform on a real message bus."
    app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)
    app.callback(help=summary, epilog=EXIT_CODES)(_nothing)
    for name, command in COMMANDS.items():
        app.command(name, help=command.summary)(_nothing)
    return app


def _nothing() -> None:
    """The overview only lists; `main` has taken every known command already."""
