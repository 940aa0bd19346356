"""The published list of faults as a page for people: Markdown or one HTML file; both of the same parts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from html import escape

Row = Mapping[str, str]

TITLE = "错误目录 Faults"
INTRODUCTION = (
    "回执逐项说明每一处错误：代码、字段、规则、目录条款、收到内容的形式、正确示例，中英文对照。<>内的内容因字段而异。",
    "A receipt states every fault with its code, field, rule, clause of the catalogue, the form of what was received, "
    "and a right example, in both languages. What stands in <> depends "
    "on the field. This page is made from the code by `credit errors page`.",
)
SECTIONS = {
    "submission": "报送被拒绝 A submission is refused",
    "note": "已受理，附提示 Accepted, with a note",
    "command": "管理命令被拒绝 An operator's command is refused",
}
COLUMNS = {
    "code": "代码 code",
    "rule": "规则 rule",
    "clause": "依据 clause",
    "message_zh": "说明",
    "message_en": "explanation",
    "example": "正确示例 right example",
}
NOTATION = {
    "absent": "未填 there was no value",
    "length=18": "字符数 characters",
    "shape=9{8}AA9字": "各字符的类别：9数字，A、a字母，字汉字，９、Ａ全角，␣空白，␀控制字符，?其他；{8}为连续个数 "
    "the kind of each character: 9 digit, A a letter, 字 Chinese, ９ Ａ full width, ␣ blank, ␀ control, ? other; "
    "{8} so many in a row",
    "at=18": "自1起第几位出错或开始不同 the place, from 1, that is wrong or where two values part",
    "other_length=18": "应当一致的另一值的字符数 characters of the value it should equal",
    "part=2": "多值字段的第几个值 which of several values",
    "digits=-5 side=below": "数字位数，低于或高于范围 digits of a number, below or above its range",
    "side=before by=week": "日期早于或晚于界限：一周内、一年内、更久 "
    "a date before or after its bound: by a week, a year, more at most",
    "bytes=57 frame=missing": "报文字节数；缺少Confluent报文头 bytes of the message; without the Confluent frame",
    "action=report standing_version=2": "所报操作与现行版本号 "
    "what was asked for, and the version that stands (0: none)",
}
UNTOLD = (
    "收到的内容只描述形式，绝不复述：它可能是个人号码。 "
    "What was received is described by its form and never repeated: it may be a person's number."
)


def markdown(rows: Iterable[Row]) -> str:
    """The page as Markdown."""
    parts = [f"# {TITLE}", *(text.replace("<>", "&lt;&gt;") for text in INTRODUCTION)]
    for about, title in SECTIONS.items():
        parts += [
            f"## {title}",
            _table(list(COLUMNS.values()), ([row[c] for c in COLUMNS] for row in _of(rows, about))),
        ]
    parts += ["## 收到内容的写法 How `received` is written", UNTOLD, _table(["received", "含义 meaning"], _notation())]
    return "\n\n".join(parts) + "\n"


def _of(rows: Iterable[Row], about: str) -> list[Row]:
    return [row for row in rows if row["about"] == about]


def _notation() -> list[list[str]]:
    return [[f"`{words}`", meaning] for words, meaning in NOTATION.items()]


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *([cell.replace("|", "\\|").replace("<", "&lt;") for cell in r] for r in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def html(rows: Iterable[Row]) -> str:
    """The page as one HTML file that needs no other; every code is an anchor."""
    parts = [f"<h1>{TITLE}</h1>", *(f"<p>{escape(text)}</p>" for text in INTRODUCTION)]
    for about, title in SECTIONS.items():
        body = [f'<tr id="{row["code"]}">{_cells(row[c] for c in COLUMNS)}</tr>' for row in _of(rows, about)]
        parts += [f"<h2>{escape(title)}</h2>", _html_table(COLUMNS.values(), body)]
    notation = [f"<tr>{_cells([words.strip('`'), meaning])}</tr>" for words, meaning in _notation()]
    parts += ["<h2>收到内容的写法 How received is written</h2>", f"<p>{escape(UNTOLD)}</p>"]
    parts.append(_html_table(["received", "含义 meaning"], notation))
    return HTML.format(title=TITLE, body="\n".join(parts))


def _html_table(head: Iterable[str], rows: Iterable[str]) -> str:
    titles = "".join(f'<th scope="col">{escape(title)}</th>' for title in head)
    return f"<table><thead><tr>{titles}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _cells(texts: Iterable[str]) -> str:
    return "".join(f"<td>{escape(text)}</td>" for text in texts)


HTML = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 80rem; padding: 0 1rem; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ border-bottom: 1px solid #999; padding: .4rem .6rem; text-align: left; vertical-align: top; }}
td:first-child {{ font-family: ui-monospace, monospace; overflow-wrap: anywhere; }}
tr:target {{ background: #fff3c4; }}
</style></head><body>
{body}
</body></html>
"""
RENDERED: Mapping[str, Callable[[list[Row]], str]] = {".html": html, ".md": markdown}
