from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.delivery.image_mirror import ImageMirror, ImageMirrorArgs
from tests.recording import Build, Recorder

COLLECTOR = "projects/cloud-ops-agents-artifacts/locations/us/repositories/cloud-run-gmp-sidecar"


def example_args(**changes: Any) -> ImageMirrorArgs:
    args = ImageMirrorArgs(
        project_id="project",
        location="europe",
        repository_id="collector",
        upstream=COLLECTOR,
        kms_key_id="projects/project/locations/europe/keyRings/r/cryptoKeys/images",
        labels={"system": "aiprod"},
        readers={"dev-run": "serviceAccount:service-1@serverless-robot-prod.iam.gserviceaccount.com"},
    )
    return replace(args, **changes)


def test_fetches_from_upstream_and_keeps_under_the_key(build: Build, recorder: Recorder) -> None:
    build(lambda: ImageMirror("mirror", example_args()))
    inputs = recorder.one("Repository").inputs
    assert (inputs["mode"], inputs["remoteRepositoryConfig"]["commonRepository"]) == (
        "REMOTE_REPOSITORY",
        {"uri": COLLECTOR},
    )
    assert inputs["kmsKeyName"].endswith("cryptoKeys/images")
    assert inputs["cleanupPolicies"][0]["condition"] == {"tagState": "ANY", "olderThan": "7776000s"}


def test_readers_pull_and_nobody_pushes(build: Build, recorder: Recorder) -> None:
    mirror = build(lambda: ImageMirror("mirror", example_args()))
    assert build.resolve(mirror.url) == "europe-docker.pkg.dev/project/collector"
    grants = {(one.name, one.inputs["role"]) for one in recorder.of_type("RepositoryIamMember")}
    assert grants == {("mirror-reader-dev-run", "roles/artifactregistry.reader")}


@pytest.mark.parametrize("upstream", [COLLECTOR, "https://ghcr.io", "https://registry-1.docker.io/library"])
def test_takes_a_repository_or_a_registry(upstream: str) -> None:
    assert example_args(upstream=upstream).upstream == upstream


@pytest.mark.parametrize(
    "upstream", ["", "ghcr.io", "http://ghcr.io", "https://", "projects/p/repositories/r", COLLECTOR + "/x"]
)
def test_fails_when_upstream_is_neither(upstream: str) -> None:
    with pytest.raises(
        ValueError, match=r"upstream must be projects/P/locations/L/repositories/R or https://"
    ):
        example_args(upstream=upstream)


def test_what_runs_is_kept_however_old(build: Build, recorder: Recorder) -> None:
    build(lambda: ImageMirror("mirror", example_args(keep_versions=5)))
    policies = {one["id"]: one for one in recorder.one("Repository").inputs["cleanupPolicies"]}
    assert policies["keep-newest"]["mostRecentVersions"] == {"keepCount": 5}


@pytest.mark.parametrize("count", [0, 101])
def test_fails_when_kept_versions_are_outside_1_to_100(count: int) -> None:
    with pytest.raises(ValueError, match=f"keep_versions must be between 1 and 100 versions, got {count}"):
        example_args(keep_versions=count)


@pytest.mark.parametrize("days", [0, 366])
def test_fails_when_images_stay_no_day_or_over_a_year(days: int) -> None:
    with pytest.raises(ValueError, match=f"delete_after_days must be between 1 and 365 days, got {days}"):
        example_args(delete_after_days=days)
