"""`python -m review project`, `primaries`, `queue`, `schedules`: what scripts ask before they ask Google."""

from __future__ import annotations

import pytest

from review.cli import main
from tests.stack_files import ROOT


def ask(monkeypatch: pytest.MonkeyPatch, *options: str) -> int:
    monkeypatch.chdir(ROOT)
    return main(["project", "--command", "rotate", *options])


def test_prints_the_project_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(monkeypatch, "--stack", "dev", "--secret", "aiprod-database-password") == 0
    assert capsys.readouterr() == ("aiprod-example\n", "")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--stack", "zz"), "rotate: stack 'zz' is unknown: Pulumi.zz.yaml does not exist"),
        (("--stack", "dev", "--target", "gcp"), "rotate: Pulumi.dev.yaml: REPLACE_ME is left over in "),
        (
            ("--stack", "prod", "--secret", "nope"),
            "rotate: SECRET must be one that prod declares, got 'nope': name aiprod-cache-auth, ",
        ),
    ],
)
def test_refuses_in_one_sentence(
    options: tuple[str, ...],
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert ask(monkeypatch, *options) == 2
    said = capsys.readouterr()
    assert said.err.startswith(sentence)
    assert (said.out, said.err.count("\n")) == ("", 1)


def test_prints_the_databases_that_take_writes_and_no_replica(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    assert main(["primaries", "--stack", "prod"]) == 0
    _project, *found = capsys.readouterr().out.split()
    assert found == ["aiprod-postgres"]
    assert main(["primaries", "--stack", "zz", "--command", "database-roles"]) == 2
    assert capsys.readouterr().err.startswith("database-roles: stack 'zz' is unknown")


@pytest.mark.parametrize(("queue", "topic"), [("jobs", "pipeline-jobs"), ("batch", "batch-jobs")])
def test_prints_where_a_queue_and_its_dead_letters_are(
    queue: str, topic: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    assert main(["queue", "--stack", "dev", "--queue", queue]) == 0
    kept = {"jobs": "job-processor-dlq", "batch": "batch-processor-dlq"}[queue]
    assert capsys.readouterr().out == f"aiprod-example europe-west1 aiprod-{topic} aiprod-{kept}\n"
    assert main(["queue", "--stack", "dev", "--queue", "nope", "--command", "replay"]) == 2
    said = capsys.readouterr().err
    assert said == (
        "replay: QUEUE must be one that dev declares, got 'nope': name batch, jobs, notifications, results\n"
    )


def test_prints_what_a_release_walks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    assert main(["walked", "--stack", "prod"]) == 0
    service = "services/aiprod-v33-api"
    objective = "objective projects/aiprod-484120/services/api/serviceLevelObjectives/api-"
    assert capsys.readouterr().out.splitlines() == [
        "aiprod-484120",
        f"service projects/aiprod-484120/locations/europe-west1/{service}",
        f"service projects/aiprod-484120/locations/europe-west4/{service}",
        f"{objective}availability",
        f"{objective}latency",
        "latency 1000",
    ]
    assert main(["walked", "--stack", "dev", "--command", "release"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("release: STACK must be one whose traffic a release owns, got 'dev'")


@pytest.mark.parametrize("moment", ["start", "stop"])
def test_prints_the_jobs_that_keep_office_hours(
    moment: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    assert main(["schedules", "--stack", "dev", "--moment", moment]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "aiprod-example",
        f"europe-west1 office-hours-database-{moment}",
        f"europe-west1 office-hours-scaler-{moment}",
        f"europe-west1 office-hours-worker-{moment}",
    ]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            ("--stack", "prod"),
            "sleep: STACK must be one that keeps office hours, got 'prod', of which nothing",
        ),
        (("--stack", "zz"), "sleep: stack 'zz' is unknown"),
        (("--stack", "dev", "--target", "gcp"), "sleep: Pulumi.dev.yaml: REPLACE_ME is left over in "),
    ],
)
def test_refuses_what_has_nothing_to_stop(
    options: tuple[str, ...],
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(ROOT)
    assert main(["schedules", "--command", "sleep", "--moment", "stop", *options]) == 2
    said = capsys.readouterr()
    assert said.err.startswith(sentence)
    assert (said.out, said.err.count("\n")) == ("", 1)
