"""The run as tables for people and as JSON for programs; both are made of the same dictionary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from services.cli.catalogue import Item
from services.cli.demo.reconciliation import Equation, disclosed, national_records
from services.cli.demo.seen import GOVERNMENT, PUBLIC, Receipt, Seen

PERCENTILES = (50, 99)


def report(
    published: int, seen: Seen, items: Mapping[str, Item], found: Sequence[Equation], extra: Mapping[str, Any]
) -> dict[str, Any]:
    """Everything that was counted; `ok` only if nothing is unexplained."""
    receipts = [receipt for each in seen.receipts.values() for receipt in each]
    unexplained = sum(equation.unexplained for equation in found)
    wanted = national_records(seen, items)
    return {
        "ok": unexplained == 0,
        "submitted": published,
        "receipts": dict(sorted(Counter(r.outcome for r in receipts).items())),
        "receipts_by_agency": _by_agency(receipts),
        "refused_by_code": _by_code(receipts, "REFUSED"),
        "noted_by_code": _by_code(receipts, "ACCEPTED"),
        "example": _example(receipts),
        "linked": len(seen.linked),
        "subjects": len({one.subject_id for one in seen.linked.values()}),
        "subjects_new_or_changed": len(seen.subjects),
        "disclosed": {"public": len(disclosed(seen, PUBLIC)), "government": len(disclosed(seen, GOVERNMENT))},
        "tasks": dict(sorted(Counter(task.change for task in seen.tasks.values()).items())),
        "national": dict(sorted(Counter(seen.exchanges[i].state for i in wanted if i in seen.exchanges).items())),
        "latency_ms": _latency(seen),
        "unexplained": unexplained,
        "equations": [
            {"what": e.what, "left": e.left, "right": dict(e.right), "unexplained": e.unexplained} for e in found
        ],
        **extra,
    }


def _by_agency(receipts: Iterable[Receipt]) -> dict[str, dict[str, int]]:
    counted: dict[str, Counter[str]] = {}
    for receipt in receipts:
        counted.setdefault(receipt.agency, Counter())[receipt.outcome] += 1
    return {agency: dict(sorted(counts.items())) for agency, counts in sorted(counted.items())}


def _by_code(receipts: Iterable[Receipt], outcome: str) -> dict[str, int]:
    counted = Counter(code for r in receipts if r.outcome == outcome for code in r.codes)
    return dict(counted.most_common())


def _example(receipts: Iterable[Receipt]) -> dict[str, str]:
    """One refusal as its sender reads it."""
    told = (r.faults[0] for r in receipts if r.outcome == "REFUSED" and r.faults and r.item)
    return next((fault for fault in told if fault["example"]), dict[str, str]())


def _latency(seen: Seen) -> dict[str, float]:
    """From the broker's time of the submission to the receipt, and to the change on the public feed."""
    answered = [r.answered_ms - r.received_ms for each in seen.receipts.values() for r in each]
    received = {r.record_id: r.received_ms for each in seen.receipts.values() for r in each if r.outcome == "ACCEPTED"}
    shown = [
        c.at_ms - received[i] for (i, version), c in seen.changes[PUBLIC].items() if version == 1 and i in received
    ]
    values = {f"receipt_p{p}": percentile(answered, p) for p in PERCENTILES}
    return {**{f"p{p}": percentile(shown, p) for p in PERCENTILES}, **values}


def percentile(values: Sequence[float], p: int) -> float:
    """The smallest value that p percent of the values do not exceed; 0 of nothing."""
    ordered = sorted(values)
    return float(ordered[max(0, -(-len(ordered) * p // 100) - 1)]) if ordered else 0.0


def show(found: Mapping[str, Any], console: Console) -> None:
    """Tables."""
    outcomes = ("ACCEPTED", "DUPLICATE", "REFUSED")
    rows = [
        [agency, *(str(counts.get(o, 0)) for o in outcomes)] for agency, counts in found["receipts_by_agency"].items()
    ]
    sums = ["all", *(str(found["receipts"].get(o, 0)) for o in outcomes)]
    console.print(_table("receipts", ["agency", *outcomes], [*rows, sums]))
    refused = [[code, str(count)] for code, count in found["refused_by_code"].items()]
    console.print(_table("refused, by code", ["code", "receipts"], refused))
    if found["example"]:
        fault = found["example"]
        console.print(f"for example: {fault['code']} {fault['field']}: {fault['message_zh']} / {fault['message_en']}")
        console.print(f"             rule: {fault['rule']} ({fault['clause']}); right would be: {fault['example']}\n")
    console.print(_table("what became of it", ["what", "count"], list(_sums(found))))
    console.print(_table("reconciliation", ["what", "left", "right", "unexplained"], list(_lines(found))))
    verdict = "everything is explained" if found["ok"] else f"{found['unexplained']} UNEXPLAINED"
    console.print(f"{found['submitted']:,} submissions in {found['seconds']:.0f} s: {verdict}")


def _sums(found: Mapping[str, Any]) -> Iterable[list[str]]:
    yield ["record versions linked", f"{found['linked']:,}"]
    yield ["subjects they are about", f"{found['subjects']:,}"]
    for name in ("disclosed", "tasks", "national"):
        yield from ([f"{name}: {key.lower()}", f"{value:,}"] for key, value in found[name].items())
    for name, value in found["latency_ms"].items():
        to = "receipt" if name.startswith("receipt") else "change on the public feed"
        yield [f"submission to {to}, {name.removeprefix('receipt_')}", f"{value:,.0f} ms"]


def _lines(found: Mapping[str, Any]) -> Iterable[list[str]]:
    for line in found["equations"]:
        right = " + ".join(f"{name} {count:,}" for name, count in line["right"].items())
        yield [line["what"], f"{line['left']:,}", right, str(line["unexplained"])]


def _table(title: str, names: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    table = Table(title=title, title_justify="left")
    for name in names:
        table.add_column(name, justify="left" if name in ("agency", "code", "what", "right") else "right")
    for row in rows:
        table.add_row(*row)
    return table
