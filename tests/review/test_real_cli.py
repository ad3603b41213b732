"""TARGET=gcp: what is refused before the CLI starts, what it is called with, and what is repeated."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from review.interrupted import RunInterruptedError
from review.real_cli import REPEATS, RealStack, propagating
from sandbox.errors import UsageError
from sandbox.project import Program, load_project

PROJECT = """\
name: aiprod
runtime: python
config:
  project_id: {type: string}
"""
KEY = "gcpkms://projects/some-project/locations/europe-west1/keyRings/state/cryptoKeys/state"
AGENT = "error: googleapi: Error 400: Service account service-1@x.iam.gserviceaccount.com does not exist."
DISABLED = (
    "error: googleapi: Error 403: Cloud KMS API has not been used in project 1 before or it is disabled."
)
QUOTA = "error: googleapi: Error 429: Quota exceeded for quota metric"


def program_in(folder: Path, stack: str = f"secretsprovider: {KEY}\n") -> Program:
    (folder / "Pulumi.yaml").write_text(PROJECT)
    (folder / "Pulumi.dev.yaml").write_text(f"{stack}config:\n  aiprod:project_id: some-project\n")
    return load_project(folder)


class Cli:
    """A `pulumi` on PATH that answers from a script and keeps what it was called with."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: list[str] = []
        self.slept: list[float] = []

    def answer(self, command: str, *answers: tuple[int, str]) -> None:
        for index, (code, text) in enumerate(answers):
            (self.folder / f"{command}.{index}").write_text(f"{code}\n{text}\n")

    def calls(self) -> list[dict[str, Any]]:
        path = self.folder / "calls"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def open(self, program: Program) -> RealStack:
        stack = RealStack.open(program, "dev", self.said.append)
        return RealStack(
            program=stack.program,
            stack=stack.stack,
            command=stack.command,
            backend=stack.backend,
            secrets_provider=stack.secrets_provider,
            say=stack.say,
            sleep=self.slept.append,
        )


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "pulumi"
    script.write_text(
        f"""#!/usr/bin/env python3
import json, os, pathlib, sys
folder = pathlib.Path({str(folder)!r})
name = sys.argv[1] if sys.argv[1] != "stack" else "stack-" + sys.argv[2]
with (folder / "calls").open("a") as calls:
    call = {{"arguments": sys.argv[1:], "backend": os.environ["PULUMI_BACKEND_URL"]}}
    calls.write(json.dumps(call) + "\\n")
count = len(list(folder.glob(f"{{name}}.done.*")))
(folder / f"{{name}}.done.{{count}}").touch()
answer = folder / f"{{name}}.{{count}}"
usual = '{{"deployment": {{}}}}' if name == "stack-export" else "fine\\n"
code, _, text = answer.read_text().partition("\\n") if answer.exists() else ("0", "", usual)
sys.stdout.write(text)
sys.exit(int(code))
"""
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return Cli(folder)


def test_up_uses_the_projects_bucket_the_stacks_key_and_the_policies(tmp_path: Path, cli: Cli) -> None:
    assert cli.open(program_in(tmp_path)).up() == 0
    select, _, up = cli.calls()
    assert select["arguments"][:5] == ["stack", "select", "--create", "--secrets-provider", KEY]
    assert up["arguments"][:4] == ["up", "--yes", "--policy-pack", str(tmp_path / "policies")]
    assert up["arguments"][4:6] == ["--stack", "dev"]
    assert {call["backend"] for call in cli.calls()} == {"gs://some-project-pulumi-state"}


def exported(*rows: dict[str, Any]) -> tuple[int, str]:
    """What `pulumi stack export` says of a state with these resources."""
    return 0, json.dumps({"deployment": {"resources": list(rows)}})


OWNED = {"urn": "urn:pulumi:dev::p::t::db", "type": "t", "ignoreChanges": ["settings.activationPolicy"]}
MINE = {"urn": "urn:pulumi:dev::p::t::topic", "type": "t"}


def test_up_reads_again_what_others_own(tmp_path: Path, cli: Cli) -> None:
    cli.answer("stack-export", exported(OWNED, MINE, {**OWNED, "urn": "old", "delete": True}))
    assert cli.open(program_in(tmp_path)).up() == 0
    *_, refresh, up = (call["arguments"] for call in cli.calls())
    assert refresh[:5] == ["refresh", "--yes", "--skip-preview", "--target", OWNED["urn"]]
    assert (refresh.count("--target"), up[0]) == (1, "up")


def test_up_goes_on_where_it_cannot_read(tmp_path: Path, cli: Cli) -> None:
    cli.answer("stack-export", exported(OWNED))
    cli.answer("refresh", (255, "error: the region does not answer"))
    assert cli.open(program_in(tmp_path)).up() == 0
    assert cli.said == ["what others own was not read again: up goes on with it as the state has it"]
    assert cli.calls()[-1]["arguments"][0] == "up"


def test_an_up_that_needs_the_database_awake_says_so(tmp_path: Path, cli: Cli) -> None:
    cli.answer("up", (255, "error: googleapi: Error 400: Invalid request since instance is not running."))
    assert cli.open(program_in(tmp_path)).up() == 1
    (said,) = cli.said
    assert said.endswith("of it: run `make wake STACK=dev TARGET=gcp`, then up again")


CACHE = {
    "urn": "urn:pulumi:dev::p::gcp:redis/instance:Instance::cache",
    "type": "gcp:redis/instance:Instance",
}


@pytest.mark.parametrize(
    ("state", "allowed", "op", "code"),
    [
        (CACHE, (), "replace", 1),
        (CACHE, (), "delete", 1),
        (CACHE, ("database",), "replace", 1),
        (CACHE, ("cache",), "replace", 0),
        (CACHE, (CACHE["urn"],), "replace", 0),
        (CACHE, (), "update", 0),
        # The engine itself refuses to lose what is protected, so nobody looks.
        ({**CACHE, "protect": True}, (), "replace", 0),
        (MINE, (), "replace", 0),
    ],
)
def test_an_up_loses_nothing_stateful_that_nobody_named(
    tmp_path: Path, cli: Cli, state: dict[str, Any], allowed: tuple[str, ...], op: str, code: int
) -> None:
    (tmp_path / "policies").mkdir()
    cli.answer("stack-export", exported(state))
    cli.answer("preview", (0, json.dumps({"steps": [{"op": op, "urn": state["urn"]}]})))
    assert cli.open(program_in(tmp_path)).up(allowed) == code
    verbs = [call["arguments"][0] for call in cli.calls()]
    assert ("up" in verbs) is (code == 0)
    if code:
        (said,) = cli.said
        assert said.startswith(
            "dev is refused: cache (gcp:redis/instance:Instance) holds what cannot be made"
        )
        assert "--allow-replace cache" in said


def test_refresh_takes_over_what_the_cloud_says(tmp_path: Path, cli: Cli) -> None:
    assert cli.open(program_in(tmp_path)).refresh() == 0
    assert cli.calls()[-1]["arguments"][:3] == ["refresh", "--yes", "--diff"]


@pytest.mark.parametrize(("answer", "code"), [((0, "fine"), 0), ((255, "error: changes were found"), 1)])
def test_drift_only_reads_and_fails_when_there_is_some(
    tmp_path: Path, cli: Cli, answer: tuple[int, str], code: int
) -> None:
    cli.answer("preview", answer)
    assert cli.open(program_in(tmp_path)).drift() == code
    assert cli.calls()[-1]["arguments"][:3] == ["preview", "--refresh", "--expect-no-changes"]
    assert [call["arguments"][0] for call in cli.calls()] == ["stack", "preview"]


def test_preview_changes_nothing(tmp_path: Path, cli: Cli) -> None:
    assert cli.open(program_in(tmp_path)).preview() == 0
    verbs = [call["arguments"][:2] for call in cli.calls()]
    assert [verb for verb in verbs if verb[0] != "stack"] == [["preview", "--policy-pack"]]


def test_up_is_repeated_on_propagation_and_says_so(
    tmp_path: Path, cli: Cli, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.answer("up", (255, AGENT), (255, DISABLED), (0, "done"))
    assert cli.open(program_in(tmp_path)).up() == 0
    assert cli.said == [
        "repeating up (1 of 3) in 120 s: Google does not see a service agent that was made a moment ago yet",
        "repeating up (2 of 3) in 120 s: Google does not see an API that was switched on a moment ago yet",
    ]
    assert cli.slept == [120, 120]
    assert AGENT in capsys.readouterr().out


def test_up_is_repeated_at_most_three_times(tmp_path: Path, cli: Cli) -> None:
    cli.answer("up", *[(255, AGENT)] * 9)
    assert cli.open(program_in(tmp_path)).up() == 1
    assert [call["arguments"][0] for call in cli.calls()].count("up") == 1 + REPEATS == 4


@pytest.mark.parametrize("text", [QUOTA, f"{AGENT}\n{QUOTA}", "nothing known"])
def test_up_is_not_repeated_on_anything_else(tmp_path: Path, cli: Cli, text: str) -> None:
    cli.answer("up", (255, text))
    assert cli.open(program_in(tmp_path)).up() == 1
    assert cli.said == []


def test_ctrl_c_waits_for_the_cli(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.answer("up", (255, "half\nerror: update canceled"))
    original: Callable[[str], int] = sys.stdout.write
    struck = [0]

    def write(text: str) -> int:
        struck[0] += 1
        if struck[0] == 1:
            raise KeyboardInterrupt
        return original(text)

    monkeypatch.setattr("sys.stdout.write", write)
    with pytest.raises(RunInterruptedError, match="what was done until then is kept"):
        cli.open(program_in(tmp_path)).up()
    assert "update canceled" in capsys.readouterr().out
    assert cli.said == []


def test_propagation_ignores_the_clis_own_closing_line() -> None:
    assert propagating([AGENT, "error: update failed"]) == "a service agent that was made a moment ago"
    assert propagating(["error: update failed"]) is None


@pytest.mark.parametrize(
    "line",
    [
        "    error: resource monitor shut down while waiting on step's done channel",
        "    error: Program exited with non-zero exit code: 1",
        "    error: update failed",
        "error: 1 error occurred:",
    ],
)
def test_lines_that_follow_a_propagation_error_are_no_other_error(line: str) -> None:
    assert propagating([AGENT, line]) == "a service agent that was made a moment ago"
    assert propagating([AGENT, line, QUOTA]) is None


def test_fails_when_a_release_is_left_over_and_says_what_a_first_deployment_does(
    tmp_path: Path, cli: Cli
) -> None:
    program = program_in(tmp_path)
    (tmp_path / "Pulumi.yaml").write_text(PROJECT + "  release: {type: object, default: {}}\n")
    path = tmp_path / "Pulumi.dev.yaml"
    path.write_text(path.read_text() + "  aiprod:release: {images: {api: REPLACE_ME}}\n")
    with pytest.raises(UsageError, match=r"for a first deployment, .* remove the release block"):
        cli.open(load_project(program.directory))


def test_fails_when_the_project_is_missing_and_names_this_projects_key(tmp_path: Path, cli: Cli) -> None:
    program = program_in(tmp_path)
    (tmp_path / "Pulumi.dev.yaml").write_text(f"secretsprovider: {KEY}\nconfig: {{aiprod:project_id: ''}}\n")
    with pytest.raises(UsageError, match="aiprod:project_id is missing: set the project id"):
        cli.open(program)


def export(*types: str) -> str:
    resources = [
        {"urn": f"urn:pulumi:dev::a::{type}::n-{type}", "type": type, "protect": True} for type in types
    ]
    return json.dumps({"version": 3, "deployment": {"resources": resources}})


def test_down_keeps_key_rings_and_keys(tmp_path: Path, cli: Cli) -> None:
    cli.answer("stack-export", (0, export("gcp:kms/keyRing:KeyRing", "gcp:kms/cryptoKey:CryptoKey")))
    assert cli.open(program_in(tmp_path)).down() == 0
    assert cli.calls()[-1]["arguments"][:3] == ["destroy", "--yes", "--exclude-protected"]


def test_fails_when_down_meets_protected_resources(tmp_path: Path, cli: Cli) -> None:
    cli.answer("stack-export", (0, export("gcp:kms/keyRing:KeyRing", "gcp:sql/database:Database")))
    assert cli.open(program_in(tmp_path)).down() == 1
    assert (
        "would delete 1 protected resources, and nothing was deleted: n-gcp:sql/database:Database (Database)"
        in cli.said[0]
    )
    assert "destroy" not in [call["arguments"][0] for call in cli.calls()]


def test_fails_when_replace_me_is_left_over(tmp_path: Path, cli: Cli) -> None:
    program = program_in(tmp_path)
    (tmp_path / "Pulumi.dev.yaml").write_text("config:\n  aiprod:project_id: REPLACE_ME\n")
    with pytest.raises(UsageError, match="REPLACE_ME is left over in aiprod:project_id: write the real"):
        cli.open(program)
    assert cli.calls() == []


@pytest.mark.parametrize(
    "line", ["", "secretsprovider: passphrase\n", "secretsprovider: gcpkms://REPLACE_ME\n"]
)
def test_fails_when_the_secrets_provider_is_not_the_projects_key(tmp_path: Path, cli: Cli, line: str) -> None:
    with pytest.raises(UsageError, match="secretsprovider must be a gcpkms:// key"):
        cli.open(program_in(tmp_path, line))


def test_fails_when_the_cli_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="the Pulumi CLI is not on PATH: install it"):
        RealStack.open(program_in(tmp_path), "dev", print)


def test_fails_when_the_stack_cannot_be_selected(tmp_path: Path, cli: Cli) -> None:
    cli.answer("stack-select", (255, "error: could not open bucket"))
    with pytest.raises(
        UsageError, match="cannot select stack dev in gs://some-project-pulumi-state: error: could"
    ):
        cli.open(program_in(tmp_path)).up()


def test_an_import_brings_the_providers_up_first(tmp_path: Path, cli: Cli) -> None:
    stack = cli.open(program_in(tmp_path))
    assert stack.import_live(Path("build/adopt.json"), ["urn:a", "urn:b"]) == 0
    _, up, imported = (call["arguments"] for call in cli.calls())
    assert up[:6] == ["up", "--yes", "--target", "urn:a", "--target", "urn:b"]
    assert imported[:3] == ["import", "--file", "build/adopt.json"]
    assert "--protect=false" in imported


def test_an_import_ends_where_the_providers_do_not_come_up(tmp_path: Path, cli: Cli) -> None:
    cli.answer("up", (255, QUOTA))
    assert cli.open(program_in(tmp_path)).import_live(Path("f"), ["urn:a"]) == 1
    assert [call["arguments"][0] for call in cli.calls()] == ["stack", "up"]
