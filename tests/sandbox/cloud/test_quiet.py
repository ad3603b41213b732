"""What is accepted and does not work is found in the finished world."""

from __future__ import annotations

from facts.google.service_agents import agent_email
from sandbox.cloud import quiet_failures
from tests.sandbox.cloud.stage import GOOD, PROJECT, RUN, Stage

DEAD = f"{RUN}/topics/dead"


def _rules(stage: Stage) -> set[str]:
    return {found.rule for found in quiet_failures(stage.world)}


def test_the_good_platform_works() -> None:
    assert _rules(Stage()) == set()


def test_dead_letters_need_two_grants_and_somebody_who_reads_them() -> None:
    stage = Stage()
    agent = f"serviceAccount:{agent_email('pubsub', stage.world.project_number(PROJECT))}"
    stage.make("Topic", {"name": "dead"}, logical="dead")
    stage.change("Subscription", {**GOOD["Subscription"], "deadLetterPolicy": {"deadLetterTopic": DEAD}})
    assert _rules(stage) == {"PUB-003", "PUB-004", "PUB-005"}
    stage.make("Subscription", {"name": "dead", "topic": DEAD}, logical="dead")
    assert _rules(stage) == {"PUB-003", "PUB-004"}
    publish = {"topic": DEAD, "role": "roles/pubsub.publisher", "member": agent}
    stage.make("TopicIAMMember", publish)
    assert _rules(stage) == {"PUB-004"}
    subscribe = {"subscription": "jobs", "role": "roles/pubsub.subscriber", "member": agent}
    stage.make("SubscriptionIAMMember", subscribe)
    assert _rules(stage) == set()


def test_a_sink_must_be_let_into_its_destination() -> None:
    stage = Stage()
    destination = f"pubsub.googleapis.com/{RUN}/topics/jobs"
    _, outputs = stage.make("ProjectSink", {"name": "events", "destination": destination})
    assert _rules(stage) == {"LOG-020"}
    grant = {"topic": "jobs", "role": "roles/pubsub.publisher", "member": outputs["writerIdentity"]}
    stage.make("TopicIAMMember", grant)
    assert _rules(stage) == set()


def test_a_service_behind_the_balancer_must_be_open_to_it() -> None:
    stage = Stage()
    closed = {**GOOD["Service"], "ingress": "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"}
    stage.change("Service", closed)
    assert _rules(stage) == {"RUN-100"}
    stage.change("Service", {**closed, "invokerIamDisabled": True})
    assert _rules(stage) == set()


def test_a_group_by_tag_needs_a_target_with_that_tag() -> None:
    stage = Stage()
    service = GOOD["Service"]
    group = {
        "name": "beta",
        "region": "europe-west1",
        "cloudRun": {"service": service["name"], "tag": "beta"},
    }
    stage.make("RegionNetworkEndpointGroup", group, logical="beta")
    assert _rules(stage) == {"LB-103"}
    latest = {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}
    stage.change("Service", {**service, "traffics": [{**latest, "tag": "beta"}]})
    assert _rules(stage) == set()
    stage.change("Service", {**service, "traffics": [{**latest, "tag": "gamma"}]})
    assert _rules(stage) == {"LB-103"}
