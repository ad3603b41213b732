from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.delivery.image_repository import ImageRepository, ImageRepositoryArgs
from tests.recording import Build, Recorder


def example_args(**changes: Any) -> ImageRepositoryArgs:
    args = ImageRepositoryArgs(
        project_id="project",
        location="europe",
        repository_id="aiprod",
        kms_key_id="projects/project/locations/europe/keyRings/r/cryptoKeys/images",
        labels={"system": "aiprod"},
        readers={"viewer": "user:v@example.com"},
        writers={"ci": "serviceAccount:c@example.com"},
    )
    return replace(args, **changes)


def test_tags_never_move_and_images_are_encrypted(build: Build, recorder: Recorder) -> None:
    build(lambda: ImageRepository("images", example_args()))
    repository = recorder.one("Repository")
    assert repository.inputs["dockerConfig"] == {"immutableTags": True}
    assert repository.inputs["kmsKeyName"].endswith("cryptoKeys/images")


def test_clean_up_keeps_what_a_rollback_needs(build: Build, recorder: Recorder) -> None:
    build(lambda: ImageRepository("images", example_args(delete_untagged_after_days=10, keep_versions=5)))
    policies = {policy["id"]: policy for policy in recorder.one("Repository").inputs["cleanupPolicies"]}
    assert policies["delete-untagged"]["condition"] == {"tagState": "UNTAGGED", "olderThan": "864000s"}
    assert policies["keep-newest"]["mostRecentVersions"] == {"keepCount": 5}


def test_url_names_location_project_and_repository(build: Build) -> None:
    repository = build(lambda: ImageRepository("images", example_args()))
    assert build.resolve(repository.url) == "europe-docker.pkg.dev/project/aiprod"


def test_readers_and_writers_are_granted_on_the_repository(build: Build, recorder: Recorder) -> None:
    build(lambda: ImageRepository("images", example_args()))
    assert {(r.name, r.inputs["role"]) for r in recorder.of_type("RepositoryIamMember")} == {
        ("images-reader-viewer", "roles/artifactregistry.reader"),
        ("images-writer-ci", "roles/artifactregistry.writer"),
    }


@pytest.mark.parametrize("days", [0, 366])
def test_fails_when_untagged_images_stay_no_day_or_over_a_year(days: int) -> None:
    with pytest.raises(ValueError, match=f"between 1 and 365 days, got {days}"):
        example_args(delete_untagged_after_days=days)


@pytest.mark.parametrize("count", [0, 101])
def test_fails_when_kept_versions_are_outside_1_to_100(count: int) -> None:
    with pytest.raises(ValueError, match=f"between 1 and 100 versions, got {count}"):
        example_args(keep_versions=count)
