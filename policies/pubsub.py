"""Pub/Sub topics and subscriptions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from policies.model import (
    UNKNOWN,
    Finding,
    Resource,
    contains_unknown,
    is_missing,
    number,
    relation,
    rule,
    say,
    seconds,
    stack_rule,
    text,
)
from policies.places import in_eu

__all__ = ["RULES"]

TOPIC: Final = "gcp:pubsub/topic:Topic"
SUBSCRIPTION: Final = "gcp:pubsub/subscription:Subscription"
_TOPIC_GRANTS: Final = (
    "gcp:pubsub/topicIAMMember:TopicIAMMember",
    "gcp:pubsub/topicIAMBinding:TopicIAMBinding",
)
_SUBSCRIPTION_GRANTS: Final = (
    "gcp:pubsub/subscriptionIAMMember:SubscriptionIAMMember",
    "gcp:pubsub/subscriptionIAMBinding:SubscriptionIAMBinding",
)
_AGENT: Final = "@gcp-sa-pubsub.iam.gserviceaccount.com"
_DEAD_LETTER: Final = "deadLetterPolicy.deadLetterTopic"
_WEEK: Final = 604800


def _of(resources: Sequence[Resource], *types: str) -> list[Resource]:
    return [resource for resource in resources if resource.type in types]


def _dead_letter_topics(resources: Sequence[Resource]) -> list[Resource]:
    subscriptions = _of(resources, SUBSCRIPTION)
    return [
        topic
        for topic in _of(resources, TOPIC)
        if any(relation(one, _DEAD_LETTER, topic) == "yes" for one in subscriptions)
    ]


@rule(
    "pubsub-topic-customer-key",
    "Messages are encrypted with a key of the house",
    controls=("PS-01",),
    source="checkov CKV_GCP_83",
    types=(TOPIC,),
)
def topic_customer_key(resource: Resource) -> Iterator[str]:
    if is_missing(resource.get("kmsKeyName")):
        yield say(resource, "kmsKeyName", "name a key", None, "set the messaging key")


@rule(
    "pubsub-topic-in-eu",
    "Messages are stored in the European Union only",
    controls=("PS-02",),
    source="org policy gcp.resourceLocations",
    types=(TOPIC,),
)
def topic_in_eu(resource: Resource) -> Iterator[str]:
    path = "messageStoragePolicy.allowedPersistenceRegions"
    regions = resource.get(path)
    if is_missing(regions):
        yield say(
            resource,
            path,
            "list regions",
            None,
            "list the platform's regions, or Google chooses by publisher",
        )
    for region in resource.strings(path):
        if not in_eu(region):
            yield say(resource, path, "list regions of the European Union only", region, "remove the region")


@rule(
    "pubsub-subscription-never-expires",
    "A subscription is not deleted for being idle",
    controls=("PS-10",),
    source="CRIT-1.3; Google deletes after 31 idle days by default",
    types=(SUBSCRIPTION,),
)
def never_expires(resource: Resource) -> Iterator[str]:
    policy = resource.get("expirationPolicy")
    value = resource.get("expirationPolicy.ttl")
    if policy is None or (text(value) not in (None, "")):
        yield say(
            resource,
            "expirationPolicy.ttl",
            "be the empty string (never)",
            value,
            'set expirationPolicy to {ttl: ""}',
        )


@rule(
    "pubsub-delivery-attempts",
    "A message is tried between 5 and 100 times before it is dead",
    controls=("PS-05",),
    source="Google refuses other values",
    types=(SUBSCRIPTION,),
)
def delivery_attempts(resource: Resource) -> Iterator[str]:
    path = "deadLetterPolicy.maxDeliveryAttempts"
    value = number(resource.get(path))
    if value is not None and not 5 <= value <= 100:
        yield say(resource, path, "be 5 to 100 attempts", value, "set 5")


@rule(
    "pubsub-retry-backoff",
    "A failed message waits before it is tried again",
    controls=("PS-06",),
    source="API-3.8; without the block Pub/Sub redelivers at once",
    types=(SUBSCRIPTION,),
)
def retry_backoff(resource: Resource) -> Iterator[str]:
    if not is_missing(resource.get(_DEAD_LETTER)) and resource.get("retryPolicy") is None:
        yield say(resource, "retryPolicy", "state a back-off", None, "set minimumBackoff and maximumBackoff")


@rule(
    "pubsub-retention",
    "A subscription keeps messages for at least seven days",
    controls=("PS-11",),
    source="API-3.8",
    types=(SUBSCRIPTION,),
)
def retention(resource: Resource) -> Iterator[str]:
    path = "messageRetentionDuration"
    value = seconds(resource.get(path))
    if value is not None and value < _WEEK:
        yield say(resource, path, "be at least 604800s", resource.get(path), "raise it or leave it out")


@rule(
    "pubsub-push-authenticated",
    "Push delivery goes to https and carries an identity",
    controls=("PS-13",),
    source="RUN-04",
    types=(SUBSCRIPTION,),
)
def push_authenticated(resource: Resource) -> Iterator[str]:
    endpoint = resource.get("pushConfig.pushEndpoint")
    if is_missing(endpoint):
        return
    address = text(endpoint)
    if address is not None and not address.startswith("https://"):
        yield say(resource, "pushConfig.pushEndpoint", "start with https://", address, "use https")
    path = "pushConfig.oidcToken.serviceAccountEmail"
    if is_missing(resource.get(path)):
        yield say(resource, path, "name an identity", None, "set the account that may invoke the receiver")


@stack_rule(
    "pubsub-dead-letter",
    "Every subscription has a dead-letter topic, unless it reads one",
    controls=("PS-04",),
    source="CRIT-1.3",
)
def dead_letter(resources: Sequence[Resource]) -> Iterator[Finding]:
    dead = _dead_letter_topics(resources)
    unsure = any(one.get(_DEAD_LETTER) is UNKNOWN for one in _of(resources, SUBSCRIPTION))
    for subscription in _of(resources, SUBSCRIPTION):
        if not is_missing(subscription.get(_DEAD_LETTER)):
            continue
        if unsure or any(relation(subscription, "topic", topic) != "no" for topic in dead):
            continue
        yield Finding(
            subscription.urn,
            say(
                subscription,
                _DEAD_LETTER,
                "name a topic",
                None,
                "add a dead-letter topic with its own subscription",
            ),
        )


@stack_rule(
    "pubsub-dead-letter-kept",
    "Every dead-letter topic has a subscription that keeps its messages",
    controls=("PS-07",),
    source="CRIT-1.3",
)
def dead_letter_kept(resources: Sequence[Resource]) -> Iterator[Finding]:
    subscriptions = _of(resources, SUBSCRIPTION)
    for topic in _dead_letter_topics(resources):
        if all(relation(one, "topic", topic) == "no" for one in subscriptions):
            yield Finding(
                topic.urn,
                say(
                    topic,
                    "topic of some subscription",
                    "be this topic",
                    "none",
                    "add a pull subscription to it",
                ),
            )


@stack_rule(
    "pubsub-dead-letter-grants",
    "The Pub/Sub agent may publish to the dead-letter topic and acknowledge on its source",
    controls=("PS-09",),
    source="Google: dead-lettering silently does nothing without the two grants",
)
def dead_letter_grants(resources: Sequence[Resource]) -> Iterator[Finding]:
    topics = _of(resources, TOPIC)
    topic_grants = _of(resources, *_TOPIC_GRANTS)
    subscription_grants = _of(resources, *_SUBSCRIPTION_GRANTS)
    for subscription in _of(resources, SUBSCRIPTION):
        if is_missing(subscription.get(_DEAD_LETTER)):
            continue
        target = next((one for one in topics if relation(subscription, _DEAD_LETTER, one) == "yes"), None)
        if target is not None and not _granted(topic_grants, "topic", target, "roles/pubsub.publisher"):
            yield Finding(
                target.urn,
                say(
                    target,
                    "a grant of roles/pubsub.publisher",
                    "name the Pub/Sub service agent",
                    None,
                    "add a TopicIAMMember for the agent",
                ),
            )
        if not _granted(subscription_grants, "subscription", subscription, "roles/pubsub.subscriber"):
            yield Finding(
                subscription.urn,
                say(
                    subscription,
                    "a grant of roles/pubsub.subscriber",
                    "name the Pub/Sub service agent",
                    None,
                    "add a SubscriptionIAMMember for the agent",
                ),
            )


def _granted(grants: Sequence[Resource], path: str, target: Resource, role: str) -> bool:
    for grant in grants:
        if relation(grant, path, target) == "no" or text(grant.get("role")) not in (None, role):
            continue
        if contains_unknown(grant.get("member")) or contains_unknown(grant.get("members")):
            return True
        if any(one.endswith(_AGENT) for one in (*grant.strings("member"), *grant.strings("members"))):
            return True
    return False


RULES = (
    topic_customer_key,
    topic_in_eu,
    never_expires,
    delivery_attempts,
    retry_backoff,
    retention,
    push_authenticated,
    dead_letter,
    dead_letter_kept,
    dead_letter_grants,
)
