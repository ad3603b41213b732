"""Secret Manager: where secrets lie, how they rotate, how a payload arrives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from policies.model import (
    SECRET,
    Finding,
    Resource,
    is_given,
    is_missing,
    relation,
    rule,
    say,
    seconds,
    stack_rule,
    text,
)
from policies.places import environment, in_eu

__all__ = ["RULES"]

HOLDER: Final = "gcp:secretmanager/secret:Secret"
VERSION: Final = "gcp:secretmanager/secretVersion:SecretVersion"
_REPLICAS: Final = "replication.userManaged.replicas"
_KEY: Final = "customerManagedEncryption.kmsKeyName"
_NINETY_DAYS: Final = 7_776_000


@rule(
    "secret-in-eu",
    "A secret is replicated to chosen regions of the European Union",
    controls=("SEC-03",),
    source="org policy gcp.resourceLocations",
    types=(HOLDER,),
)
def in_union(resource: Resource) -> Iterator[str]:
    if is_missing(resource.get(_REPLICAS)):
        yield say(
            resource, _REPLICAS, "list regions", None, "replace replication.auto by userManaged replicas"
        )
    for replica in resource.each(_REPLICAS):
        location = text(replica.get("location"))
        if location is not None and not in_eu(location):
            yield say(
                resource,
                replica.within("location"),
                "be a region of the European Union",
                location,
                "choose another",
            )


@rule(
    "secret-customer-key",
    "Every replica of a secret is encrypted with a key of the house",
    controls=("SEC-04",),
    source="SEC-2.2",
    types=(HOLDER,),
)
def customer_key(resource: Resource) -> Iterator[str]:
    blocks = [*resource.each(_REPLICAS), *resource.each("replication.auto")]
    for block in blocks:
        if is_missing(block.get(_KEY)):
            yield say(
                resource,
                block.within(_KEY),
                "name a key",
                None,
                "set the secrets key of the replica's region",
            )
    if not blocks and resource.get("replication.auto") == {}:
        yield say(resource, f"replication.auto.{_KEY}", "name a key", None, "set a key in location global")


@rule(
    "secret-rotation",
    "A secret is due for rotation within 90 days",
    controls=("SEC-01",),
    source="prowler secretmanager_secret_rotation_enabled, SEC-2.1",
    types=(HOLDER,),
)
def rotation(resource: Resource) -> Iterator[str]:
    period = resource.get("rotation.rotationPeriod")
    length = seconds(period)
    if is_missing(period) or (length is not None and length > _NINETY_DAYS):
        yield say(
            resource,
            "rotation.rotationPeriod",
            "be at most 7776000s (90 days)",
            period,
            "set it and nextRotationTime",
        )
    elif is_missing(resource.get("rotation.nextRotationTime")):
        yield say(resource, "rotation.nextRotationTime", "name the first date", None, "set an RFC 3339 time")


@rule(
    "secret-rotation-topic",
    "A secret announces its rotation on a topic",
    controls=("SEC-02",),
    source="SEC-2.1; rotation in Secret Manager is only a message",
    types=(HOLDER,),
)
def rotation_topic(resource: Resource) -> Iterator[str]:
    if is_missing(resource.get("topics")):
        yield say(resource, "topics", "name a topic", None, "add the rotation topic")


@rule(
    "secret-no-expiry",
    "A secret does not delete itself",
    controls=("SEC-10",),
    source="SEC-2.1",
    types=(HOLDER,),
)
def no_expiry(resource: Resource) -> Iterator[str]:
    for path in ("ttl", "expireTime"):
        if is_given(resource.get(path)):
            yield say(
                resource, path, "be absent", resource.get(path), "remove it, rotation is what ages a secret"
            )


@rule(
    "secret-destroy-delay",
    "A destroyed secret version can be restored for a day in production",
    controls=("SEC-08",),
    source="SEC-2.1: the old version is restorable within the grace period",
    types=(HOLDER,),
)
def destroy_delay(resource: Resource) -> Iterator[str]:
    value = resource.get("versionDestroyTtl")
    length = seconds(value)
    short = is_missing(value) or (length is not None and length < 86_400)
    if environment(resource) == "prod" and short:
        yield say(resource, "versionDestroyTtl", "be at least 86400s in prod", value, "set 2592000s")


@rule(
    "secret-payload-write-only",
    "A secret's payload is never kept in the state",
    controls=("SEC-07",),
    source="CIS 1.17/1.18 by analogy",
    types=(VERSION,),
)
def payload_write_only(resource: Resource) -> Iterator[str]:
    if is_given(resource.get("secretData")):
        yield say(
            resource,
            "secretData",
            "be absent, since the state would keep it",
            SECRET,
            "use secretDataWo with secretDataWoVersion, or add the version outside the program",
        )


@stack_rule(
    "secret-rotation-heard",
    "Something subscribes to the topic that announces a rotation",
    controls=("SEC-02",),
    source="SEC-2.1",
)
def rotation_heard(resources: Sequence[Resource]) -> Iterator[Finding]:
    topics = [one for one in resources if one.type == "gcp:pubsub/topic:Topic"]
    subscriptions = [one for one in resources if one.type == "gcp:pubsub/subscription:Subscription"]
    for topic in topics:
        named = any(_announces(one, topic) for one in resources if one.type == HOLDER)
        if named and all(relation(one, "topic", topic) == "no" for one in subscriptions):
            yield Finding(
                topic.urn,
                say(
                    topic, "topic of some subscription", "be this topic", None, "subscribe the rotation to it"
                ),
            )


def _announces(secret: Resource, topic: Resource) -> bool:
    if topic.urn in secret.property_dependencies.get("topics", ()):
        return True
    own = text(topic.get("name"))
    names = (text(block.get("name")) for block in secret.each("topics"))
    return own is not None and any(name is not None and name.rsplit("/", 1)[-1] == own for name in names)


RULES = (
    in_union,
    customer_key,
    rotation,
    rotation_topic,
    no_expiry,
    destroy_delay,
    payload_write_only,
    rotation_heard,
)
