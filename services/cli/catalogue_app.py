"""`credit catalogue`: what may be reported, and how an item comes into force, is changed and is retired."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.local.layout import Layout
from services.cli import catalogue, catalogue_life
from services.cli.catalogue_words import SAID, kept_out, zh

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True)
for name, command in catalogue_life.COMMANDS.items():
    app.command(name, help=command.__doc__)(command)


@app.callback()
def overview() -> None:
    """The catalogue (目录) of public credit information: one item for each kind of record."""


@app.command("list")
def list_items(as_json: AsJson = False) -> None:
    """Every item in force: code, version, class, who may see it, whether it takes reports."""
    items = sorted(catalogue.read(Layout.from_environment()).values())
    if as_json:
        typer.echo(json.dumps([summary(item) for item in items], ensure_ascii=False))
        return
    for item in items:
        row = summary(item)
        told = f"{row['class']:<9}{row['disclosure']:<12}{row['state']:<9}"
        typer.echo(f"{item.code:<36}{item.version:>3}  {told}{row['name_zh']}")
    typer.echo(f"{len(items)} items; credit catalogue show ITEM says the rest")


def summary(item: catalogue.Item) -> dict[str, Any]:
    """One line of the list."""
    names = ("name_zh", "name_en", "category", "class", "disclosure", "subject_kinds")
    chosen = {name: item.definition.get(name, "") for name in names}
    number = item.told.get("document_number", "")
    return {"code": item.code, "version": item.version, **chosen, "state": item.state, "document_number": number}


@app.command("show")
def show(
    item: Annotated[str, typer.Argument(help="The catalogue item, e.g. org-penalty.")],
    as_json: AsJson = False,
) -> None:
    """An item as it is in force: its legal basis, who is responsible, its fields, who reads it."""
    found = catalogue.one(Layout.from_environment(), item)
    if as_json:
        typer.echo(json.dumps(whole(found), ensure_ascii=False))
        return
    definition = found.definition
    typer.echo(
        f"{found.code} {found.version}  {definition['name_zh']}  {definition.get('name_en', '')}  ({found.state})"
    )
    for label, text in facts(found):
        typer.echo(f"  {label:<18}{text}")
    for field in definition["fields"]:
        typer.echo(f"  {field['code']:<18}{field['name_zh']}: {field_rule(field)}")


def whole(item: catalogue.Item) -> dict[str, Any]:
    """Everything the bus tells of an item."""
    names = ("document_number", "published_by", "published_at", "confirmed_by", "retired_at", "consumers", "schema_id")
    told: dict[str, Any] = {name: item.told.get(name) for name in names}
    for name in ("published_at", "retired_at"):
        moment = told[name]
        told[name] = moment.isoformat() if moment else None
    return {"state": item.state, **told, "definition": item.definition}


def facts(item: catalogue.Item) -> list[tuple[str, str]]:
    """What is said of the item as a whole, as label and text; nothing that its definition does not say."""
    d: Any = item.definition
    told: Any = item.told
    deadline = d["deadline"]
    lines = [
        ("class", zh("class", d["class"])),
        ("disclosure", zh("disclosure", d["disclosure"])),
        ("subjects", ", ".join(zh("subject_kinds", kind) for kind in d["subject_kinds"])),
        ("in force", " - ".join(filter(None, (d.get("in_force_from", ""), d.get("until", ""))))),
        *((f"{level}", " ".join(units)) for level, units in d.get("responsible", {}).items() if units),
        ("agencies", " ".join(d["agencies"])),
        ("frequency", zh("frequency", d.get("frequency", ""))),
        ("deadline", f"{deadline['days']} {zh('unit', deadline['unit'])}"),
        ("retention", d.get("retention", "")),
        ("display", " ".join(d["display"].values()) if d.get("display") else ""),
        ("sharing", " ".join(filter(None, (zh("sharing", d.get("sharing", "")), d.get("sharing_scope", ""))))),
        ("national", item.dataset),
        *(("legal basis", " ".join(basis.values())) for basis in d["legal_basis"]),
        *(("kept out", kept_out(rule)) for rule in d.get("not_collected", ())),
        ("published by", " ".join(filter(None, (told.get("document_number", ""), told.get("published_by", ""))))),
        ("confirmed by", " ".join(told.get("confirmed_by", ()))),
        *(("reader", f"{one['name']}: {' '.join(one['fields'])}") for one in told.get("consumers", ())),
    ]
    return [(label, text) for label, text in lines if text]


def field_rule(field: dict[str, Any]) -> str:
    """Type, length, whether it is needed, what it may be, how sensitive it is."""
    parts = [field["type"], f"<= {field['max_length']}" if "max_length" in field else "", field["required"]]
    parts += ["|".join(field.get("code_list", ())), field.get("format", "")]
    sensitivity = field.get("sensitivity", "none")
    parts.append("" if sensitivity == "none" else zh("sensitivity", sensitivity))
    return "; ".join(filter(None, parts))


@app.command("page")
def page(
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the page goes.")] = Path("catalogue.html"),
    as_json: AsJson = False,
) -> None:
    """Write the whole catalogue as one HTML page, Chinese and English, that needs nothing else."""
    from services.cli.catalogue_page import page_of

    items = sorted(catalogue.read(Layout.from_environment()).values())
    output.write_text(page_of(items), encoding="utf-8")
    told = {"file": str(output), "items": len(items)}
    typer.echo(json.dumps(told) if as_json else f"{output} written: {len(items)} items")


__all__ = ["SAID", "app"]
