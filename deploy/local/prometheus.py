"""The scrape configuration of one local stack; rules and alerts are those of deploy/prometheus."""

from __future__ import annotations

import json

from deploy.local.layout import REPO, SERVICES, Layout

HEAD = """\
global:
  scrape_interval: 2s
  evaluation_interval: 2s
rule_files: {rules}
scrape_configs:
  - job_name: creditbus
    static_configs:
"""
TARGET = """\
      - targets: {targets}
        labels: {{service: {service}}}
"""


def prepare(layout: Layout) -> None:
    """Write it; both workers of a service are listed once the second one has been asked for."""
    home = layout.var / "prometheus"
    home.mkdir(parents=True, exist_ok=True)
    rules = [str(REPO / "deploy" / "prometheus" / name) for name in ("recording.yml", "alerts.yml")]
    text = HEAD.format(rules=json.dumps(rules))
    for service in SERVICES:
        text += TARGET.format(targets=json.dumps([layout.address(f"{service}.http")]), service=service)
    (home / "prometheus.yml").write_text(text)
