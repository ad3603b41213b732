"""The two parts of a deployment on the real Pulumi CLI: what serves changes in the second one only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from review.migration import MigrationJob, job_of, not_serving
from review.options import workspace
from sandbox.plugin.cli import CliStep, SandboxCli
from tests.end_to_end.conftest import Platform

pytestmark = [pytest.mark.real_cli]

JOB = "gcp:cloudrunv2/job:Job"
SERVICE = "gcp:cloudrunv2/service:Service"
POOL = "gcp:cloudrunv2/workerPool:WorkerPool"
FIRST = not_serving("dev", "aiprod")


def kinds(steps: Iterable[CliStep]) -> set[tuple[str, str]]:
    """Operation and kind of what starts an image."""
    found = ((step.op, step.urn.split("::")[2].rsplit("$", 1)[-1]) for step in steps)
    return {(op, kind) for op, kind in found if op != "same" and kind in (JOB, SERVICE, POOL)}


def outputs(cli: SandboxCli) -> Mapping[str, Any]:
    states: list[dict[str, Any]] = cli.export()["deployment"]["resources"]
    return next(state["outputs"] for state in states if state["type"] == "pulumi:pulumi:Stack")


def opened(platform: Platform) -> SandboxCli:
    work = workspace(platform.folder)
    return SandboxCli(work.program, "dev", work.settings("dev"), platform.folder / ".sandbox" / "cli" / "dev")


def test_what_serves_changes_after_the_migration_could_run(platform: Platform) -> None:
    release = platform.without_release("dev")
    assert platform.run("up", "--target", "sandbox-cli").code == 0
    before = kinds(opened(platform).up())
    assert before == set(), "a second up changes nothing"
    assert job_of(outputs(opened(platform))) is None

    platform.edit("dev", lambda config: config.update({"aiprod:release": release}))
    cli = opened(platform)
    assert kinds(cli.up_but(*FIRST)) == {("create", JOB)}
    assert job_of(outputs(cli)) == MigrationJob(
        project="aiprod-example", location="europe-west1", job="aiprod-migration"
    )
    # The rotator, whose image Google builds, learns of the revisions that it must wait for.
    assert kinds(cli.up()) == {("create", SERVICE), ("create", POOL), ("update", SERVICE)}

    release["images"]["api"] = "europe-docker.pkg.dev/aiprod-484120/aiprod/api@sha256:" + "c" * 64
    platform.edit("dev", lambda config: config.update({"aiprod:release": release}))
    cli = opened(platform)
    assert kinds(cli.up_but(*FIRST)) == {("update", JOB)}
    assert kinds(cli.up()) == {("update", SERVICE)}
    assert kinds(cli.up()) == set()
