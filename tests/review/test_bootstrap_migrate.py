"""Bootstrap's state moves into its bucket whatever happens on the way."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.plugin.cli import SandboxCli
from sandbox.project import load_project, load_stack

ROOT = Path(__file__).parent.parent.parent
KEY = "gcpkms://projects/p/locations/europe-west1/keyRings/r/cryptoKeys/k"
BUCKET = "gs://p-pulumi-state"
STATE: dict[str, Any] = {
    "version": 3,
    "deployment": {
        "secrets_providers": {"type": "passphrase", "state": {"salt": "v1:salt"}},
        "resources": [
            {
                "urn": "urn:pulumi:dev::aiprod-bootstrap::pulumi:pulumi:Stack::aiprod-bootstrap-dev",
                "type": "pulumi:pulumi:Stack",
                "outputs": {"backend": BUCKET, "secrets_provider": KEY},
            },
            {
                "urn": "urn:pulumi:dev::aiprod-bootstrap::gcp:storage/bucket:Bucket::state",
                "type": "gcp:storage/bucket:Bucket",
                "id": "p-pulumi-state",
            },
        ],
    },
}


@dataclass
class Stage:
    """Two backends, a program's folder and a scripted CLI on PATH."""

    folder: Path

    def backend(self, name: str) -> dict[str, Any]:
        path = self.folder / f"{name}.json"
        return json.loads(path.read_text()) if path.exists() else {}

    def hold(self, name: str, state: dict[str, Any]) -> None:
        (self.folder / f"{name}.json").write_text(json.dumps({"dev": state}))

    def calls(self) -> list[list[str]]:
        path = self.folder / "calls"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def move(self, *options: str, kill: str = "0:", passphrase: bool = True) -> Any:
        (self.folder / "calls").unlink(missing_ok=True)
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PULUMI_")}
        environment |= {
            "PATH": f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "SCRIPTED_FOLDER": str(self.folder),
            "SCRIPTED_KILL": kill,
        }
        if passphrase:
            environment["PULUMI_CONFIG_PASSPHRASE"] = "known"
        command = [sys.executable, "-m", "review", "bootstrap-migrate", "--target", "gcp", "--stack", "dev"]
        return subprocess.run(
            [*command, "--from", "file:///local", "--folder", str(self.folder / "program"), *options],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def moved(self) -> bool:
        there = self.backend("p-pulumi-state").get("dev")
        return (
            not self.backend("local")
            and there is not None
            and there["deployment"]["resources"] == STATE["deployment"]["resources"]
            and there["deployment"]["secrets_providers"]["state"]["url"] == KEY
        )


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    (tmp_path / "program").mkdir()
    (tmp_path / "program" / "Pulumi.yaml").write_text("name: aiprod-bootstrap\nruntime: python\n")
    (tmp_path / "program" / "Pulumi.dev.yaml").write_text("config: {}\n")
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin" / "pulumi"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} {ROOT / "tests/review/scripted_cli.py"} "$@"\n')
    script.chmod(0o755)
    made = Stage(tmp_path)
    made.hold("local", STATE)
    return made


def test_state_goes_into_the_bucket_and_under_the_key_that_bootstrap_made(stage: Stage) -> None:
    done = stage.move()
    assert (done.returncode, done.stderr) == (0, "")
    assert stage.moved()
    assert f"2 resources moved from file:///local to {BUCKET}" in done.stdout
    copy = stage.folder / "program" / ".sandbox" / "before-move.dev.json"
    assert json.loads(copy.read_text()) == STATE
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600


def test_again_changes_nothing(stage: Stage) -> None:
    assert stage.move().returncode == 0
    again = stage.move("--to", BUCKET)
    assert again.returncode == 0
    assert "nothing to do" in again.stdout
    assert {call[2] for call in stage.calls()} == {"ls", "export"}


def test_a_kill_at_any_call_is_made_good_by_a_repetition(stage: Stage) -> None:
    assert stage.move().returncode == 0
    count = len(stage.calls())
    assert count == 10
    for number in range(1, count + 1):
        for moment in ("before", "after"):
            (stage.folder / "p-pulumi-state.json").unlink(missing_ok=True)
            stage.hold("local", STATE)
            killed = stage.move(kill=f"{number}:{moment}")
            assert killed.returncode < 0, (number, moment)
            # Whole, on one side at least, at every moment.
            sides = [stage.backend(name).get("dev") for name in ("local", "p-pulumi-state")]
            rows = [side["deployment"]["resources"] for side in sides if side]
            assert STATE["deployment"]["resources"] in rows, (number, moment)
            again = stage.move("--to", BUCKET)
            assert again.returncode == 0, (number, moment, again.stderr)
            assert stage.moved(), (number, moment)


def test_fails_when_the_bucket_holds_another_state(stage: Stage) -> None:
    other = json.loads(json.dumps(STATE))
    other["deployment"]["resources"][1]["id"] = "other"
    stage.hold("p-pulumi-state", other)
    done = stage.move()
    assert done.returncode == 2
    assert "holds another state of dev than file:///local (1 resources differ, first state)" in done.stderr
    assert stage.backend("local")["dev"] == STATE
    assert stage.backend("p-pulumi-state")["dev"] == other


def test_fails_when_there_is_no_passphrase(stage: Stage) -> None:
    done = stage.move(passphrase=False)
    assert done.returncode == 2
    assert "PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE must be set" in done.stderr
    assert stage.calls() == []


def test_fails_when_the_stack_is_unknown_before_it_asks_for_a_passphrase(stage: Stage) -> None:
    done = stage.move("--stack", "zz", passphrase=False)
    assert done.returncode == 2
    assert "stack 'zz' is unknown: bootstrap/Pulumi.zz.yaml does not exist; stacks here: dev" in done.stderr
    assert stage.calls() == []


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--to", "file:///local"), "--to must be another backend than --from"),
        (("--to", "file:///nothing"), "neither file:///local nor file:///nothing holds a stack dev"),
        ((), "file:///local holds no stack dev: it was moved already, or bootstrap has not run"),
    ],
)
def test_fails_when_there_is_nothing_to_move(stage: Stage, options: tuple[str, ...], sentence: str) -> None:
    (stage.folder / "local.json").write_text("{}")
    done = stage.move(*options)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_fails_when_bootstrap_put_out_no_bucket(stage: Stage) -> None:
    bare = json.loads(json.dumps(STATE))
    bare["deployment"]["resources"][0]["outputs"] = {}
    stage.hold("local", bare)
    done = stage.move()
    assert done.returncode == 2
    assert "bootstrap's output backend is not usable, got nothing: run bootstrap again" in done.stderr


@pytest.mark.real_cli
def test_real_cli_moves_all_of_it_between_two_backends_also_when_killed(tmp_path: Path) -> None:
    program = load_project(ROOT / "bootstrap")
    cli = SandboxCli(program, "dev", load_stack(program, "dev"), tmp_path)
    made = cli.up()
    assert {step.op for step in made} == {"create"}
    assert {step.op for step in cli.up()} == {"same"}
    before = cli.export()["deployment"]["resources"]
    (tmp_path / "target").mkdir()
    (tmp_path / "wrapped").mkdir()
    wrapper = tmp_path / "wrapped" / "pulumi"
    wrapper.write_text(
        f"""#!/bin/sh
{shutil.which("pulumi")} "$@"
code=$?
echo call >> {tmp_path}/calls
[ "$(wc -l < {tmp_path}/calls)" = "$KILL_AFTER" ] && kill -9 $PPID
exit $code
"""
    )
    wrapper.chmod(0o755)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PULUMI_")}
    environment |= {
        "PATH": f"{wrapper.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "PULUMI_CONFIG_PASSPHRASE": cli.passphrase,
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    source, target = f"file://{tmp_path / 'backend'}", f"file://{tmp_path / 'target'}"
    command = [sys.executable, "-m", "review", "bootstrap-migrate", "--target", "gcp", "--stack", "dev"]
    command += ["--from", source, "--to", target, "--secrets-provider", "passphrase"]
    command += ["--folder", str(tmp_path / "program")]
    # Killed after the export, the new stack, the import and the removal; then left alone.
    codes: list[int] = []
    done: Any = None
    for after in (2, 4, 5, 5, 0):
        (tmp_path / "calls").unlink(missing_ok=True)
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**environment, "KILL_AFTER": str(after)},
            capture_output=True,
            text=True,
            check=False,
        )
        codes.append(done.returncode)
    assert codes == [-9, -9, -9, -9, 0], done.stderr
    assert "nothing to do" in done.stdout
    exported = subprocess.run(
        ["pulumi", "stack", "export", "--stack", "dev"],
        cwd=tmp_path / "program",
        env={**environment, "PULUMI_BACKEND_URL": target, "KILL_AFTER": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    after_move = json.loads(exported.stdout)["deployment"]["resources"]
    assert [row["urn"] for row in after_move] == [row["urn"] for row in before]
    assert [row.get("id") for row in after_move] == [row.get("id") for row in before]
