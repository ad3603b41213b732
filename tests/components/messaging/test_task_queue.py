"""The task queue: a rate, attempts that end, one target as one account, and who may enqueue."""

from __future__ import annotations

from typing import Any

import pytest

from components.messaging.task_queue import Rate, Retries, Target, TaskQueue, TaskQueueArgs
from tests.recording import Build, Recorder

QUEUE = "cloudtasks/queue:Queue"
TARGET = Target(
    host="send.example.com",
    path="/webhooks",
    account="caller@p-example.iam.gserviceaccount.com",
    audience="https://send.example.com",
)


def example_args(**changes: Any) -> TaskQueueArgs:
    """The smallest legal arguments."""
    values: dict[str, Any] = {"project": "p-example", "queue_name": "webhooks", "location": "europe-west1"}
    return TaskQueueArgs(**{**values, **changes})


def inputs_of(build: Build, recorder: Recorder, **changes: Any) -> Any:
    build(lambda: TaskQueue("webhooks", example_args(**changes)))
    return recorder.one(QUEUE).inputs


def test_queue_sends_at_a_rate_and_gives_up_after_five_attempts(build: Build, recorder: Recorder) -> None:
    assert inputs_of(build, recorder) == {
        "project": "p-example",
        "name": "webhooks",
        "location": "europe-west1",
        "desiredState": "RUNNING",
        "rateLimits": {"maxDispatchesPerSecond": 10.0, "maxConcurrentDispatches": 10},
        "retryConfig": {"maxAttempts": 5, "minBackoff": "10s", "maxBackoff": "600s", "maxDoublings": 16},
        "stackdriverLoggingConfig": {"samplingRatio": 1.0},
    }
    assert recorder.of_type("QueueIamMember") == []


def test_every_task_goes_to_the_target_as_its_account(build: Build, recorder: Recorder) -> None:
    assert inputs_of(build, recorder, target=TARGET)["httpTarget"] == {
        "httpMethod": "POST",
        "uriOverride": {
            "scheme": "HTTPS",
            "host": "send.example.com",
            "pathOverride": {"path": "/webhooks"},
            "uriOverrideEnforceMode": "ALWAYS",
        },
        "oidcToken": {
            "serviceAccountEmail": "caller@p-example.iam.gserviceaccount.com",
            "audience": "https://send.example.com",
        },
    }


def test_each_enqueuer_gets_one_grant_named_by_its_key(build: Build, recorder: Recorder) -> None:
    inputs_of(build, recorder, enqueuers={"api": "serviceAccount:api"})
    assert recorder.one("QueueIamMember", "webhooks-enqueuer-api").inputs == {
        "project": "p-example",
        "location": "europe-west1",
        "name": "webhooks",
        "role": "roles/cloudtasks.enqueuer",
        "member": "serviceAccount:api",
    }


def test_paused_queue_keeps_its_tasks_back(build: Build, recorder: Recorder) -> None:
    assert inputs_of(build, recorder, paused=True)["desiredState"] == "PAUSED"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Rate(per_second=500.5), "per_second must be between 0.01 and 500 tasks, got 500.5"),
        (lambda: Rate(per_second=0), "per_second must be between 0.01 and 500 tasks, got 0"),
        (lambda: Rate(at_once=5001), "at_once must be between 1 and 5000 calls, got 5001"),
        (lambda: Retries(attempts=0), "attempts must be between 1 and 100 attempts, got 0"),
        (lambda: Retries(attempts=-1), "attempts must be between 1 and 100 attempts, got -1"),
        (lambda: Retries(minimum_seconds=20, maximum_seconds=10), "maximum_seconds|minimum_seconds"),
        (lambda: Retries(doublings=17), "doublings must be between 0 and 16 times, got 17"),
        (
            lambda: Target(host="https://x", path="/", account="a", audience="https://x"),
            "host must be a host name",
        ),
        (
            lambda: Target(host="x.example", path="x", account="a", audience="https://x"),
            "path must begin with /",
        ),
        (
            lambda: Target(host="x.example", path="/", account="a", audience="x"),
            "audience must be an address",
        ),
        (
            lambda: example_args(queue_name="web_hooks"),
            "queue_name must be 1 to 100 letters, digits and hyphens",
        ),
        (lambda: example_args(log_sampling_ratio=1.1), "log_sampling_ratio must be between 0 and 1, got 1.1"),
    ],
)
def test_fails_when_google_would_refuse_it_or_never_give_up(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
