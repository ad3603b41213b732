"""The migration job in the sandbox: up, again, one change of each kind, without its release, down."""

from __future__ import annotations

import json
from typing import Any

from tests.end_to_end.conftest import Platform, Result

JOB = "gcp:cloudrunv2/job:Job"
GRANT = "gcp:cloudrunv2/jobIamMember:JobIamMember"


def steps(result: Result) -> set[tuple[str, str]]:
    assert result.code == 0, result.output + result.error
    return {(step["op"], step["type"]) for step in result.report["steps"] if step["op"] != "same"}


def change(platform: Platform, **migration: Any) -> Result:
    platform.edit("dev", lambda config: config.update({"aiprod:migration": migration}))
    return platform.run("up")


def test_job_comes_up_stays_and_takes_a_change_of_each_kind(platform: Platform) -> None:
    assert ("create", JOB) in steps(platform.run("up"))
    assert steps(platform.run("up")) == set()
    assert steps(change(platform, command=["alembic", "upgrade", "1f2e3d"])) == {("update", JOB)}
    assert steps(change(platform, timeout_seconds=7_200, memory="2Gi")) == {("update", JOB)}
    granted = steps(change(platform, operators=["dba@example.com"]))
    assert granted >= {("update", JOB), ("create", GRANT)}
    assert steps(change(platform, operators=["dba@example.com"])) == set()


def test_fails_when_the_migrations_image_is_not_there(platform: Platform) -> None:
    registry = "europe-docker.pkg.dev/aiprod-484120/aiprod"
    known, unknown = f"{registry}/known@sha256:{'e' * 64}", f"{registry}/unknown@sha256:{'f' * 64}"
    fixture = platform.folder / "fixture.yaml"
    vendor = platform.config("dev")["aiprod:release"]["secret_versions"]
    versions = {f"projects/aiprod-example/secrets/{name}": [1] for name in vendor}
    fixture.write_text(json.dumps({"images": [known], "secret_versions": versions}))
    images = {"api": known, "worker": known, "migration": unknown}
    platform.edit("dev", lambda config: config["aiprod:release"].update(images=images))
    refused = platform.run("preview", "--fixture", str(fixture))
    assert refused.code == 1
    assert "template.template.containers[0].image" in refused.output + refused.error
