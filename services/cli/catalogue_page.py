"""The whole catalogue as one HTML page, Chinese and English; it needs no other file and no network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import groupby
from typing import Any

from services.cli.catalogue import Item
from services.cli.catalogue_words import SAID, both, kept_out

STYLE = """
body { font: 15px/1.5 sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a }
h1 { font-size: 1.6rem } h2 { margin-top: 3rem; border-bottom: 2px solid #355 } h3 { margin: 2.4rem 0 .4rem }
table { border-collapse: collapse; width: 100%; margin: .6rem 0 }
th, td { border: 1px solid #bbb; padding: .2rem .5rem; text-align: left; vertical-align: top }
th { background: #eef3f3 } .facts th { width: 16rem } code { white-space: nowrap } .closed { color: #8a4b00 }
@media print { h3 { break-after: avoid } table { break-inside: auto } }
"""
FIELD_HEAD = ("编码 code", "名称 name", "类型 type", "必填 needed", "代码表 code list", "披露 disclosure")
CATEGORIES = list(SAID["category"])


def page_of(items: Sequence[Item]) -> str:
    """The page; items are grouped by category, in the order of the code within each."""
    ordered = sorted(items, key=lambda item: (CATEGORIES.index(_category(item)), item.code))
    groups = [(name, list(group)) for name, group in groupby(ordered, key=_category)]
    body = [_head(ordered), _index(groups)]
    for name, group in groups:
        body.append(f"<h2>{escape(both('category', name))}</h2>")
        body += map(_item, group)
    title = "湖北省公共信用信息目录 Catalogue of public credit information"
    return (
        f'<!doctype html>\n<html lang="zh">\n<head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{STYLE}</style></head>\n<body>\n<h1>{title}</h1>\n{''.join(body)}</body>\n</html>\n"
    )


def _category(item: Item) -> str:
    found = str(item.definition.get("category", ""))
    return found if found in SAID["category"] else ""


def _head(items: Sequence[Item]) -> str:
    counted = ((both("state", state), sum(item.state == state for item in items)) for state in SAID["state"])
    states = "; ".join(f"{name}: {number}" for name, number in counted if number)
    return (
        f"<p>{len(items)} 个事项 items. {escape(states)}.</p>"
        "<p>法律依据后标明核实程度。After each legal basis it is said how far its text was verified.</p>\n"
    )


def _index(groups: Iterable[tuple[str, Sequence[Item]]]) -> str:
    lines = [
        f"<li>{escape(both('category', name))}: "
        + ", ".join(f'<a href="#{escape(i.code)}">{escape(str(i.definition["name_zh"]))}</a>' for i in group)
        for name, group in groups
    ]
    return f"<ul>\n{''.join(lines)}</ul>\n"


def _item(item: Item) -> str:
    d = item.definition
    facts = "".join(f"<tr><th>{escape(label)}</th><td>{text}</td></tr>\n" for label, text in _facts(item) if text)
    rows = "".join(map(_field, d["fields"]))
    head = "".join(f"<th>{escape(name)}</th>" for name in FIELD_HEAD)
    return (
        f'<h3 id="{escape(item.code)}">{escape(str(d["name_zh"]))} {escape(str(d.get("name_en", "")))} '
        f"<code>{escape(item.code)}</code></h3>\n"
        f'<table class="facts">{facts}</table>\n<table><tr>{head}</tr>\n{rows}</table>\n'
    )


def _facts(item: Item) -> list[tuple[str, str]]:
    """Label and HTML of what is said of the item as a whole."""
    d, told, deadline = item.definition, item.told, item.definition["deadline"]
    plain = {
        "版本 edition": str(item.version),
        "状态 state": both("state", item.state),
        "有效期 in force": " – ".join(filter(None, (d.get("in_force_from", ""), d.get("until", "")))),
        "信息性质 class": both("class", d["class"]),
        "主体 subjects": "; ".join(both("subject_kinds", kind) for kind in d["subject_kinds"]),
        "披露方式 disclosure": both("disclosure", d["disclosure"]),
        "共享 sharing": f"{both('sharing', d['sharing'])}; {d['sharing_scope']}" if "sharing" in d else "",
        "归集频率 frequency": both("frequency", d["frequency"]) if "frequency" in d else "",
        "归集时限 deadline": f"{deadline['days']} {both('unit', deadline['unit'])}",
        "保存期限 retention": str(d.get("retention", "")),
        "公示期限 display": " ".join(d.get("display", {}).values()),
        "国家数据集 national data set": item.dataset,
        "发布文号 published by": str(told.get("document_number", "")),
        "盖章确认 confirmed by": ", ".join(told.get("confirmed_by", ())),
        "使用单位 readers": ", ".join(one["name"] for one in told.get("consumers", ())),
    }
    listed = {
        "责任单位 responsible": _responsible(d),
        "法律依据 legal basis": _basis(d["legal_basis"]),
        "不予归集 not collected": "<br>".join(escape(kept_out(rule)) for rule in d.get("not_collected", ())),
    }
    return [(label, escape(text)) for label, text in plain.items()] + list(listed.items())


def _responsible(definition: Mapping[str, Any]) -> str:
    by_level = definition.get("responsible") or {"": definition["agencies"]}
    lines = [
        f"{escape(both('level', level))} <code>{escape(' '.join(units))}</code>"
        for level, units in by_level.items()
        if units
    ]
    return "<br>".join(lines)


def _basis(entries: Iterable[Mapping[str, str]]) -> str:
    return "<br>".join(
        escape(f"{e['document']} {e['article']}（{both('verification', e['verification'])}）") for e in entries
    )


def _field(field: Mapping[str, Any]) -> str:
    limit = f" ≤ {field['max_length']}" if "max_length" in field else ""
    condition = str(field["required"]).removeprefix("conditional:")
    needed = both("required", field["required"]) if field["required"] == condition else f"当 when {condition}"
    cells = (
        field["code"],
        f"{field['name_zh']} {field['name_en']}",
        f"{field['type']}{limit} {field.get('format', '')}",
        needed,
        "、".join(field.get("code_list", ())),
        both("sensitivity", field.get("sensitivity", "none")),
    )
    return "<tr>" + "".join(f"<td>{escape(str(cell).strip())}</td>" for cell in cells) + "</tr>\n"
