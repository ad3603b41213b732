from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.foundation.secret import Rotation, Secret, SecretArgs
from tests.recording import Build, Recorder

ROTATION = Rotation(
    period_seconds=5_184_000,
    next_rotation_time="2027-01-31T00:00:00Z",
    topic_id="projects/project/topics/rotation",
)


def example_args(**changes: Any) -> SecretArgs:
    args = SecretArgs(
        project_id="project",
        secret_id="suno-api-key",
        replicas={"europe-west1": "key-1", "europe-west4": "key-4"},
        rotation=ROTATION,
        labels={"system": "aiprod"},
        accessors={"api": "serviceAccount:a@example.com"},
        version_adders={"platform": "group:p@example.com"},
    )
    return replace(args, **changes)


def test_each_replica_has_the_key_of_its_region(build: Build, recorder: Recorder) -> None:
    build(lambda: Secret("suno", example_args()))
    replicas = recorder.one("secret:Secret").inputs["replication"]["userManaged"]["replicas"]
    assert {r["location"]: r["customerManagedEncryption"]["kmsKeyName"] for r in replicas} == {
        "europe-west1": "key-1",
        "europe-west4": "key-4",
    }


def test_rotation_announces_itself_on_the_topic(build: Build, recorder: Recorder) -> None:
    build(lambda: Secret("suno", example_args()))
    secret = recorder.one("secret:Secret")
    assert secret.inputs["rotation"] == {
        "rotationPeriod": "5184000s",
        "nextRotationTime": "2027-01-31T00:00:00Z",
    }
    assert secret.inputs["topics"] == [{"name": "projects/project/topics/rotation"}]


def test_what_google_and_the_rotator_move_is_ignored(build: Build, recorder: Recorder) -> None:
    build(lambda: Secret("suno", example_args()))
    assert recorder.one("secret:Secret").ignore_changes == ("rotation.nextRotationTime", "versionAliases")


def test_access_is_granted_on_this_secret_by_capability(build: Build, recorder: Recorder) -> None:
    build(lambda: Secret("suno", example_args()))
    assert {(r.name, r.inputs["role"], r.inputs["member"]) for r in recorder.of_type("SecretIamMember")} == {
        ("suno-accessor-api", "roles/secretmanager.secretAccessor", "serviceAccount:a@example.com"),
        ("suno-adder-platform", "roles/secretmanager.secretVersionAdder", "group:p@example.com"),
    }


def test_no_value_and_no_version_is_made(build: Build, recorder: Recorder) -> None:
    build(lambda: Secret("suno", example_args(accessors={}, version_adders={})))
    assert [r.type for r in recorder.resources if r.custom] == ["gcp:secretmanager/secret:Secret"]


@pytest.mark.parametrize("protected", [True, False])
def test_one_switch_moves_every_protection(build: Build, recorder: Recorder, protected: bool) -> None:
    build(lambda: Secret("suno", example_args(deletion_protection=protected)))
    secret = recorder.one("secret:Secret")
    assert (secret.protect, secret.inputs["deletionProtection"]) == (protected, protected)


@pytest.mark.parametrize("seconds", [3_599, 7_776_001])
def test_fails_when_the_period_is_outside_1_hour_to_90_days(seconds: int) -> None:
    with pytest.raises(
        ValueError, match=f"period_seconds must be between 3600 and 7776000 seconds, got {seconds}"
    ):
        replace(ROTATION, period_seconds=seconds)


@pytest.mark.parametrize("moment", ["2027-01-31T00:00:00", "tomorrow"])
def test_fails_when_the_next_rotation_has_no_zone_or_is_no_time(moment: str) -> None:
    with pytest.raises(ValueError, match="next_rotation_time must be a time with its zone"):
        replace(ROTATION, next_rotation_time=moment)


def test_fails_when_there_is_only_one_replica() -> None:
    with pytest.raises(ValueError, match="replicas must name at least 2 regions, got 1"):
        example_args(replicas={"europe-west1": "key"})
    assert example_args(replicas={"europe-west1": "key"}, one_region=True)
    with pytest.raises(ValueError, match="replicas must name at least 1 regions, got 0"):
        example_args(replicas={}, one_region=True)


@pytest.mark.parametrize("seconds", [86_399, 7_776_001])
def test_fails_when_the_rollback_window_is_outside_1_to_90_days(seconds: int) -> None:
    with pytest.raises(ValueError, match="version_destroy_ttl_seconds must be between 86400 and 7776000"):
        example_args(version_destroy_ttl_seconds=seconds)


@pytest.mark.parametrize("field", ["accessors", "version_adders"])
def test_fails_when_a_member_is_in_a_wrong_form(field: str) -> None:
    with pytest.raises(ValueError, match=rf"{field}\.worker must be written as serviceAccount:"):
        example_args(**{field: {"worker": "aiprod-worker@p.iam.gserviceaccount.com"}})
