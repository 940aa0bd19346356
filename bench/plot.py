"""An own small SVG: horizontal bars with their spread. Enough for one figure, so no library for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT, ROW, TOP = 900, 190, 130, 28, 56
OURS, THEIRS, LIMIT = "#1f6fb4", "#9aa5b1", "#d9a441"
Bar = tuple[str, Mapping[str, float], str]


def chart(report: Mapping[str, Any]) -> str:
    """Records/s of every contestant: bar to the median, line from least to most."""
    bars: list[Bar] = [(name, s, _colour(name)) for name, s in report["records_per_s"].items()]
    c = report["conditions"]
    quick = ", QUICK" if report["quick"] else ""
    title = f"records/s, median and spread of {c['rounds']} round(s), {c['cores']} cores{quick}"
    return _svg(title, bars)


def _colour(name: str) -> str:
    return OURS if name.startswith(("ingestion", "end_to_end")) else LIMIT if name.startswith("copy") else THEIRS


def _svg(title: str, bars: Sequence[Bar]) -> str:
    height, most = TOP + ROW * len(bars) + 20, max(s["max"] for _, s, _ in bars)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="sans-serif">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        f'<text x="16" y="28" font-size="17">{escape(title)}</text>',
        *(line for n, bar in enumerate(bars) for line in _row(TOP + ROW * n, bar, (WIDTH - LEFT - RIGHT) / most)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _row(y: int, bar: Bar, scale: float) -> list[str]:
    name, s, colour = bar
    middle, low, high = y + 9, LEFT + s["min"] * scale, LEFT + s["max"] * scale
    return [
        f'<text x="{LEFT - 8}" y="{y + 14}" text-anchor="end">{escape(name)}</text>',
        f'<rect x="{LEFT}" y="{y}" width="{s["median"] * scale:.1f}" height="18" fill="{colour}"/>',
        f'<line x1="{low:.1f}" y1="{middle}" x2="{high:.1f}" y2="{middle}" stroke="black" stroke-width="1.5"/>',
        f'<text x="{high + 8:.1f}" y="{y + 14}">{s["median"]:,.0f}</text>',
    ]
