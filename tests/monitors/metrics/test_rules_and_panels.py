"""The alert rules, the panels, the runbook and the documentation speak of metrics that there are."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from tests.monitors.metrics.test_traffic import story, watched

from edgewise.domain.decisions import OutcomeStatus
from edgewise.monitors.metrics import HELP

ROOT = Path(__file__).parents[3]
RULES = ROOT / "deploy" / "prometheus.rules.yml"
BOARD = ROOT / "deploy" / "grafana.json"
GROUPS: list[dict[str, Any]] = yaml.safe_load(RULES.read_text())["groups"]
ALERTS: list[dict[str, Any]] = [rule for group in GROUPS for rule in group["rules"]]
PANELS = [panel for panel in json.loads(BOARD.read_text())["panels"] if panel["type"] != "row"]
# What the gateway adds to the traffic, with its labels.
AROUND = {
    "edgewise_info": {"version"},
    "edgewise_alert": {"alert"},
    "edgewise_signal": {"signal", "candidate", "unit"},
}
EVERYWHERE = {"instance", "job", "le"}
VALUES = {
    "outcome": set(get_args(OutcomeStatus)),
    "location": {"edge", "cloud", "none"},
    "state": {"billed", "estimated"},
}


def labels() -> dict[str, set[str]]:
    told = {name: AROUND.get(name, set()) for name in HELP}
    for family in watched(story()).families():
        told[family.name] = {label for sample in family.samples for label in sample.labels}
    return told


def expressions() -> list[str]:
    return [a["expr"] for a in ALERTS] + [t["expr"] for panel in PANELS for t in panel["targets"]]


def spoken_of(expression: str) -> set[str]:
    found = set(
        re.findall(r"\b(?:edgewise|process)_[a-z_]+", re.sub(r"label_values\(|\"[^\"]*\"", "", expression))
    )
    return {name if name in HELP else re.sub(r"_(bucket|sum|count)$", "", name) for name in found}


@pytest.mark.parametrize("expression", expressions())
def test_each_metric_and_each_label_exists(expression: str) -> None:
    known = labels()
    names = spoken_of(expression)
    assert names <= set(HELP)
    assert names or expression.startswith("up{")
    for histogram in re.findall(r"\b(edgewise_\w+?)_(?:bucket|sum|count)\b", expression):
        assert HELP[histogram][0] == "histogram"
    for name, matchers in re.findall(r"\b(edgewise_\w+)\{([^}]*)\}", expression):
        own = known[name] if name in known else known[re.sub(r"_(bucket|sum|count)$", "", name)]
        for label, how, said in re.findall(r'(\w+)(=~|!=|=)"([^"]*)"', matchers):
            assert label in own | EVERYWHERE
            if label in VALUES and how:
                assert set(said.split("|")) <= VALUES[label]
    grouped = {w.strip() for by in re.findall(r"by \(([^)]*)\)", expression) for w in by.split(",")}
    assert grouped <= EVERYWHERE.union(*(known[name] for name in names)) if names else not grouped


@pytest.mark.parametrize("expression", expressions())
def test_each_expression_is_promql(expression: str) -> None:
    parser = pytest.importorskip("promql_parser", reason="promql-parser is not installed")
    parser.parse(expression.replace("$__rate_interval", "5m"))


def test_rates_are_taken_of_what_only_grows() -> None:
    for expression in expressions():
        for name in re.findall(r"(?:rate|increase)\((\w+)", expression):
            kind = HELP.get(name, HELP.get(re.sub(r"_(bucket|sum|count)$", "", name), ("gauge",)))[0]
            assert kind in ("counter", "histogram"), expression


def test_every_metric_is_on_a_panel() -> None:
    shown = {name for panel in PANELS for target in panel["targets"] for name in spoken_of(target["expr"])}
    assert shown == set(HELP)


def test_panels_have_a_unit_and_a_place_of_their_own() -> None:
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in PANELS]
    assert len(set(places)) == len(places)
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in PANELS)
    assert all(panel["fieldConfig"]["defaults"]["unit"] for panel in PANELS)


def test_each_alert_has_its_section_in_the_runbook_and_no_section_is_without_one() -> None:
    text = (ROOT / "docs" / "runbook.md").read_text()
    assert re.findall(r"^## (\w+)$", text, re.MULTILINE) == [alert["alert"] for alert in ALERTS]
    for alert in ALERTS:
        assert alert["annotations"]["runbook"] == f"docs/runbook.md#{alert['alert'].lower()}"
        assert alert["labels"]["severity"] in ("page", "ticket")
        assert alert["annotations"]["summary"].endswith(".")
    panels = {panel["title"] for panel in PANELS}
    for named in re.findall(r"(?<!\*)\*([A-Z][^*]+)\*(?!\*)", text):
        assert any(title.startswith(named) for title in panels), named


def test_the_documentation_lists_every_metric() -> None:
    text = (ROOT / "docs" / "monitoring.md").read_text()
    rows = {
        name: (kind, said)
        for name, kind, _, said in re.findall(
            r"^\| `(\w+)` \| (\w+) \| (.+?) \| (.+) \|$", text, re.MULTILINE
        )
    }
    assert {name: rows.get(name) for name in HELP} == HELP


@pytest.mark.slow
def test_the_alerts_come_and_stay_away_as_prometheus_sees_it() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian: apt install prometheus)")
    command = [promtool, "test", "rules", str(Path(__file__).with_name("rules_test.yml"))]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
