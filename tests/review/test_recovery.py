"""Recovery and connections in every report: computed from the stack files, beside what is promised."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from review.cli import main
from tests.review.report_schema import schema_errors

ROOT = Path(__file__).parents[2]


def _preview(stack: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, Any], str]:
    monkeypatch.chdir(ROOT)
    found, page = folder / "report.json", folder / "report.md"
    assert main(["preview", "--stack", stack, "--json", str(found), "--markdown", str(page)]) == 0
    return json.loads(found.read_text(encoding="utf-8")), page.read_text(encoding="utf-8")


def test_production_keeps_every_promise_and_says_so_in_every_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    report, page = _preview("prod", tmp_path, monkeypatch)
    assert schema_errors(report) == []
    scenarios = {one["scenario"]: one for one in report["resilience"]["scenarios"]}
    assert list(scenarios) == ["instance", "zone", "region", "corruption", "total"]
    assert all(one["holds"] for one in scenarios.values())
    assert scenarios["region"]["rpo_seconds"] < 15 * 60
    assert scenarios["region"]["rto_seconds"] < 2 * 3600
    assert report["resilience"]["cheapest"] == []
    assert "5 of 5 promises hold" in page
    assert "| Loss of the first region | 1.08 h | 2 h | 11.2 min | under 15 min | yes |" in page
    assert "recovery: 5 of 5 promises hold, 0 databases lack connections" in capsys.readouterr().out


def test_budget_counts_every_workload_of_each_endpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report, _ = _preview("prod", tmp_path, monkeypatch)
    budgets = {one["urn"].rsplit("::", 1)[-1]: one for one in report["resilience"]["connections"]}
    # Both regions' API at 3 an instance (2 + 1 to 20 + 20), two pools at 1, scaled from 1 to 20 instances.
    assert [budgets["postgres"][key] for key in ("minimum", "maximum", "rollout")] == [11, 160, 320]
    assert [budgets["postgres-replica-1"][key] for key in ("minimum", "maximum")] == [8, 100]
    assert [budgets["postgres-replica-2"][key] for key in ("minimum", "maximum")] == [3, 60]
    assert {(one["limit"], one["available"], one["fits"]) for one in budgets.values()} == {(400, 380, True)}


def test_dev_is_shown_what_would_mend_its_promises_and_is_not_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report, page = _preview("dev", tmp_path, monkeypatch)
    assert schema_errors(report) == []
    broken = [one["scenario"] for one in report["resilience"]["scenarios"] if not one["holds"]]
    assert broken == ["instance", "zone", "region"]
    assert "cheapest mend: postgres.availability: REGIONAL" in page
