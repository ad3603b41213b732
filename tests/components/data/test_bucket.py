"""The bucket: never public, encrypted, versioned, and who may use it."""

from __future__ import annotations

from typing import Any

import pytest

from components.data.bucket import (
    AbortUploads,
    Bucket,
    BucketArgs,
    Cors,
    DeleteLive,
    DeleteNoncurrent,
    MoveToColder,
)
from tests.recording import Build, Recorder


def example_args(**changes: Any) -> BucketArgs:
    """The smallest legal arguments."""
    values: dict[str, Any] = {
        "project": "p-example",
        "bucket_name": "p-example-uploads",
        "location": "europe-west1",
        "kms_key": "projects/p-example/locations/europe-west1/keyRings/r/cryptoKeys/k",
        "labels": {"system": "aiprod"},
    }
    return BucketArgs(**{**values, **changes})


def inputs_of(build: Build, recorder: Recorder, **changes: Any) -> Any:
    build(lambda: Bucket("uploads", example_args(**changes)))
    return recorder.one("storage/bucket:Bucket").inputs


def test_bucket_is_private_versioned_and_encrypted(build: Build, recorder: Recorder) -> None:
    assert inputs_of(build, recorder) == {
        "project": "p-example",
        "name": "p-example-uploads",
        "location": "europe-west1",
        "uniformBucketLevelAccess": True,
        "publicAccessPrevention": "enforced",
        "forceDestroy": False,
        "versioning": {"enabled": True},
        "lifecycleRules": [
            {
                "action": {"type": "Delete"},
                "condition": {"daysSinceNoncurrentTime": 30, "withState": "ARCHIVED"},
            },
            {"action": {"type": "AbortIncompleteMultipartUpload"}, "condition": {"age": 1}},
        ],
        "softDeletePolicy": {"retentionDurationSeconds": 604800},
        "encryption": {
            "defaultKmsKeyName": "projects/p-example/locations/europe-west1/keyRings/r/cryptoKeys/k"
        },
        "labels": {"system": "aiprod"},
    }


def test_each_lifecycle_rule_has_one_action_and_its_condition(build: Build, recorder: Recorder) -> None:
    lifecycle = (
        DeleteLive(days=90),
        DeleteNoncurrent(days=7),
        MoveToColder(days=30, storage_class="NEARLINE"),
        AbortUploads(days=2),
    )
    assert inputs_of(build, recorder, lifecycle=lifecycle)["lifecycleRules"] == [
        {"action": {"type": "Delete"}, "condition": {"age": 90, "withState": "LIVE"}},
        {"action": {"type": "Delete"}, "condition": {"daysSinceNoncurrentTime": 7, "withState": "ARCHIVED"}},
        {
            "action": {"type": "SetStorageClass", "storageClass": "NEARLINE"},
            "condition": {"age": 30, "withState": "LIVE"},
        },
        {"action": {"type": "AbortIncompleteMultipartUpload"}, "condition": {"age": 2}},
    ]


def test_cors_names_the_pages_that_may_upload(build: Build, recorder: Recorder) -> None:
    cors = Cors(origins=("https://app.example",), methods=("PUT",))
    assert inputs_of(build, recorder, cors=cors)["cors"] == [
        {
            "origins": ["https://app.example"],
            "methods": ["PUT"],
            "responseHeaders": ["Content-Type"],
            "maxAgeSeconds": 3600,
        }
    ]


def test_each_capability_gets_its_own_role(build: Build, recorder: Recorder) -> None:
    inputs_of(
        build,
        recorder,
        readers={"worker": "serviceAccount:w"},
        creators={"api": "serviceAccount:a"},
        writers={"batch": "serviceAccount:b"},
    )
    grants = recorder.of_type("storage/bucketIAMMember:BucketIAMMember")
    assert {(g.name, g.inputs["role"], g.inputs["member"]) for g in grants} == {
        ("uploads-reader-worker", "roles/storage.objectViewer", "serviceAccount:w"),
        ("uploads-creator-api", "roles/storage.objectCreator", "serviceAccount:a"),
        ("uploads-writer-batch", "roles/storage.objectUser", "serviceAccount:b"),
    }
    assert {g.inputs["bucket"] for g in grants} == {"p-example-uploads"}


def test_nobody_gets_a_grant_without_being_named(build: Build, recorder: Recorder) -> None:
    inputs_of(build, recorder)
    assert recorder.of_type("BucketIAMMember") == []


@pytest.mark.parametrize("protection", [True, False])
def test_protection_keeps_bucket_and_objects_from_one_field(
    build: Build, recorder: Recorder, protection: bool
) -> None:
    inputs = inputs_of(build, recorder, deletion_protection=protection)
    assert inputs["forceDestroy"] is not protection
    assert recorder.one("storage/bucket:Bucket").protect is protection


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bucket_name": "Uploads"}, "Uploads"),
        ({"bucket_name": "my-google-bucket"}, "google"),
        ({"soft_delete_days": 6}, "soft_delete_days must be between 7 and 90 days"),
        ({"soft_delete_days": 91}, "soft_delete_days must be between 7 and 90 days"),
    ],
)
def test_fails_when_a_field_is_what_google_refuses(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        example_args(**changes)


@pytest.mark.parametrize("rule", [DeleteLive, DeleteNoncurrent, AbortUploads])
def test_fails_when_a_rule_has_no_days(rule: Any) -> None:
    with pytest.raises(ValueError, match="days must be 1 day or more, got 0"):
        rule(days=0)


def test_fails_when_moving_to_a_colder_class_at_once() -> None:
    with pytest.raises(ValueError, match=r"MoveToColder.days must be 1 day or more, got 0"):
        MoveToColder(days=0, storage_class="NEARLINE")
    assert MoveToColder(days=1, storage_class="NEARLINE").days == 1


@pytest.mark.parametrize("seconds", [-1, 86_401])
def test_fails_when_browsers_may_keep_the_answer_too_long(seconds: int) -> None:
    with pytest.raises(
        ValueError, match=f"max_age_seconds must be between 0 and 86400 seconds, got {seconds}"
    ):
        Cors(origins=("https://app.example",), methods=("GET",), max_age_seconds=seconds)


def test_soft_delete_can_be_switched_off(build: Build, recorder: Recorder) -> None:
    inputs = inputs_of(build, recorder, soft_delete_days=0)
    assert inputs["softDeletePolicy"] == {"retentionDurationSeconds": 0}


def test_fails_when_a_cors_origin_is_a_star() -> None:
    with pytest.raises(ValueError, match=r"origins must begin with https://, got '\*'"):
        Cors(origins=("*",), methods=("GET",))


def test_autoclass_moves_what_nobody_reads(build: Build, recorder: Recorder) -> None:
    build(lambda: Bucket("bucket", example_args(autoclass="ARCHIVE")))
    found = recorder.one("storage/bucket:Bucket").inputs
    assert found["autoclass"] == {"enabled": True, "terminalStorageClass": "ARCHIVE"}
    assert "retentionPolicy" not in found


def test_retention_is_told_in_seconds(build: Build, recorder: Recorder) -> None:
    build(lambda: Bucket("bucket", example_args(versioning=False, retention_days=30)))
    found = recorder.one("storage/bucket:Bucket").inputs
    assert found["retentionPolicy"] == {"retentionPeriod": "2592000"}
    assert "autoclass" not in found


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"retention_days": 30}, "retention_days must be left out beside versioning, got 30"),
        (
            {"versioning": False, "retention_days": 0},
            "retention_days must be between 1 and 36500 days, got 0",
        ),
        (
            {"autoclass": "ARCHIVE", "lifecycle": (MoveToColder(days=30, storage_class="NEARLINE"),)},
            "autoclass must be left out beside MoveToColder",
        ),
    ],
)
def test_fails_when_classes_or_retention_contradict(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        example_args(**changes)
