from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.delivery.state_bucket import StateBucket, StateBucketArgs
from tests.recording import Build, Recorder


def example_args(**changes: Any) -> StateBucketArgs:
    args = StateBucketArgs(
        project_id="project",
        bucket_name="project-pulumi-state",
        location="europe-west1",
        kms_key_id="projects/project/locations/europe-west1/keyRings/r/cryptoKeys/state",
        labels={"system": "aiprod"},
    )
    return replace(args, **changes)


def test_state_survives_mistakes(build: Build, recorder: Recorder) -> None:
    build(lambda: StateBucket("state", example_args()))
    bucket = recorder.one("bucket:Bucket")
    assert bucket.protect
    assert bucket.inputs["forceDestroy"] is False
    assert bucket.inputs["versioning"] == {"enabled": True}
    assert bucket.inputs["softDeletePolicy"] == {"retentionDurationSeconds": 2_592_000}
    assert bucket.inputs["lifecycleRules"][0] == {
        "action": {"type": "Delete"},
        "condition": {"numNewerVersions": 100, "daysSinceNoncurrentTime": 90},
    }


def test_no_retention_policy_blocks_lock_files(build: Build, recorder: Recorder) -> None:
    build(lambda: StateBucket("state", example_args()))
    assert "retentionPolicy" not in recorder.one("bucket:Bucket").inputs


def test_state_is_private_and_encrypted(build: Build, recorder: Recorder) -> None:
    state = build(lambda: StateBucket("state", example_args()))
    bucket = recorder.one("bucket:Bucket")
    assert bucket.inputs["publicAccessPrevention"] == "enforced"
    assert bucket.inputs["uniformBucketLevelAccess"] is True
    assert bucket.inputs["encryption"]["defaultKmsKeyName"].endswith("cryptoKeys/state")
    assert build.resolve(state.url) == "gs://project-pulumi-state"


def test_fails_when_the_name_is_not_what_google_accepts() -> None:
    with pytest.raises(ValueError, match="bucket name must have only"):
        example_args(bucket_name="State.Bucket")
