"""Migrations in a deployment: their order, what a failure stops, and the command for a person."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from review.cli import main
from review.migration import MigrationJob, job_of, not_serving
from sandbox.errors import UsageError

REPOSITORY = Path(__file__).parents[2]
KEY = "gcpkms://projects/some-project/locations/europe-west1/keyRings/state/cryptoKeys/state"
JOB = {"project": "some-project", "location": "europe-west1", "job": "aiprod-migration"}
EXECUTE = [
    *("run", "jobs", "execute", "aiprod-migration"),
    *("--region=europe-west1", "--project=some-project", "--wait"),
]
PROPAGATING = "error: googleapi: Error 400: Service account s@x.iam.gserviceaccount.com does not exist."
STAND_IN = """#!/usr/bin/env python3
import json, pathlib, sys
folder = pathlib.Path({folder!r})
words = [word for word in sys.argv[1:] if not word.startswith("-")]
tool = {tool!r}
name = "-".join([tool, *words[: 3 if tool == "gcloud" else 2 if words[0] == "stack" else 1]])
with (folder / "calls").open("a") as calls:
    calls.write(json.dumps([tool, *sys.argv[1:]]) + "\\n")
count = len(list(folder.glob(name + ".done.*")))
(folder / (name + ".done." + str(count))).touch()
answer = folder / (name + "." + str(count))
code, _, text = answer.read_text().partition("\\n") if answer.exists() else ("0", "", "")
print(text, file=sys.stderr if int(code) else sys.stdout)
sys.exit(int(code))
"""


class Tools:
    """A `pulumi` and a `gcloud` on PATH that answer from a script and keep their calls in one list."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for tool in ("pulumi", "gcloud"):
            script = folder / tool
            script.write_text(STAND_IN.format(folder=str(folder), tool=tool))
            script.chmod(0o755)

    def answer(self, command: str, *answers: tuple[int, str]) -> None:
        for index, (code, text) in enumerate(answers):
            (self.folder / f"{command}.{index}").write_text(f"{code}\n{text}\n")

    def calls(self) -> list[list[str]]:
        path = self.folder / "calls"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def order(self) -> list[str]:
        """What was done, in order: `first`, `migration`, `serving`; looks left out."""
        found: list[str] = []
        for tool, *arguments in self.calls():
            if tool == "gcloud" and "execute" in arguments:
                found.append("migration")
            elif tool == "pulumi" and arguments[0] == "up":
                found.append("first" if "--exclude-dependents" in arguments else "serving")
        return found


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tools:
    folder = tmp_path / "bin"
    folder.mkdir()
    made = Tools(folder)
    made.answer("pulumi-stack-export", *[(0, export(JOB))] * 9)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Pulumi.yaml").write_text(
        "name: aiprod\nruntime: python\nconfig:\n  project_id: {type: string}\n"
        "  release: {type: object, default: {}}\n"
    )
    stack(tmp_path, "  aiprod:release: {images: {api: one}}\n")
    return made


def stack(folder: Path, release: str) -> None:
    (folder / "Pulumi.dev.yaml").write_text(
        f"secretsprovider: {KEY}\nconfig:\n  aiprod:project_id: some-project\n{release}"
    )


def export(migration: Any) -> str:
    outputs = {"outputs": {"migration": migration}} if migration is not None else {}
    root = {"urn": "urn:pulumi:dev::aiprod::pulumi:pulumi:Stack::aiprod-dev", "type": "pulumi:pulumi:Stack"}
    return json.dumps({"version": 3, "deployment": {"resources": [{**root, **outputs}]}})


def up() -> int:
    return main(["up", "--target", "gcp"])


def migrate() -> int:
    return main(["migrate", "--target", "gcp"])


def test_migration_runs_before_what_serves_and_after_all_else(tools: Tools) -> None:
    assert up() == 0
    assert tools.order() == ["first", "migration", "serving"]
    preview, first, last = (call for call in tools.calls() if call[1] in ("preview", "up"))
    assert " ".join(not_serving("dev", "aiprod")) in " ".join(first)
    assert ("--exclude" in last, "--exclude" in preview) == (False, False)
    # To policies the CLI shows what is left out without a property: the whole is judged before and after.
    assert preview[1] == "preview"
    assert ["--policy-pack" in call for call in (preview, first, last)] == [True, False, True]
    assert ["gcloud", *EXECUTE] in tools.calls()


def test_first_part_leaves_services_and_pools_of_any_parent_as_they_are() -> None:
    assert list(not_serving("prod", "aiprod")) == [
        *("--exclude", "urn:pulumi:prod::aiprod::**gcp:cloudrunv2/service:Service::**"),
        *("--exclude", "urn:pulumi:prod::aiprod::**gcp:cloudrunv2/workerPool:WorkerPool::**"),
        "--exclude-dependents",
    ]


def test_fails_when_the_migration_fails_and_leaves_what_serves(
    tools: Tools, capsys: pytest.CaptureFixture[str]
) -> None:
    tools.answer("gcloud-run-jobs-execute", (1, "ERROR: the execution failed"))
    assert up() == 1
    assert tools.order() == ["first", "migration"]
    said = capsys.readouterr().out
    assert "job aiprod-migration failed, so nothing that serves was changed" in said
    assert "docs/runbooks/database-migration.md" in said


def test_after_a_failed_migration_the_same_command_goes_on(tools: Tools) -> None:
    tools.answer("gcloud-run-jobs-execute", (1, "ERROR: the execution failed"))
    assert (up(), up()) == (1, 0)
    assert tools.order() == ["first", "migration", "first", "migration", "serving"]


def test_fails_when_a_policy_refuses_the_whole_before_anything_changes(tools: Tools) -> None:
    tools.answer("pulumi-preview", (255, "error: preview failed"))
    assert up() == 1
    assert tools.order() == []


def test_fails_when_the_first_part_fails_and_migrates_nothing(tools: Tools) -> None:
    tools.answer("pulumi-up", (255, "error: googleapi: Error 429: Quota exceeded"))
    assert up() == 1
    assert tools.order() == ["first"]


def test_fails_when_an_execution_has_not_ended(tools: Tools, capsys: pytest.CaptureFixture[str]) -> None:
    tools.answer("gcloud-run-jobs-executions", (0, "aiprod-migration-x7d2p"))
    assert up() == 1
    assert tools.order() == ["first"]
    assert "aiprod-migration-x7d2p of job aiprod-migration runs already" in capsys.readouterr().out


def test_fails_when_executions_cannot_be_listed(tools: Tools, capsys: pytest.CaptureFixture[str]) -> None:
    tools.answer("gcloud-run-jobs-executions", (1, "ERROR: permission denied"))
    assert up() == 2
    assert tools.order() == ["first"]
    assert "gcloud cannot list the executions of job aiprod-migration in europe-west1 (ERROR: " in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize("release", ["", "  aiprod:release: {}\n"])
def test_without_a_release_there_is_one_part_and_no_migration(
    tmp_path: Path, tools: Tools, release: str
) -> None:
    stack(tmp_path, release)
    (tools.folder / "gcloud").unlink()
    assert up() == 0
    assert tools.order() == ["serving"]


@pytest.mark.parametrize("output", [{}, None])
def test_a_program_without_a_migration_runs_none(tools: Tools, output: Any) -> None:
    tools.answer("pulumi-stack-export", *[(0, export(output))] * 9)
    assert up() == 0
    assert tools.order() == ["first", "serving"]


def test_fails_before_anything_starts_when_gcloud_is_missing(
    tools: Tools, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tools.folder / "gcloud").unlink()
    monkeypatch.setenv("PATH", str(tools.folder))
    assert up() == 2
    assert "the Google Cloud CLI (gcloud) is not on PATH: install it" in capsys.readouterr().err
    assert tools.calls() == []


def test_both_parts_are_repeated_on_propagation_only(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("review.real_cli.WAIT_SECONDS", (0, 0, 0))
    tools.answer("pulumi-up", (255, PROPAGATING), (0, ""), (255, "error: something else"))
    assert up() == 1
    assert tools.order() == ["first", "first", "migration", "serving"]


def test_person_runs_the_job_of_the_last_up_alone(tools: Tools) -> None:
    assert migrate() == 0
    assert tools.order() == ["migration"]


@pytest.mark.parametrize(
    ("command", "answer", "said"),
    [
        ("gcloud-run-jobs-execute", (1, "ERROR"), "job aiprod-migration failed"),
        ("pulumi-stack-export", (0, export({})), "stack dev has no migration: without a release"),
    ],
)
def test_fails_when_a_person_has_nothing_that_succeeds(
    tools: Tools,
    capsys: pytest.CaptureFixture[str],
    command: str,
    answer: tuple[int, str],
    said: str,
) -> None:
    tools.answer(command, answer)
    assert migrate() == 1
    assert said in capsys.readouterr().out


def test_sandbox_says_what_it_would_run_and_runs_nothing(
    tools: Tools, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(REPOSITORY)
    assert main(["migrate", "--stack", "prod"]) == 0
    assert (
        "migrate (sandbox): nothing is run. TARGET=gcp would run gcloud run jobs execute aiprod-migration "
        "--region=europe-west1 --project=aiprod-484120 --wait"
    ) in capsys.readouterr().out
    assert tools.calls() == []


@pytest.mark.parametrize(
    "output", ["job", {"job": "j"}, {**JOB, "location": ""}, {**JOB, "project": None}, [JOB]]
)
def test_fails_when_the_output_does_not_name_the_job(output: Any) -> None:
    with pytest.raises(UsageError, match="output migration must name project, location, job, got"):
        job_of({"migration": output})


def test_ctrl_c_while_it_waits_says_that_the_job_goes_on(
    tools: Tools, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import subprocess

    original: Callable[..., Any] = subprocess.run

    def struck(command: list[str], **options: Any) -> Any:
        if "execute" in command:
            raise KeyboardInterrupt
        return original(command, **options)

    monkeypatch.setattr("review.migration.subprocess.run", struck)
    assert up() == 130
    assert tools.order() == ["first"]
    assert "interrupted; the job goes on at Google" in capsys.readouterr().err


def test_job_is_what_the_output_names() -> None:
    assert job_of({"migration": JOB}) == MigrationJob(**JOB)
