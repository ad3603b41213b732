"""The work queue: exact topics, subscriptions and grants, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from components.messaging.work_queue import Pull, Push, RetryPolicy, WorkQueue, WorkQueueArgs
from tests.recording import Build, Recorder

AGENT = "serviceAccount:service-1@gcp-sa-pubsub.iam.gserviceaccount.com"
API = "serviceAccount:api@p-example.iam.gserviceaccount.com"
WORKER = "serviceAccount:worker@p-example.iam.gserviceaccount.com"


def example_args(**changes: Any) -> WorkQueueArgs:
    """The smallest legal arguments."""
    values: dict[str, Any] = {
        "project": "p-example",
        "topic_name": "jobs",
        "subscription_name": "job-processor",
        "delivery": Pull(),
        "kms_key": "projects/p-example/locations/europe-west1/keyRings/r/cryptoKeys/k",
        "persistence_regions": ("europe-west1", "europe-west4"),
        "service_agent": AGENT,
        "labels": {"system": "aiprod"},
    }
    return WorkQueueArgs(**{**values, **changes})


def make(build: Build, **changes: Any) -> WorkQueue:
    return build(lambda: WorkQueue("queue", example_args(**changes)))


def test_both_topics_are_encrypted_and_stay_in_the_given_regions(build: Build, recorder: Recorder) -> None:
    make(build)
    topics = {topic.name: topic.inputs for topic in recorder.of_type("pubsub/topic:Topic")}
    assert {name: inputs["name"] for name, inputs in topics.items()} == {
        "queue": "jobs",
        "queue-dead-letter": "jobs-dlq",
    }
    for inputs in topics.values():
        assert inputs["kmsKeyName"].endswith("cryptoKeys/k")
        assert inputs["messageStoragePolicy"] == {
            "allowedPersistenceRegions": ["europe-west1", "europe-west4"],
            "enforceInTransit": True,
        }


def test_subscription_retries_with_back_off_and_then_dead_letters(build: Build, recorder: Recorder) -> None:
    make(build)
    inputs = recorder.one("pubsub/subscription:Subscription", "queue").inputs
    assert inputs == {
        "project": "p-example",
        "name": "job-processor",
        "topic": "queue-id",
        "ackDeadlineSeconds": 600,
        "messageRetentionDuration": "604800s",
        "expirationPolicy": {"ttl": ""},
        "enableExactlyOnceDelivery": False,
        "retryPolicy": {"minimumBackoff": "10s", "maximumBackoff": "600s"},
        "deadLetterPolicy": {"deadLetterTopic": "queue-dead-letter-id", "maxDeliveryAttempts": 10},
        "labels": {"system": "aiprod"},
    }


def test_attempts_retention_and_back_off_are_as_given(build: Build, recorder: Recorder) -> None:
    retry = RetryPolicy(minimum_seconds=20, maximum_seconds=30)
    make(build, max_delivery_attempts=5, retention_days=2, dead_letter_retention_days=3, retry=retry)
    inputs = recorder.one("pubsub/subscription:Subscription", "queue").inputs
    dead_letters = recorder.one("pubsub/subscription:Subscription", "queue-dead-letter").inputs
    assert inputs["deadLetterPolicy"]["maxDeliveryAttempts"] == 5
    assert inputs["retryPolicy"] == {"minimumBackoff": "20s", "maximumBackoff": "30s"}
    assert inputs["messageRetentionDuration"] == "172800s"
    assert dead_letters["messageRetentionDuration"] == "259200s"


def test_failed_messages_are_kept_by_a_pull_subscription_that_never_expires(
    build: Build, recorder: Recorder
) -> None:
    make(build)
    assert recorder.one("pubsub/subscription:Subscription", "queue-dead-letter").inputs == {
        "project": "p-example",
        "name": "job-processor-dlq",
        "topic": "queue-dead-letter-id",
        "ackDeadlineSeconds": 600,
        "messageRetentionDuration": "2678400s",
        "expirationPolicy": {"ttl": ""},
        "labels": {"system": "aiprod"},
    }


def test_dead_letter_agent_may_publish_and_subscribe(build: Build, recorder: Recorder) -> None:
    make(build)
    assert grants(recorder) == {
        ("queue-dead-letter-agent", "roles/pubsub.publisher", "jobs-dlq", AGENT),
        ("queue-agent", "roles/pubsub.subscriber", "job-processor", AGENT),
    }


def test_each_publisher_and_consumer_gets_one_grant_named_by_its_key(
    build: Build, recorder: Recorder
) -> None:
    make(build, publishers={"api": API}, consumers={"worker": WORKER})
    assert grants(recorder) >= {
        ("queue-publisher-api", "roles/pubsub.publisher", "jobs", API),
        ("queue-consumer-worker", "roles/pubsub.subscriber", "job-processor", WORKER),
    }
    assert len(grants(recorder)) == 4


def test_push_queue_sends_to_endpoint_as_given_identity(build: Build, recorder: Recorder) -> None:
    push = Push(endpoint="https://push.example/jobs", service_account="p@x", audience="https://push.example")
    make(build, delivery=push)
    inputs = recorder.one("pubsub/subscription:Subscription", "queue").inputs
    assert inputs["pushConfig"] == {
        "pushEndpoint": "https://push.example/jobs",
        "oidcToken": {"serviceAccountEmail": "p@x", "audience": "https://push.example"},
    }
    assert "enableExactlyOnceDelivery" not in inputs


def test_pull_queue_has_no_push_settings(build: Build, recorder: Recorder) -> None:
    make(build, delivery=Pull(exactly_once=True))
    inputs = recorder.one("pubsub/subscription:Subscription", "queue").inputs
    assert "pushConfig" not in inputs
    assert inputs["enableExactlyOnceDelivery"] is True


def test_protection_is_on_unless_switched_off() -> None:
    assert example_args().deletion_protection is True


@pytest.mark.parametrize("protection", [True, False])
def test_topics_and_subscriptions_are_protected_from_one_field(
    build: Build, recorder: Recorder, protection: bool
) -> None:
    make(build, deletion_protection=protection)
    kept = [*recorder.of_type("pubsub/topic:Topic"), *recorder.of_type("pubsub/subscription:Subscription")]
    assert [resource.protect for resource in kept] == [protection] * 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ack_deadline_seconds": 9}, "ack_deadline_seconds must be between 10 and 600 seconds, got 9"),
        ({"ack_deadline_seconds": 601}, "ack_deadline_seconds must be between 10 and 600 seconds, got 601"),
        ({"max_delivery_attempts": 4}, "max_delivery_attempts must be between 5 and 100 attempts, got 4"),
        ({"max_delivery_attempts": 101}, "max_delivery_attempts must be between 5 and 100 attempts, got 101"),
        ({"retention_days": 32}, "retention_days must be between 1 and 31 days, got 32"),
        (
            {"dead_letter_retention_days": 0},
            "dead_letter_retention_days must be between 1 and 31 days, got 0",
        ),
        ({"persistence_regions": ()}, "persistence_regions must name at least one region"),
        ({"topic_name": "goog-jobs"}, "goog-jobs"),
        ({"subscription_name": "1st"}, "1st"),
        ({"topic_name": "t" * 253}, "topic name must have 3 to 255 characters"),
    ],
)
def test_fails_when_a_field_is_outside_its_range(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        example_args(**changes)


def test_fails_when_push_endpoint_is_not_https() -> None:
    with pytest.raises(ValueError, match=r"endpoint must begin with https://, got 'http://x'"):
        Push(endpoint="http://x", service_account="p@x")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"minimum_seconds": -1}, "minimum_seconds must be between 0 and 600 seconds, got -1"),
        ({"maximum_seconds": 601}, "maximum_seconds must be between 0 and 600 seconds, got 601"),
        (
            {"minimum_seconds": 60, "maximum_seconds": 30},
            "minimum_seconds must be at most maximum_seconds 30, got 60; lower it",
        ),
    ],
)
def test_fails_when_back_off_is_out_of_order(changes: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RetryPolicy(**changes)


def grants(recorder: Recorder) -> set[tuple[str, str, str, str]]:
    topics = recorder.of_type("pubsub/topicIAMMember:TopicIAMMember")
    subscriptions = recorder.of_type("pubsub/subscriptionIAMMember:SubscriptionIAMMember")
    return {(g.name, g.inputs["role"], g.inputs["topic"], g.inputs["member"]) for g in topics} | {
        (g.name, g.inputs["role"], g.inputs["subscription"], g.inputs["member"]) for g in subscriptions
    }
