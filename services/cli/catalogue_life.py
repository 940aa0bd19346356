"""`credit catalogue add | draft | merge | confirm | retire | reader`: each is a command that ingestion answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.local.faults import StackFault
from deploy.local.layout import Layout

REFUSED = 1
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ItemFile = Annotated[Path, typer.Argument(help="The item's file, as under services/ingestion/catalogue/.")]
Code = Annotated[str, typer.Argument(help="The catalogue item, e.g. org-penalty.")]
Unit = Annotated[str, typer.Option(help="The unit's agency code, e.g. 420000-hbt.")]
DocumentNumber = Annotated[str, typer.Option(help="The number of the document, e.g. 鄂信用文〔2017〕1号.")]


def add(file: ItemFile, document_number: DocumentNumber = "", as_json: AsJson = False) -> None:
    """Publish an item, or its next edition, while everything runs. A refusal changes nothing and says every reason."""
    from services.cli.outsider import Registry

    layout, made = Layout.from_environment(), _read(file)
    arguments = {"definition": made["definition"], "document_number": document_number}
    code, version = made["definition"]["code"], made["definition"]["version"]
    _ask(layout, "publish_item", code, arguments | {"rehearsal": True}, as_json)
    schema_id = Registry(layout).register(made["subject"], made["schema"])
    _ask(layout, "publish_item", code, arguments | {"schema_id": schema_id}, as_json)
    done = {"item": code, "version": version, "schema_id": schema_id, "document_number": document_number}
    _say(done, f"{code} {version} is in force; next: credit agency add AGENCY --name NAME --item {code}", as_json)


def draft(file: ItemFile, unit: Unit, as_json: AsJson = False) -> None:
    """Propose an item, or its next edition, for a unit. Nothing is in force by it."""
    made = _read(file)["definition"]
    _ask(Layout.from_environment(), "draft_item", made["code"], {"definition": made, "unit": unit}, as_json)
    done = {"item": made["code"], "version": made["version"], "unit": unit}
    _say(done, f"{unit} proposes {made['code']} {made['version']}; next: credit catalogue merge", as_json)


def merge(
    file: ItemFile,
    replaces: Annotated[list[str], typer.Option(help="A unit whose draft it takes in; once for each.")],
    as_json: AsJson = False,
) -> None:
    """Put one definition in the place of several drafts (归一). Then the responsible units confirm it."""
    made = _read(file)["definition"]
    arguments = {"definition": made, "replaces": replaces}
    _ask(Layout.from_environment(), "merge_drafts", made["code"], arguments, as_json)
    done = {"item": made["code"], "version": made["version"], "replaces": replaces, "seals": made.get("seals", [])}
    _say(done, f"{made['code']} {made['version']} waits to be confirmed; next: credit catalogue confirm", as_json)


def confirm(
    item: Code,
    unit: Unit,
    document: Annotated[str, typer.Option(help="The unit's own number for its confirmation.")],
    version: Annotated[int | None, typer.Option(help="Default: the one after what is in force.")] = None,
    as_json: AsJson = False,
) -> None:
    """Confirm a merged draft (盖章) for a responsible unit."""
    layout = Layout.from_environment()
    wanted = _next(layout, item) if version is None else version
    arguments = {"code": item, "version": wanted, "unit": unit, "document": document}
    detail = _ask(layout, "confirm_item", item, arguments, as_json)
    missing: list[str] = json.loads(detail)["missing"] if detail else []
    left = f"still missing: {', '.join(missing)}" if missing else "nobody is missing; next: credit catalogue add"
    _say({"item": item, "version": wanted, "unit": unit, "missing": missing}, f"confirmed by {unit}; {left}", as_json)


def retire(
    item: Code,
    reason: Annotated[str, typer.Option(help="Why.")],
    document_number: DocumentNumber,
    as_json: AsJson = False,
) -> None:
    """Retire an item: no new reports from now on; what was reported can still be corrected and withdrawn."""
    arguments = {"code": item, "reason": reason, "document_number": document_number}
    _ask(Layout.from_environment(), "retire_item", item, arguments, as_json)
    _say({"item": item, "document_number": document_number}, f"{item} is retired", as_json)


def reader(
    item: Code,
    name: Annotated[str, typer.Argument(help="Who reads records of the item.")],
    field: Annotated[list[str] | None, typer.Option(help="A field it depends on; none: it reads no longer.")] = None,
    as_json: AsJson = False,
) -> None:
    """Register who reads which fields of an item, so that no next edition breaks it."""
    fields = sorted(set(field or ()))
    arguments = {"code": item, "consumer": name, "fields": fields}
    _ask(Layout.from_environment(), "register_consumer", item, arguments, as_json)
    _say({"item": item, "reader": name, "fields": fields}, f"{name} reads {len(fields)} fields of {item}", as_json)


COMMANDS: dict[str, Callable[..., None]] = {
    "add": add,
    "draft": draft,
    "merge": merge,
    "confirm": confirm,
    "retire": retire,
    "reader": reader,
}


def _read(file: Path) -> dict[str, Any]:
    """The item as ingestion reads it: whole, with its schema; raises `StackFault` with everything that is wrong."""
    from services.cli import programs

    if not file.is_file():
        raise StackFault(f"there is no file {file}: give the path of the item's .toml file")
    (made,) = programs.lines(Layout.from_environment(), "ingestion", ["item", str(file.resolve())])
    if "faults" in made:
        raise StackFault(f"{'; '.join(made['faults'])}: correct the file and call again")
    return made


def _next(layout: Layout, item: str) -> int:
    from services.cli import catalogue

    found = catalogue.read(layout).get(item)
    return found.version + 1 if found else 1


def _ask(layout: Layout, kind: str, code: str, arguments: dict[str, Any], as_json: bool) -> str | None:
    """What there is to say of it; a refusal ends the command."""
    from services.cli import commands

    answer = commands.send(layout, "ingestion", kind, code, arguments)
    if answer.outcome == "DONE":
        return answer.detail
    if as_json:
        typer.echo(json.dumps({"outcome": answer.outcome, "faults": answer.faults}, ensure_ascii=False))
        raise typer.Exit(REFUSED)
    reasons = "; ".join(f"{fault['code']} {fault['field']}: {fault['message_en']}" for fault in answer.faults)
    raise StackFault(f"ingestion refused {code}: {reasons}")


def _say(done: dict[str, Any], text: str, as_json: bool) -> None:
    typer.echo(json.dumps(done, ensure_ascii=False) if as_json else text)
