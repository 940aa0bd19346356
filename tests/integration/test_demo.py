"""The main job: every equation of a run holds, whoever is killed meanwhile; the dashboard shows it."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from typing import Any

import pytest

from deploy.local.layout import REPO
from tests.support.stack import Stack, eventually

# What must be the same in every run of the same seed, whatever is killed while it lasts.
TOTALS = ("submitted", "receipts", "refused_by_code", "linked", "subjects", "disclosed", "tasks")
BOARD = json.loads((REPO / "deploy" / "grafana" / "road.json").read_text(encoding="utf-8"))
QUERIES = [target["expr"] for panel in BOARD["panels"] for target in panel.get("targets", [])]


def demo(stack: Stack, *words: str) -> dict[str, Any]:
    """The report of one run."""
    return json.loads(stack.credit("demo", "--json", "--keep", "--count", "500", *words).stdout)


@pytest.fixture(scope="module")
def quiet_run(stack: Stack) -> dict[str, Any]:
    """A run in which nothing is killed."""
    return demo(stack)


def test_a_run_explains_every_submission(quiet_run: dict[str, Any]) -> None:
    assert quiet_run["ok"], quiet_run["equations"]
    assert quiet_run["unexplained"] == 0
    assert sum(quiet_run["receipts"].values()) == quiet_run["submitted"]
    assert all(quiet_run["receipts"][outcome] > 0 for outcome in ("ACCEPTED", "DUPLICATE", "REFUSED"))
    assert quiet_run["tasks"]["CLOSED"] > 0
    assert quiet_run["tasks"]["LIFTED"] > 0
    assert quiet_run["national"]["ACKNOWLEDGED"] > 0
    assert len(quiet_run["refused_by_code"]) >= 8


@pytest.mark.parametrize("query", QUERIES)
def test_the_dashboard_has_something_to_show(stack: Stack, quiet_run: dict[str, Any], query: str) -> None:
    url = f"http://{stack.layout.address('prometheus')}/api/v1/query?{urllib.parse.urlencode({'query': query})}"

    def found() -> list[Any]:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]["result"]

    assert eventually(found, query, 30)


def test_killing_each_service_once_changes_no_total(stack: Stack, quiet_run: dict[str, Any]) -> None:
    killed = demo(stack, "--kill")
    assert killed["killed"] == ["ingestion", "identity", "disclosure", "sanctions", "national_sync"]
    assert killed["ok"], killed["equations"]
    assert {name: killed[name] for name in TOTALS} == {name: quiet_run[name] for name in TOTALS}
