"""The built-in engine and the real CLI take the same steps with programs not written here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sandbox.plugin.cli import CliStep, SandboxCli
from sandbox.project import load_project, load_stack
from tests.sandbox.engine.golden import Steps, arranged
from tests.sandbox.programs.running import Runner, copied

# What is changed in each program for a third ``up``: file, what stands there, what shall.
_EDITS = {
    "accounts": [
        ("__main__.py", "The {name} service", "{name}"),
        ("__main__.py", "svc-{name}", "id-{name}"),
        ("__main__.py", '"cron-acts-as-worker"', '"cron-as-worker"'),
    ],
    "buckets": [
        ("__main__.py", '"EU"', '"US"'),
        ("__main__.py", "Hello", "Hi"),
        ("__main__.py", '"lifecycleRules[*].condition.age", "labels"', '"labels"'),
        ("Pulumi.dev.yaml", "[30, 90]", "[30, 60]"),
        ("Pulumi.dev.yaml", "versioned: true", "versioned: false"),
    ],
    "cluster": [
        ("__main__.py", 'machine_type="e2-medium"', 'machine_type="e2-small"'),
        ("__main__.py", '"a": "b"', '"a": "c"'),
        ("__main__.py", '"REGULAR"', '"STABLE"'),
    ],
    "component": [("Pulumi.dev.yaml", "team: storage", "team: data"), ("__main__.py", '"EU"', '"US"')],
    "database": [
        ("__main__.py", "length=24", "length=26"),
        ("__main__.py", "db-f1-micro", "db-g1-small"),
        ("__main__.py", 'name="app")', 'name="data")'),
    ],
    "dns": [("__main__.py", "3600, ['", "300, ['"), ("__main__.py", '("api", "CNAME"', '("web", "CNAME"')],
    "fan-out": [
        ("src/consumers.py", '"billing": 60, "search": 30', '"search": 40, "audit": 10'),
        ("src/__main__.py", "86400s", "172800s"),
    ],
    "functions": [("__main__.py", '"v": "1"', '"v": "2"'), ("__main__.py", '"256M"', '"512M"')],
    "many-ways": [("__main__.py", '"site", location="EU"', '"site", location="US"')],
    "monitoring": [
        ("__main__.py", "0.9,", "0.8,"),
        ("__main__.py", "ops@", "on-call@"),
        ("__main__.py", "ALIGN_MEAN", "ALIGN_MAX"),
    ],
    "network": [
        ("__main__.py", "10.1.0.0/20", "10.1.0.0/19"),
        ("__main__.py", '"ALL_SUBNETWORKS_ALL_IP_RANGES"', '"ALL_SUBNETWORKS_ALL_PRIMARY_IP_RANGES"'),
    ],
    "run-secrets": [
        ("__main__.py", "length=32", "length=36"),
        ("__main__.py", '"name": "PROJECT"', '"name": "PROJECT_ID"'),
    ],
    "scheduler": [("__main__.py", "0 3", "0 4"), ("__main__.py", '"nightly")', '"every-night")')],
    "site": [
        ("__main__.py", '"max_ttl": 86400', '"max_ttl": 172800'),
        ("__main__.py", 'location="US"', 'location="EU"'),
    ],
    "web": [
        ("Pulumi.dev.yaml", "instances: 3", "instances: 2"),
        ("__main__.py", '["80"]', '["80", "8080"]'),
        ("__main__.py", "httpd -p 80", "httpd -p 8080"),
    ],
    "workflow": [
        ("__main__.py", "return: 1", "return: 2"),
        ("__main__.py", '"LIMIT": "10"', '"LIMIT": "11"'),
    ],
}


@pytest.mark.real_cli
@pytest.mark.parametrize("name", _EDITS)
def test_real_cli_takes_the_same_steps(name: str, runner: Runner, tmp_path: Path) -> None:
    program = copied(name, tmp_path)

    def cli() -> SandboxCli:
        loaded = load_project(program)
        return SandboxCli(loaded, "dev", load_stack(loaded, "dev"), tmp_path / "cli")

    for edits in ((), (), _EDITS[name]):
        for file, before, after in edits:
            path = program / file
            text = path.read_text(encoding="utf-8")
            assert before in text, f"{file} has no {before}"
            path.write_text(text.replace(before, after), encoding="utf-8")
        theirs = _theirs(cli().up())
        _, report = runner("up", program)
        assert _ours(report) == theirs
    assert any(diff for rows in theirs.values() for _, diff, _ in rows)
    theirs = _theirs(cli().destroy())
    _, report = runner("down", program)
    assert _ours(report) == theirs


# What carries a replacement out is not in a report; the replacement itself is.
_CARRIED_OUT = {"create-replacement", "delete-replaced", "discard-replaced", "remove-pending-replace"}


def _theirs(steps: list[CliStep]) -> Steps:
    found = arranged((step.op, step.urn, step.diff, step.replace_reasons) for step in steps)
    return {urn: [row for row in rows if row[0] not in _CARRIED_OUT] for urn, rows in found.items()}


def _ours(report: dict[str, Any]) -> Steps:
    found: Steps = {}
    for step in report["steps"]:
        diff = {change["path"]: change["kind"] for change in step["diff"]}
        row = (step["op"], dict(sorted(diff.items())), sorted(step["replace_reasons"]))
        found.setdefault(step["urn"], []).append(row)
    return dict(sorted(found.items()))
