"""The table of faults is made of the rows of several runs, and each row says which code it ran on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.chaos import report
from tests.chaos.report import Result


def result(name: str, at: str, verdict: str = "holds", revision: str = "aaaaaaa") -> Result:
    return Result(name, "title", "how", "I1", 10, [7], [1.0], verdict=verdict, at=at, revision=revision)


def verdicts(made: dict[str, Any]) -> dict[str, str]:
    return {name: row["verdict"] for name, row in made["results"].items()}


def test_the_newer_of_two_runs_stands_wherever_it_was_written(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours.json", tmp_path / "theirs.json"
    report.merge(theirs, [result("F9", "2026-01-02 10:00"), result("F6", "2026-01-02 10:00", "does not hold")])
    report.merge(
        ours, [result("F6", "2026-01-02 11:00", revision="b"), result("F4", "2026-01-02 09:00", "does not hold")]
    )
    made = report.merge(ours, [result("F4", "2026-01-02 12:00", revision="b")], [theirs])
    assert verdicts(made) == {"F9": "holds", "F6": "holds", "F4": "holds"}
    assert json.loads(ours.read_text())["results"] == made["results"]
    report.merge(theirs, [result("F4", "2026-01-02 13:00", "does not hold")])
    assert verdicts(report.merge(ours, [], [theirs]))["F4"] == "does not hold"


@pytest.mark.parametrize(("revision", "stands"), [("aaaaaaa", "does not hold"), ("aaaaaaa+", "holds")])
def test_what_did_not_hold_on_a_revision_does_not_come_to_hold_by_being_run_again(
    tmp_path: Path, revision: str, stands: str
) -> None:
    missed = result("F19d", "2026-01-02 10:00", "does not hold", revision)
    again = result("F19d", "2026-01-02 11:00", "holds", revision)
    for number, rows in enumerate([(missed, again), (again, missed)]):
        assert verdicts(report.merge(tmp_path / f"{number}.json", rows)) == {"F19d": stands}


def test_each_row_names_its_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "FAULTS", tmp_path / "FAULTS.md")
    rows = [result("F9", "1"), result("F10", "1", revision="bbbbbbb+"), result("F1 identity cp3", "1")]
    report.write_table(report.merge(tmp_path / "report.json", rows))
    text = report.FAULTS.read_text()
    assert "revisions aaaaaaa, bbbbbbb+ (each row names its own)" in text
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    assert [line.split(" | ")[-1] for line in lines if "F9" in line or "F10" in line] == ["aaaaaaa |", "bbbbbbb+ |"]
    assert any(line.startswith("| identity | cp3 | 1 |") and line.endswith("| aaaaaaa |") for line in lines)
    assert "F9" not in text.split("Not run:")[1].splitlines()[0]
