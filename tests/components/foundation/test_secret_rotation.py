"""The rotator's service, rights and callers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from components.compute.http_service import DirectVpc
from components.foundation.secret_rotation import (
    RotatedDatabase,
    RotationConsumer,
    SecretRotation,
    SecretRotationArgs,
    VendorProbe,
)
from facts.refusal import RefusedError
from tests.components.compute.test_source_function import example_build
from tests.recording import Build, Recorder

ROOT = Path(__file__).parents[3]


def example_args() -> SecretRotationArgs:
    return SecretRotationArgs(
        project="p",
        location="europe-west1",
        service_name="rotator",
        source=ROOT / "operations" / "rotation",
        build=example_build(),
        service_account="rotator@p.iam.gserviceaccount.com",
        member="serviceAccount:rotator@p.iam.gserviceaccount.com",
        kms_key="projects/p/locations/europe-west1/keyRings/k/cryptoKeys/run",
        topic_kms_key="projects/p/locations/europe-west1/keyRings/k/cryptoKeys/pubsub",
        topic="projects/p/topics/rotation",
        subscription_name="rotation",
        caller="push@p.iam.gserviceaccount.com",
        caller_member="serviceAccount:push@p.iam.gserviceaccount.com",
        role_prefix="aiprod_rotation",
        pubsub_agent="serviceAccount:service-1@gcp-sa-pubsub.iam.gserviceaccount.com",
        vpc=DirectVpc(network="n", subnetwork="s"),
        labels={"service": "rotation"},
        databases={
            "database-password": RotatedDatabase(
                instance="main", connection_name="p:europe-west1:main", database="aiprod", users=("a", "b")
            )
        },
        vendors={"suno-api-key": None},
    )


def test_source_is_the_package_and_the_file_that_the_framework_looks_for(
    build: Build, recorder: Recorder
) -> None:
    build(lambda: SecretRotation("rotator", example_args()))
    service = recorder.one("gcp:cloudrunv2/service:Service")
    assert service.inputs["buildConfig"]["functionTarget"] == "handle"
    config = json.loads(service.inputs["template"]["containers"][0]["envs"][0]["value"])
    assert config["databases"]["database-password"]["host"] == "/cloudsql/p:europe-west1:main"
    assert config["vendors"] == {"suno-api-key": None}


def test_rights_stand_on_each_secret_and_the_connection_on_one_instance(
    build: Build, recorder: Recorder
) -> None:
    build(lambda: SecretRotation("rotator", example_args()))
    secrets = recorder.of_type("gcp:secretmanager/secretIamMember:SecretIamMember")
    assert {one.inputs["secretId"] for one in secrets} == {"database-password", "suno-api-key"}
    client = recorder.one("gcp:projects/iAMMember:IAMMember", "rotator-client-database-password").inputs
    assert client["condition"]["expression"].endswith('resource.name == "projects/p/instances/main"')
    # Google knows no condition on users.
    passwords = recorder.one("gcp:projects/iAMMember:IAMMember", "rotator-passwords").inputs
    assert "condition" not in passwords


def test_whoever_reads_a_version_is_looked_at_and_never_changed(build: Build, recorder: Recorder) -> None:
    consumers = {
        "api": RotationConsumer(kind="services", location="europe-west1", name="api"),
        "worker": RotationConsumer(kind="workerPools", location="europe-west1", name="worker"),
    }
    build(lambda: SecretRotation("rotator", replace(example_args(), consumers=consumers)))
    service = recorder.one("gcp:cloudrunv2/service:Service")
    config = json.loads(service.inputs["template"]["containers"][0]["envs"][0]["value"])
    expected = [
        f"projects/p/locations/europe-west1/{name}" for name in ("services/api", "workerPools/worker")
    ]
    assert config["consumers"] == {"database-password": expected, "suno-api-key": expected}
    pool = recorder.one("gcp:cloudrunv2/workerPoolIamMember:WorkerPoolIamMember")
    api = recorder.one("gcp:cloudrunv2/serviceIamMember:ServiceIamMember", "rotator-looks-api")
    assert {pool.inputs["role"], api.inputs["role"]} == {"roles/run.viewer"}


def test_fails_when_nothing_is_rotated() -> None:
    with pytest.raises(RefusedError, match="databases or vendors must name a secret"):
        replace(example_args(), databases={}, vendors={})


def test_fails_when_both_users_are_one() -> None:
    with pytest.raises(RefusedError, match="users must be two different users"):
        RotatedDatabase(instance="i", connection_name="p:r:i", database="d", users=("a", "a"))


def test_fails_when_a_probe_would_send_the_key_in_clear() -> None:
    with pytest.raises(RefusedError, match="url must begin with https://"):
        VendorProbe(url="http://vendor.example/me", header="x-key")


def test_a_message_is_pushed_as_its_own_caller_and_kept_when_it_keeps_failing(
    build: Build, recorder: Recorder
) -> None:
    build(lambda: SecretRotation("rotator", example_args()))
    subscription = recorder.one("gcp:pubsub/subscription:Subscription", "rotator").inputs
    assert subscription["name"] == "rotation"
    push = subscription["pushConfig"]
    assert push["oidcToken"]["audience"] == push["pushEndpoint"]
    assert subscription["deadLetterPolicy"]["maxDeliveryAttempts"] == 20
    dead = recorder.one("gcp:pubsub/subscription:Subscription", "rotator-dead-letter").inputs
    assert dead["name"] == "rotation-dlq"
    agents = {
        (r.type.rpartition(":")[2], r.inputs["role"]) for r in recorder.resources if r.name.endswith("-agent")
    }
    assert agents == {
        ("TopicIAMMember", "roles/pubsub.publisher"),
        ("SubscriptionIAMMember", "roles/pubsub.subscriber"),
    }
