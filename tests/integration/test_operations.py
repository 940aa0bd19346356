"""What operators are given holds together: alerts, runbooks, the compose file."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from deploy.local.layout import REPO, SERVICES

PROMETHEUS = REPO / "deploy" / "prometheus"
ALERTS = re.findall(r"alert: (\w+)", (PROMETHEUS / "alerts.yml").read_text(encoding="utf-8"))


def run(*command: str, folder: Path = REPO) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_alerts_fire_when_and_only_when_they_should() -> None:
    run("promtool", "test", "rules", "alerts_test.yml", folder=PROMETHEUS)


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_has_a_case_and_a_runbook(alert: str) -> None:
    text = (PROMETHEUS / "alerts.yml").read_text(encoding="utf-8")
    runbook = re.search(rf"alert: {alert}\n(?:.*\n)*?\s+runbook: \S*?(deploy/runbooks/\S+\.md)", text)
    assert runbook is not None
    assert len((REPO / runbook[1]).read_text(encoding="utf-8").splitlines()) >= 10
    assert f"alertname: {alert}\n" in (PROMETHEUS / "alerts_test.yml").read_text(encoding="utf-8")


def test_the_compose_file_is_one() -> None:
    run("docker-compose", "config", "-q")


def test_the_compose_file_describes_every_part() -> None:
    described = run("docker-compose", "config", "--services").replace("_", "-").split()
    parts = {"postgres", "kafka", "registry", "prometheus", "national"}
    assert parts | {name.replace("_", "-") for name in SERVICES} <= set(described)
