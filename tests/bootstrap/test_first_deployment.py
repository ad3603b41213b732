"""The README's way from an empty project to the first `up`, and bootstrap on the real CLI's terms."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from review.bootstrap_up import LOCAL, open_bootstrap
from sandbox.errors import UsageError
from sandbox.project import Program, load_project

ROOT = Path(__file__).parent.parent.parent
KEY = "gcpkms://projects/aiprod-example/locations/europe-west1/keyRings/r/cryptoKeys/k"
NOT_COPIED = shutil.ignore_patterns(".*", "build", "tests", "docs", "bench", "__pycache__", "*.egg-info")


def commands() -> list[str]:
    """What the block of the README's section says, without its remarks."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").split("## First deployment")[1]
    found = re.search(r"```console\n(.*?)```", section, re.DOTALL)
    assert found is not None
    return [line.split("#")[0].strip() for line in found[1].splitlines()]


def test_the_readmes_commands_go_from_an_empty_project_to_the_first_up(tmp_path: Path) -> None:
    copy = tmp_path / "platform"
    shutil.copytree(ROOT, copy, ignore=NOT_COPIED)
    said: list[str] = []
    for command in commands():
        assert command.startswith("make ")
        # The interpreter of these tests in place of the one that `make setup` would install.
        done = subprocess.run(
            [*command.split(), "-o", "ready", "STAMP=ready", f"REVIEW={sys.executable} -m review"],
            cwd=copy,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(copy)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (command, done.stdout[-2_000:], done.stderr)
        said.append(done.stdout)
    first, again, config, migrate, up = said
    assert "checked against the schema only" not in first
    assert re.search(r"\b0 create|nothing changes|no changes", again), again[-1_500:]
    assert "secretsprovider" in config
    assert "sandbox" in migrate
    assert re.search(r"\b[1-9][0-9]* created", up), up[-1_500:]


def program_in(folder: Path, stack: str = "", project: str = "aiprod-example") -> Program:
    copy = folder / "bootstrap"
    copy.mkdir()
    shutil.copy(ROOT / "bootstrap" / "Pulumi.yaml", copy)
    withheld = "".join(
        f"  aiprod-bootstrap:{level}: {{level: withheld}}\n"
        for level in ("project", "billing", "organisation")
    )
    (copy / "Pulumi.dev.yaml").write_text(
        f"{stack}config:\n  aiprod-bootstrap:environment: dev\n"
        f"  aiprod-bootstrap:project_id: {project}\n{withheld}"
    )
    return load_project(copy)


@pytest.fixture(autouse=True)
def _cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = tmp_path / "pulumi"
    command.write_text("#!/bin/sh\nexit 1\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "known")


def test_its_state_is_local_before_the_move_and_in_the_bucket_after_it(tmp_path: Path) -> None:
    before = open_bootstrap(program_in(tmp_path), "dev", print)
    assert (before.backend, before.secrets_provider) == (LOCAL, "passphrase")
    (tmp_path / "moved").mkdir()
    after = open_bootstrap(program_in(tmp_path / "moved", f"secretsprovider: {KEY}\n"), "dev", print)
    assert (after.backend, after.secrets_provider) == ("gs://aiprod-example-pulumi-state", KEY)


def test_fails_when_an_operator_has_not_named_the_project(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="REPLACE_ME is left over in aiprod-bootstrap:project_id: write"):
        open_bootstrap(program_in(tmp_path, project="REPLACE_ME"), "dev", print)


def test_fails_when_there_is_no_passphrase(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE")
    with pytest.raises(UsageError, match="PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE must be"):
        open_bootstrap(program_in(tmp_path), "dev", print)
    # After the move no passphrase is asked for.
    (tmp_path / "moved").mkdir()
    open_bootstrap(program_in(tmp_path / "moved", f"secretsprovider: {KEY}\n"), "dev", print)
