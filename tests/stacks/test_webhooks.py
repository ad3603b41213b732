"""The queue of webhooks: only where a service sends them, and then with its enqueuers and its caller."""

from __future__ import annotations

import pytest

from config import parse
from naming import Names
from stacks.foundation import foundation
from stacks.messaging import messaging
from stacks.providers import make_providers
from tests.recording import Build, Recorder
from tests.stack_files import changed, lookups

QUEUE = "cloudtasks/queue:Queue"


def recorded(build: Build, recorder: Recorder, webhooks: dict[str, str] | None) -> None:
    settings = parse(changed("messaging", {"webhooks": webhooks}))
    recorder.invokes = lookups()

    def program() -> None:
        names = Names(system="aiprod", environment=settings.environment, project_id=settings.project_id)
        providers = make_providers(settings)
        messaging(settings, names, providers, foundation(settings, names, providers))

    build(program)


def test_workers_send_webhooks_by_default(build: Build, recorder: Recorder) -> None:
    recorded(build, recorder, None)
    assert recorder.of_type(QUEUE) == []


def test_queue_calls_the_service_that_is_named_and_whoever_notifies_may_enqueue(
    build: Build, recorder: Recorder
) -> None:
    recorded(build, recorder, {"host": "send.example.com"})
    target = recorder.one(QUEUE).inputs["httpTarget"]
    assert target["uriOverride"]["host"] == "send.example.com"
    assert target["oidcToken"]["audience"] == "https://send.example.com"
    grants = recorder.of_type("QueueIamMember")
    assert {grant.name for grant in grants} == {"webhooks-enqueuer-api", "webhooks-enqueuer-worker"}


@pytest.mark.parametrize("field", ["rateLimits", "retryConfig"])
def test_rate_and_attempts_are_stated(build: Build, recorder: Recorder, field: str) -> None:
    recorded(build, recorder, {"host": "send.example.com"})
    assert recorder.one(QUEUE).inputs[field]
