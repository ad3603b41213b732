"""Log buckets and the sinks that fill them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.observability.log_archive import LogArchive, LogArchiveArgs
from tests.recording import Build, Recorder

BUCKET = "logging/projectBucketConfig:ProjectBucketConfig"
SINK = "logging/projectSink:ProjectSink"


def example_args(**changes: Any) -> LogArchiveArgs:
    return replace(
        LogArchiveArgs(
            project="project",
            location="europe-west1",
            retention_days=90,
            security_retention_days=400,
            exclusions={"debug": "severity<=DEBUG AND severity<WARNING"},
            kms_key_id="key",
        ),
        **changes,
    )


def test_buckets_are_regional_encrypted_and_kept_as_long_as_said(build: Build, recorder: Recorder) -> None:
    build(lambda: LogArchive("logs", example_args()))
    made = {
        bucket.name: (
            bucket.inputs["bucketId"],
            bucket.inputs["location"],
            bucket.inputs["retentionDays"],
            bucket.inputs["cmekSettings"],
        )
        for bucket in recorder.of_type(BUCKET)
    }
    assert made == {
        "logs": ("logs-abcd", "europe-west1", 90, {"kmsKeyName": "key"}),
        "logs-security": ("logs-security-abcd", "europe-west1", 400, {"kmsKeyName": "key"}),
    }


def test_everything_goes_to_the_first_bucket_but_named_noise(build: Build, recorder: Recorder) -> None:
    build(lambda: LogArchive("logs", example_args()))
    sink = recorder.one(SINK, "logs").inputs
    assert sink["destination"] == "logging.googleapis.com/logs-id"
    assert "filter" not in sink
    assert sink["exclusions"] == [{"name": "debug", "filter": "severity<=DEBUG AND severity<WARNING"}]


def test_no_second_copy_lies_in_the_global_bucket(build: Build, recorder: Recorder) -> None:
    build(lambda: LogArchive("logs", example_args()))
    exclusion = recorder.one("logging/projectExclusion:ProjectExclusion")
    assert exclusion.inputs["filter"] == "severity>=DEFAULT"


def test_audit_entries_and_denials_go_to_the_second(build: Build, recorder: Recorder) -> None:
    build(lambda: LogArchive("logs", example_args()))
    sink = recorder.one(SINK, "logs-security").inputs
    assert sink["destination"] == "logging.googleapis.com/logs-security-id"
    assert 'log_id("cloudaudit.googleapis.com/data_access")' in sink["filter"]
    assert 'jsonPayload.enforcedSecurityPolicy.outcome="DENY"' in sink["filter"]
    assert "exclusions" not in sink


def test_sinks_to_buckets_of_the_same_project_get_no_grant(build: Build, recorder: Recorder) -> None:
    build(lambda: LogArchive("logs", example_args()))
    assert not [resource.type for resource in recorder.resources if "iAM" in resource.type]


def test_one_bucket_serves_where_security_needs_no_longer(build: Build, recorder: Recorder) -> None:
    made = build(lambda: LogArchive("logs", example_args(security_retention_days=None)))
    assert recorder.names(BUCKET) == ["logs"]
    assert build.resolve(made.security_bucket_id) == build.resolve(made.bucket_id) == "logs-id"


def test_without_a_key_google_s_own_is_used(build: Build, recorder: Recorder) -> None:
    build(lambda: LogArchive("logs", example_args(kms_key_id=None)))
    assert "cmekSettings" not in recorder.one(BUCKET, "logs").inputs


@pytest.mark.parametrize("days", [0, 3651])
def test_fails_when_retention_is_outside_1_to_3650_days(days: int) -> None:
    with pytest.raises(ValueError, match=f"between 1 and 3650 days, got {days}"):
        example_args(retention_days=days)
    with pytest.raises(ValueError, match=f"security_retention_days must be .*got {days}"):
        example_args(security_retention_days=days)


def test_fails_when_an_exclusion_could_drop_warnings_or_there_are_too_many() -> None:
    with pytest.raises(ValueError, match=r"exclusions\.noise must contain severity<WARNING"):
        example_args(exclusions={"noise": 'resource.type="x"'})
    with pytest.raises(ValueError, match="at most 50, got 51"):
        example_args(exclusions={f"e{i}": "severity<WARNING" for i in range(51)})
