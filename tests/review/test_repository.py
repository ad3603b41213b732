"""The workflow files, the Makefile and the README say the same."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

REPOSITORY = Path(__file__).parents[2]
WORKFLOWS = sorted((REPOSITORY / ".github" / "workflows").glob("*.yml"))


def jobs_of(name: str) -> dict[str, Any]:
    return yaml.safe_load((REPOSITORY / ".github" / "workflows" / name).read_text(encoding="utf-8"))["jobs"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_by_digest_with_its_version(path: Path) -> None:
    for line in path.read_text(encoding="utf-8").splitlines():
        if "uses:" in line and "$/" not in line:
            assert re.search(r"uses: [\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_grant_nothing_by_default(path: Path) -> None:
    assert yaml.safe_load(path.read_text(encoding="utf-8"))["permissions"] == {}


def test_pull_requests_need_no_credential_and_only_the_comment_may_write() -> None:
    text = (REPOSITORY / ".github" / "workflows" / "pull-request.yml").read_text(encoding="utf-8")
    assert "secrets." not in text
    assert "pull_request_target" not in text
    writers = [
        name
        for name, job in jobs_of("pull-request.yml").items()
        if "write" in cast("dict[str, str]", job["permissions"]).values()
    ]
    assert writers == ["comment"]
    assert not any("checkout" in str(step) for step in jobs_of("pull-request.yml")["comment"]["steps"])


def test_deployment_is_protected_serial_and_never_cancelled() -> None:
    (job,) = jobs_of("deploy-stack.yml").values()
    assert job["environment"] == "${{ inputs.stack }}"
    assert job["concurrency"]["cancel-in-progress"] is False
    chain = {name: job.get("needs") for name, job in jobs_of("deploy.yml").items()}
    assert chain == {"dev": None, "staging": "dev", "prod": "staging"}


def test_drift_is_looked_for_on_a_schedule_by_the_reader_in_its_own_environment() -> None:
    text = (REPOSITORY / ".github" / "workflows" / "drift.yml").read_text(encoding="utf-8")
    # YAML 1.1 reads the key `on` as true.
    assert set(yaml.safe_load(text)[True]) == {"schedule", "workflow_dispatch"}
    assert "secrets." not in text
    assert "DEPLOYER" not in text
    (job,) = jobs_of("drift.yml").values()
    assert job["environment"] == "${{ matrix.stack }}-drift"
    assert job["permissions"] == {"contents": "read", "id-token": "write"}
    stacks = {path.name.split(".")[1] for path in REPOSITORY.glob("Pulumi.*.yaml")}
    assert set(job["strategy"]["matrix"]["stack"]) == stacks
    login = next(step for step in job["steps"] if "auth@" in step.get("uses", ""))
    assert login["with"]["service_account"] == "${{ vars.DRIFT_READER }}"


def test_every_shell_script_is_checked() -> None:
    paths = [path.relative_to(REPOSITORY) for path in REPOSITORY.rglob("*.sh")]
    found = {str(path) for path in paths if path.parts[0] != "build" and not path.parts[0].startswith(".")}
    found |= {f".ci/{path.name}" for path in (REPOSITORY / ".ci").iterdir()}
    asked = subprocess.run(
        ["make", "--no-print-directory", "-n", "shell", "-o", "ready", "STAMP=ready"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(asked.stdout.split()[1:]) == found
    assert ".ci/run" in found


@pytest.mark.parametrize("workflow", ["deploy-stack.yml", "drift.yml"])
def test_whoever_runs_the_cli_installs_that_of_the_sdks_version(workflow: str) -> None:
    text = (REPOSITORY / ".github" / "workflows" / workflow).read_text(encoding="utf-8")
    requirements = (REPOSITORY / "requirements.txt").read_text(encoding="utf-8")
    (version,) = re.findall(r"^pulumi==(\S+)$", requirements, re.MULTILINE)
    assert f"pulumi-version: {version}\n" in text


def test_readme_names_the_targets_that_exist() -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE)) - {"help"}
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `make ([a-z-]+)", readme, re.MULTILINE)) == targets


def test_readme_names_folders_that_exist() -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[^|]+`) \|", readme.split("## Layout")[1], re.MULTILINE)
    names = [name for row in rows for name in re.findall(r"`([^`]+)`", row)]
    assert len(names) > 10
    for name in names:
        pattern = name.replace("<stack>", "*").rstrip("/")
        assert list(REPOSITORY.glob(pattern)), name


def test_every_requirement_is_pinned() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        for line in (REPOSITORY / name).read_text(encoding="utf-8").splitlines():
            if line and not line.startswith(("#", "-r ")):
                assert re.fullmatch(r"[A-Za-z0-9_.-]+(\[[a-z]+\])?==[0-9][\w.]*(; .+)?", line), line
