"""The real Pulumi CLI judges an exported state by the pack."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from policies.model import Resource
from tests.policies.good import GOOD, bad, spoil

pytestmark = [
    pytest.mark.real_cli,
]
_ROOT = Path(__file__).parents[2]
_STACK = "urn:pulumi:prod::aiprod::pulumi:pulumi:Stack::aiprod-prod"
_PROVIDER = "urn:pulumi:prod::aiprod::pulumi:providers:gcp::google"


def _row(one: Resource) -> dict[str, Any]:
    dependencies = {key: list(urns) for key, urns in one.property_dependencies.items()}
    return {
        "urn": one.urn,
        "type": one.type,
        "custom": True,
        "id": one.name,
        "inputs": one.props,
        "outputs": one.props,
        "parent": _STACK,
        "protect": one.protect,
        "provider": f"{_PROVIDER}::1",
        "propertyDependencies": dependencies,
        "dependencies": sorted({urn for urns in dependencies.values() for urn in urns}),
    }


def _export(resources: Sequence[Resource]) -> str:
    provider = {"urn": _PROVIDER, "type": "pulumi:providers:gcp", "custom": True, "id": "1", "parent": _STACK}
    rows: list[dict[str, Any]] = [{"urn": _STACK, "type": "pulumi:pulumi:Stack", "custom": False}, provider]
    # What nothing depends on comes last, as the engine wants it; topics are the only targets here.
    custom = [one for one in resources if one.type.startswith("gcp:")]
    rows += [_row(one) for one in sorted(custom, key=lambda one: bool(one.property_dependencies))]
    return json.dumps(
        {"version": 3, "deployment": {"manifest": {"time": "2026-01-01T00:00:00Z"}, "resources": rows}}
    )


def _analyze(folder: Path, resources: Sequence[Resource]) -> subprocess.CompletedProcess[str]:
    pack = folder / "policies"
    shutil.copytree(_ROOT / "policies", pack, ignore=shutil.ignore_patterns("__pycache__"))
    project = pack / "PulumiPolicy.yaml"
    # The interpreter of this test stands in for the project's own environment.
    project.write_text(project.read_text().replace("    virtualenv: ../.venv\n", ""))
    (folder / "export.json").write_text(_export(resources))
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("PULUMI_")},
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTHONPATH": str(_ROOT),
        "PULUMI_BACKEND_URL": f"file://{folder}",
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }
    options = ["--policy-pack", str(pack), "--file", "export.json", "--color", "never"]
    command = ["pulumi", "policy", "analyze", *options]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_real_cli_passes_the_good_platform(tmp_path: Path) -> None:
    done = _analyze(tmp_path, GOOD)
    assert done.returncode == 0, done.stdout + done.stderr


def test_real_cli_refuses_a_bad_resource_and_a_bad_stack(tmp_path: Path) -> None:
    changed = bad("postgres", {"settings.ipConfiguration.ipv4Enabled": True})
    done = _analyze(tmp_path, [one for one in spoil(changed) if one.name != "keeper"])
    shown = done.stdout + done.stderr
    assert done.returncode != 0, shown
    assert "[mandatory]  sql-no-public-address" in shown
    assert "[mandatory]  pubsub-dead-letter-kept" in shown
