"""What Google accepts and what then does not work: no call is refused, and nothing happens.

These are found in a finished world, not in a call: the missing grant may come later in the same deployment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from facts.google.service_agents import agent_email
from sandbox.cloud.behaviours.grants import granted, members_of
from sandbox.cloud.data import Values, as_list, at, plain
from sandbox.cloud.paths import canonical
from sandbox.cloud.world import Record, World

__all__ = ["QuietFailure", "quiet_failures"]

_SUBSCRIPTION: Final = "gcp:pubsub/subscription:Subscription"
_SINK: Final = "gcp:logging/projectSink:ProjectSink"
_GROUP: Final = "gcp:compute/regionNetworkEndpointGroup:RegionNetworkEndpointGroup"
_SERVICE: Final = "gcp:cloudrunv2/service:Service"
_PUBLISH: Final = frozenset({"roles/pubsub.publisher", "roles/pubsub.editor", "roles/pubsub.admin"})
_SUBSCRIBE: Final = frozenset({"roles/pubsub.subscriber", "roles/pubsub.editor", "roles/pubsub.admin"})
_STORE: Final = frozenset({"roles/storage.objectCreator", "roles/storage.objectAdmin", "roles/storage.admin"})
_WRITE_ROWS: Final = frozenset({"roles/bigquery.dataEditor", "roles/bigquery.admin"})


class QuietFailure(NamedTuple):
    """Something that is accepted and does not work."""

    rule: str
    id: str
    sentence: str
    source: str


def quiet_failures(world: World) -> list[QuietFailure]:
    """Everything in this world that quietly does not work."""
    return [
        QuietFailure(rule, record.id, sentence, source)
        for rule, (type, source, find) in _RULES.items()
        for record in world.find(type)
        for sentence in find(world, record, plain(record.inputs))
    ]


def _project(record: Record) -> str:
    return str(plain(record.outputs.get("project") or record.inputs.get("project") or ""))


def _topic(record: Record, path: Any) -> str:
    text = canonical(str(path or ""))
    return text if "/" in text or not text else f"projects/{_project(record)}/topics/{text}"


def _dead_letter_publisher(world: World, record: Record, inputs: Values) -> Iterator[str]:
    topic, project = _topic(record, at(inputs, "deadLetterPolicy.deadLetterTopic")), _project(record)
    agent = agent_email("pubsub", world.project_number(project)) or ""
    if topic and not granted(world, topic, _PUBLISH, agent, project):
        yield f"{record.id} dead-letters nothing: grant {agent} roles/pubsub.publisher on {topic}."


def _dead_letter_subscriber(world: World, record: Record, inputs: Values) -> Iterator[str]:
    topic, project = _topic(record, at(inputs, "deadLetterPolicy.deadLetterTopic")), _project(record)
    agent = agent_email("pubsub", world.project_number(project)) or ""
    if topic and not granted(world, record.id, _SUBSCRIBE, agent, project):
        yield f"{record.id} dead-letters nothing: grant {agent} roles/pubsub.subscriber on the subscription."


def _dead_letters_lost(world: World, record: Record, inputs: Values) -> Iterator[str]:
    topic = _topic(record, at(inputs, "deadLetterPolicy.deadLetterTopic"))
    heard = {_topic(other, plain(other.inputs).get("topic")) for other in world.find(_SUBSCRIPTION)}
    if topic and topic not in heard:
        yield f"{record.id} loses its dead letters: {topic} has no subscription; add one."


def _sink_writer(world: World, record: Record, inputs: Values) -> Iterator[str]:
    writer = str(plain(record.outputs.get("writerIdentity")) or "").removeprefix("serviceAccount:")
    destination = str(inputs.get("destination") or "")
    kind, _, rest = destination.partition(".googleapis.com/")
    places = {
        "pubsub": (rest, _PUBLISH),
        "storage": (f"b/{rest}", _STORE),
        "bigquery": (rest, _WRITE_ROWS),
    }
    place = places.get(kind)
    if place is not None and writer and not granted(world, place[0], place[1], writer, _project(record)):
        yield f"{record.id} delivers nothing: grant {writer} {min(place[1])} on {place[0]}."


def _behind_balancer(world: World, record: Record, inputs: Values) -> Iterator[str]:
    if inputs.get("ingress") != "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER" or inputs.get("invokerIamDisabled"):
        return
    callers = {member for role, member in members_of(world, record.id, "") if role == "roles/run.invoker"}
    if not callers & {"allUsers", "allAuthenticatedUsers"}:
        yield f"{record.id} answers 403 behind the load balancer: set invokerIamDisabled or let allUsers in."


def _tag_without_target(world: World, record: Record, inputs: Values) -> Iterator[str]:
    tag, name = at(inputs, "cloudRun.tag"), at(inputs, "cloudRun.service")
    region = str(plain(record.outputs.get("region") or record.inputs.get("region") or ""))
    service = world.at(f"projects/{_project(record)}/locations/{region}/services/{name}")
    if not tag or service is None:
        return
    tags = [at(target, "tag") for target in as_list(plain(service.inputs).get("traffics")) or []]
    if tag not in tags:
        yield f"{record.id} answers 404: {service.id} has no traffic target with the tag {tag}; add one."


_RULES: Final[dict[str, tuple[str, str, Callable[[World, Record, Values], Iterator[str]]]]] = {
    "PUB-003": (_SUBSCRIPTION, "google-cloud.md CRIT-1.3", _dead_letter_publisher),
    "PUB-004": (_SUBSCRIPTION, "google-cloud.md CRIT-1.3", _dead_letter_subscriber),
    "PUB-005": (_SUBSCRIPTION, "google-cloud.md CRIT-1.3", _dead_letters_lost),
    "LOG-020": (_SINK, "google-cloud.md CRIT-1.5", _sink_writer),
    "LB-103": (_GROUP, "google-cloud.md 2.0: a group may name what is not there", _tag_without_target),
    "RUN-100": (_SERVICE, "google-cloud.md 2.0", _behind_balancer),
}
