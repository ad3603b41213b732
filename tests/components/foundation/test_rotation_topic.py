from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.foundation.rotation_topic import RotationTopic, RotationTopicArgs
from tests.recording import Build, Recorder


def example_args(**changes: Any) -> RotationTopicArgs:
    args = RotationTopicArgs(
        project_id="project",
        kms_key_id="projects/project/locations/europe-west1/keyRings/r/cryptoKeys/pubsub",
        secret_manager_agent="serviceAccount:agent@example.com",
        regions=("europe-west1",),
        labels={"system": "aiprod"},
    )
    return replace(args, **changes)


def test_secret_managers_agent_may_publish(build: Build, recorder: Recorder) -> None:
    build(lambda: RotationTopic("rotation", example_args()))
    grant = recorder.one("TopicIAMMember")
    assert (grant.inputs["role"], grant.inputs["member"], grant.inputs["topic"]) == (
        "roles/pubsub.publisher",
        "serviceAccount:agent@example.com",
        "rotation",
    )


def test_messages_stay_in_the_named_regions_under_their_key(build: Build, recorder: Recorder) -> None:
    build(lambda: RotationTopic("rotation", example_args()))
    topic = recorder.one("topic:Topic")
    assert topic.inputs["messageStoragePolicy"] == {"allowedPersistenceRegions": ["europe-west1"]}
    assert topic.inputs["kmsKeyName"].endswith("cryptoKeys/pubsub")


def test_fails_when_no_region_is_named() -> None:
    with pytest.raises(ValueError, match="regions must name at least one region"):
        example_args(regions=())
