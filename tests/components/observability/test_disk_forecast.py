"""The forecast of the database's disk, judged by Prometheus' own promtool on series of a day and more."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.observability.alert_policy import Query
from components.observability.data_alerts import DataTargets, data_alerts

GIB = 1024**3
STEP_MINUTES = 5
A_DAY = 24 * 60 // STEP_MINUTES
SERIES = 'cloudsql_googleapis_com:database_disk_bytes_used{database_id="p:aiprod-postgres"}'


CLONE = SERIES.replace("aiprod-postgres", "aiprod-drill-1793000000")


def alert() -> tuple[str, int]:
    """The expression and how long it must hold, for a limit of 500 GB."""
    targets = DataTargets(
        owner="platform",
        connection_limit=400,
        disk_limit_gb=500,
        always_on=True,
        has_replicas=True,
        cache_has_standby=True,
        migration_job="aiprod-migration",
        clone_prefix="aiprod-drill-",
    )
    condition = data_alerts(targets)["database-disk-forecast"].condition
    assert isinstance(condition, Query)
    return condition.promql, condition.for_seconds


def grows(start_gb: float, gb_a_day: float, days: int = 2) -> str:
    """A series in the notation of promtool."""
    return f"{start_gb * GIB:.0f}{gb_a_day * GIB / A_DAY:+.0f}x{A_DAY * days}"


def burst(start_gb: float, gb: float) -> str:
    """Flat, then one load of data within an hour, then flat for a day and a half."""
    end = (start_gb + gb) * GIB
    loaded = f"{start_gb * GIB:.0f}+{gb * GIB / 12:.0f}x12"
    return f"{start_gb * GIB:.0f}x{A_DAY} {loaded} {end:.0f}x{A_DAY + A_DAY // 2}"


@pytest.mark.parametrize(
    ("series", "hour", "fires"),
    [
        (f"_x{A_DAY} 0+{20 * GIB}x5 stale", 26, False),  # a clone that the restore drill fills and deletes
        (grows(440, 10), 48, False),  # 460 GB after two days, 490 in three more
        (grows(400, 30), 48, True),  # 460 GB, 550 in three more
        (grows(400, 30), 20, True),  # 425 GB, 515
        (grows(300, 30), 48, False),
        (grows(480, 0), 48, False),
        (grows(450, -30), 48, False),
        (grows(510, 0), 48, True),
        (burst(300, 100), 30, True),  # the line through a load of data is steep
        (burst(300, 100), 58, False),  # and flat again a day later
    ],
)
def test_it_fires_when_the_limit_is_three_days_away(
    tmp_path: Path, series: str, hour: int, fires: bool
) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not on PATH: apt-get install prometheus")
    expression, seconds = alert()
    rule = {"alert": "forecast", "expr": expression, "for": f"{seconds}s"}
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "g", "rules": [rule]}]}))
    expected: list[dict[str, Any]] = [{"exp_labels": {"database_id": "p:aiprod-postgres"}}] if fires else []
    test = {
        "interval": f"{STEP_MINUTES}m",
        "input_series": [{"series": CLONE if "stale" in series else SERIES, "values": series}],
        "alert_rule_test": [{"eval_time": f"{hour}h", "alertname": "forecast", "exp_alerts": expected}],
    }
    document = {"rule_files": ["rules.yml"], "evaluation_interval": "5m", "tests": [test]}
    (tmp_path / "test.yml").write_text(yaml.safe_dump(document))
    done = subprocess.run(
        ["promtool", "test", "rules", "test.yml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
