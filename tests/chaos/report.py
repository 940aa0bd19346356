"""Results of chaos runs: `report.json`, and the table `deploy/FAULTS.md` made of it."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles
from typing import Any

from deploy.local.layout import REPO

BUSY = 5  # waiting processes per core above which a row says so: its times are those of a machine with other work
FAULTS = REPO / "deploy" / "FAULTS.md"
VERSIONS = "Apache Kafka 4.3.1, Apicurio Registry 3.3.3, PostgreSQL 18.4"


# The rows of the fault matrix that need a word even before anybody has written or run them.
MATRIX = {
    "F2": "SIGTERM in a batch", "F3": "a frozen worker wakes", "F4": "broker killed", "F5": "broker away for minutes",
    "F6": "database killed", "F7": "sessions ended", "F8": "no connection, no lock", "F9": "slow consumer",
    "F10": "rebalance storm", "F11": "events delivered five times", "F12": "later version first",
    "F13": "bytes that are no record", "F14": "incompatible producer", "F15": "disk full under PostgreSQL",
    "F16": "disk full under the broker", "F17": "clock shifted", "F18": "network cut",
    "F19a": "latency", "F19b": "a trickle", "F19c": "reset mid-frame", "F19d": "half-open", "F20": "all links clogged",
    "F21": "two owners publish at once", "F22": "national platform misbehaves", "F23": "two editions side by side",
    "F24": "migration killed", "F25": "store restored from a backup", "F26": "memory limited",
    "F27": "a person erased during F1", "F28": "key file gone",
    "BACKLOG": "200,000 submissions that waited for the services",
}  # fmt: skip


@dataclass
class Result:
    """What a run of one fault (or one service × crash point) found."""

    id: str
    title: str
    how: str
    invariants: str
    budget: float | None
    seeds: list[int] = field(default_factory=list[int])
    recovery: list[float] = field(default_factory=list[float])
    verdict: str = "holds"  # or: does not hold, not run
    reason: str = ""
    note: str = ""
    accounted: int = 0  # submissions the verifier had accounted for when it looked
    at: str = ""
    load: float = 0.0  # the machine's load average of a minute when it ended, the runner's own share included
    revision: str = ""  # of the code it ran on; a `+` says that the tree held changes


def now() -> str:
    """The moment of a result, to the minute, UTC."""
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M")  # noqa: TID251 - a report says when it was made


def revision() -> str:
    """The commit that is checked out, with a `+` if what runs is not quite it."""

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=REPO, capture_output=True, text=True, check=False).stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!deploy/*.md")
    return git("rev-parse", "--short", "HEAD") + ("+" if changed else "")


def merge(path: Path, results: Sequence[Result], others: Sequence[Path] = ()) -> dict[str, Any]:
    """Add results and the rows of `others` to those of earlier runs; one row stands for each thing (`_replaces`)."""
    rows = [
        row for file in (path, *others) if file.exists() for row in json.loads(file.read_text())["results"].values()
    ]
    rows += [asdict(result) for result in results]
    known: dict[str, Any] = {}
    for row in rows:
        if row["id"] not in known or _replaces(row, known[row["id"]]):
            known[row["id"]] = row
    report = {"made_at": now(), "python": platform.python_version(), "versions": VERSIONS, "results": known}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, ensure_ascii=False, indent=1))
    return report


def _replaces(row: Mapping[str, Any], known: Mapping[str, Any]) -> bool:
    """The newer of two runs stands; but what did not hold on a revision does not come to hold by being run again.

    A revision with a `+` may be another one each time.
    """
    missed, known_missed = (r["verdict"] == "does not hold" for r in (row, known))
    if missed != known_missed and _revision(row) == _revision(known) and not _revision(row).endswith(("+", "?")):
        return missed
    return bool(row["at"] >= known["at"])


def percentiles(seconds: Sequence[float]) -> tuple[float, float, float]:
    """p50, p95, max."""
    if len(seconds) < 2:
        only = seconds[0] if seconds else 0.0
        return only, only, only
    cuts = quantiles(seconds, n=20, method="inclusive")
    return cuts[9], cuts[18], max(seconds)


def write_table(report: Mapping[str, Any]) -> None:
    """`deploy/FAULTS.md`."""
    results: list[dict[str, Any]] = list(report["results"].values())
    kills = [r for r in results if r["id"].startswith("F1 ")]
    faults = sorted((r for r in results if not r["id"].startswith("F1 ")), key=lambda r: _order(r["id"]))
    held = sum(r["verdict"] == "holds" for r in faults)
    lines = [
        "# Faults",
        "",
        "Made by `make chaos`; do not edit. Every row is a run on the real broker, registry, databases and services of "
        "the local stack; afterwards `tests/chaos/verify.py`, which shares no code with the services, accounts for "
        "every submission since the stack was made. Recovery: seconds from heal (for a kill: from death) until "
        "`/readyz` is green and what waited a second ago is read, with 200 submissions a second going on, unless "
        "the row says otherwise.",
        "",
        f"{report['made_at']} UTC, {_revisions(results)}, Python {report['python']}, {report['versions']}.",
        f"{held} of {len(faults)} faults hold; {sum(len(r['recovery']) for r in kills)} kills.",
        "",
        "| fault | how injected | must hold | seeds | recovery p50 / p95 / max (budget), s | result | revision |",
        "|---|---|---|---|---|---|---|",
        *(_row(r) for r in faults),
        "",
        f"Not run: {_not_run(r['id'] for r in faults)}.",
        "",
        "## F1: kills by service and crash point",
        "",
        "CP1 fetched · CP2 decoded · CP3 transaction open · CP4 rows written, before COMMIT · CP5 after COMMIT, before "
        "the first publish · CP6 half of the outbox blob published · CP7 all published, before `published` moves · CP8 "
        "inside a rebalance · CP9 inside a migration (of an empty database of its own) · CP10 between reading the lane "
        "row and the seek. `CREDIT_CRASH_AT` at a pass chosen by the seed, SIGKILL, started again by the supervisor.",
        "",
        "| service | crash point | kills | seeds | recovery p50 / p95 / max (budget 15), s | result | revision |",
        "|---|---|---|---|---|---|---|",
        *(_kill_row(r) for r in kills),
        *_all_kills(kills),
    ]
    FAULTS.write_text("\n".join(lines) + "\n")


def _revisions(rows: Iterable[Mapping[str, Any]]) -> str:
    found = sorted({_revision(row) for row in rows})
    return f"revision {found[0]}" if len(found) == 1 else f"revisions {', '.join(found)} (each row names its own)"


def _revision(row: Mapping[str, Any]) -> str:
    return str(row.get("revision") or "?")


def _not_run(ran: Iterable[str]) -> str:
    known = set(ran)
    return "; ".join(f"{name} {what}" for name, what in MATRIX.items() if name not in known) or "none of the matrix"


def _order(name: str) -> tuple[int, str]:
    digits = "".join(c for c in name if c.isdigit())
    return int(digits or 99), name


def _row(r: Mapping[str, Any]) -> str:
    budget = f" ({r['budget']:.0f})" if r["budget"] else ""
    time = _times(r["recovery"]) + budget if r["recovery"] else f"–{budget}"
    seeds = ", ".join(map(str, r["seeds"]))
    told = (f"**{r['id']}** {r['title']}", r["how"], r["invariants"], seeds, time, _verdict(r), _revision(r))
    return f"| {' | '.join(told)} |"


def _kill_row(r: Mapping[str, Any]) -> str:
    _, service, point = r["id"].split(" ")
    seeds = ", ".join(map(str, r["seeds"]))
    times, verdict = _times(r["recovery"]), _verdict(r)
    return f"| {service} | {point} | {len(r['recovery'])} | {seeds} | {times} | {verdict} | {_revision(r)} |"


def _all_kills(kills: Sequence[Mapping[str, Any]]) -> list[str]:
    every = [s for r in kills for s in r["recovery"]]
    held = all(r["verdict"] == "holds" for r in kills)
    total = f"| **all** | | {len(every)} | | {_times(every)} | {'holds' if held else '**does not hold**'} | |"
    return [total] if every else []


def _times(seconds: Sequence[float]) -> str:
    return " / ".join(f"{s:.1f}" for s in percentiles(seconds))


def _verdict(r: Mapping[str, Any]) -> str:
    said = "holds" if r["verdict"] == "holds" else f"**{r['verdict']}**"
    busy = f"load {r['load']:.0f} on {os.cpu_count()} cores" if r.get("load", 0) > BUSY * (os.cpu_count() or 1) else ""
    more = "; ".join(text for text in (r["reason"], r["note"], busy) if text)
    return f"{said}{': ' + more if more else ''}".replace("|", "\\|").replace("\n", " ")
