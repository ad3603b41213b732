"""What workloads are wired to: queues, buckets and the edge, as the program declares them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from policies.model import Block, Resource, is_true, text
from review.contract.reading import whole, whole_seconds
from review.contract.workloads import Workload

__all__ = ["BucketOf", "EdgeOf", "QueueOf", "RateLimit", "Uptime", "buckets", "edge", "queues", "uptime"]

_TOPIC: Final = "gcp:pubsub/topic:Topic"
_TOPIC_GRANT: Final = "gcp:pubsub/topicIAMMember:TopicIAMMember"
_SUBSCRIPTION: Final = "gcp:pubsub/subscription:Subscription"
_BUCKET: Final = "gcp:storage/bucket:Bucket"
_BUCKET_GRANT: Final = "gcp:storage/bucketIAMMember:BucketIAMMember"
_POLICY: Final = "gcp:compute/securityPolicy:SecurityPolicy"
_MAP: Final = "gcp:compute/uRLMap:URLMap"
_BACKEND: Final = "gcp:compute/backendService:BackendService"
_UPTIME: Final = "gcp:monitoring/uptimeCheckConfig:UptimeCheckConfig"

_METHODS: Final = re.compile(r"!request\.method\.matches\('\^\(\?:([A-Z|]+)\)\$'\)")
_BODY: Final = re.compile(r"int\(request\.headers\['content-length'\]\) > (\d+)")
_EXEMPT: Final = re.compile(r"!request\.path\.startsWith\('([^']+)'\)")
_HEADER: Final = re.compile(r"(?:^|\|\| )has\(request\.headers\['([a-z0-9-]+)'\]\)(?= \|\||$)")
_PREFIX: Final = re.compile(r"request\.path\.startsWith\('([^']+)'\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueOf:
    """A topic and the subscription that workloads pull, by the purpose in the variables' names."""

    purpose: str
    topic: str
    named_by: tuple[str, ...]
    """Workloads that are given the topic."""
    publishers: tuple[str, ...]
    """Those of them that may publish to it."""
    subscription: str | None
    consumers: tuple[str, ...]
    ack_deadline_seconds: int | None
    attempts: int | None
    minimum_backoff_seconds: int | None
    maximum_backoff_seconds: int | None
    kept_seconds: int | None
    dead_letter_topic: str | None
    dead_letter_subscription: str | None
    dead_letters_kept_seconds: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketOf:
    """A bucket that workloads are given."""

    purpose: str
    name: str
    location: str
    data_class: str | None
    roles: Mapping[str, tuple[str, ...]]
    """Account id to its roles on the bucket."""
    deleted_after_days: int | None
    cors_origins: tuple[str, ...]
    cors_methods: tuple[str, ...]
    cors_max_age_seconds: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """So many requests of one client address; `path` None is everything."""

    path: str | None
    requests: int
    interval_seconds: int
    ban_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeOf:
    """What the load balancer lets through and adds."""

    hosts: tuple[str, ...]
    enforced: bool
    methods: tuple[str, ...]
    maximum_body_bytes: int | None
    larger_bodies_below: tuple[str, ...]
    denied_headers: tuple[str, ...]
    closed_paths: tuple[str, ...]
    rates: tuple[RateLimit, ...]
    request_headers: Mapping[str, str]
    response_headers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Uptime:
    """What Google asks from outside."""

    host: str
    path: str
    body: Mapping[str, str]
    timeout_seconds: int | None


def queues(resources: Sequence[Resource], users: Sequence[Workload]) -> tuple[QueueOf, ...]:
    """Every queue that a workload is given, by purpose."""
    topics = {_path(one, "topics"): one for one in resources if one.type == _TOPIC}
    subscriptions = {_path(one, "subscriptions"): one for one in resources if one.type == _SUBSCRIPTION}
    published, pulled = _given(users, "TOPIC_"), _given(users, "SUBSCRIPTION_")
    found: list[QueueOf] = []
    for purpose in sorted({*published, *pulled}):
        subscription = subscriptions.get(next(iter(pulled.get(purpose, ())), ""))
        topic = next(iter(published.get(purpose, ())), "")
        if not topic and subscription is not None:
            topic = str(subscription.get("topic"))
        if topic not in topics:
            continue
        may = _publishers(resources, topics[topic])
        named = published.get(purpose, {}).get(topic, set[str]())
        found.append(
            _queue(
                purpose,
                topic,
                subscription,
                tuple(subscriptions.values()),
                named_by=tuple(sorted(named)),
                publishers=tuple(
                    sorted({one.name for one in users if one.name in named and one.account in may})
                ),
                consumers=_names(pulled.get(purpose, {})),
            )
        )
    return tuple(found)


def _queue(
    purpose: str,
    topic: str,
    subscription: Resource | None,
    all_subscriptions: Sequence[Resource],
    *,
    named_by: tuple[str, ...],
    publishers: tuple[str, ...],
    consumers: tuple[str, ...],
) -> QueueOf:
    block = subscription.block if subscription is not None else Block("", {})
    dead = text(block.get("deadLetterPolicy.deadLetterTopic"))
    grave = next((one for one in all_subscriptions if dead and one.get("topic") == dead), None)
    return QueueOf(
        purpose=purpose,
        topic=_last(topic),
        named_by=named_by,
        publishers=publishers,
        subscription=text(block.get("name")),
        consumers=consumers,
        ack_deadline_seconds=whole(block.get("ackDeadlineSeconds")),
        attempts=whole(block.get("deadLetterPolicy.maxDeliveryAttempts")),
        minimum_backoff_seconds=whole_seconds(block.get("retryPolicy.minimumBackoff")),
        maximum_backoff_seconds=whole_seconds(block.get("retryPolicy.maximumBackoff")),
        kept_seconds=whole_seconds(block.get("messageRetentionDuration")),
        dead_letter_topic=None if dead is None else _last(dead),
        dead_letter_subscription=None if grave is None else text(grave.get("name")),
        dead_letters_kept_seconds=None
        if grave is None
        else whole_seconds(grave.get("messageRetentionDuration")),
    )


def _publishers(resources: Sequence[Resource], topic: Resource) -> set[str]:
    """Addresses of the accounts that may publish to a topic."""
    name = str(topic.get("name"))
    return {
        str(one.get("member")).removeprefix("serviceAccount:")
        for one in resources
        if one.type == _TOPIC_GRANT
        and one.get("role") == "roles/pubsub.publisher"
        and _last(str(one.get("topic"))) == name
    }


def buckets(resources: Sequence[Resource], users: Sequence[Workload]) -> tuple[BucketOf, ...]:
    """Every bucket that a workload is given, by purpose."""
    made = {str(one.get("name")): one for one in resources if one.type == _BUCKET}
    accounts = {one.account.split("@")[0] for one in users}
    found: list[BucketOf] = []
    for purpose, names in sorted(_given(users, "BUCKET_").items()):
        for name in sorted(names):
            if name in made:
                roles = _roles(resources, name, accounts)
                found.append(_bucket(purpose, made[name], roles))
    return tuple(found)


def _bucket(purpose: str, resource: Resource, roles: Mapping[str, tuple[str, ...]]) -> BucketOf:
    cors = next(resource.each("cors"), Block("", {}))
    ages = [
        age
        for rule in resource.each("lifecycleRules")
        if rule.get("action.type") == "Delete"
        and rule.get("condition.withState") != "ARCHIVED"
        and (age := whole(rule.get("condition.age")))
    ]
    return BucketOf(
        purpose=purpose,
        name=str(resource.get("name")),
        location=str(resource.get("location")),
        data_class=text(resource.get("labels", {}).get("data-class")),
        roles=roles,
        deleted_after_days=min(ages, default=None),
        cors_origins=tuple(cors.strings("origins")),
        cors_methods=tuple(cors.strings("methods")),
        cors_max_age_seconds=whole(cors.get("maxAgeSeconds")),
    )


def _roles(resources: Sequence[Resource], bucket: str, accounts: set[str]) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {}
    for one in resources:
        if one.type == _BUCKET_GRANT and one.get("bucket") == bucket:
            account = str(one.get("member")).removeprefix("serviceAccount:").split("@")[0]
            if account in accounts:
                found.setdefault(account, set()).add(str(one.get("role")))
    return {account: tuple(sorted(roles)) for account, roles in sorted(found.items())}


def edge(resources: Sequence[Resource]) -> EdgeOf | None:
    """The one policy and the one map that serves; None where the program has no load balancer."""
    policy = next((one for one in resources if one.type == _POLICY), None)
    served = next((one for one in resources if one.type == _MAP and one.get("hostRules")), None)
    if policy is None:
        return None
    rules = {_expression(rule): rule for rule in policy.each("rules")}
    limit, methods, denied = _of(rules, _BODY), _of(rules, _METHODS), _of(rules, _HEADER)
    backend = next((one for one in resources if one.type == _BACKEND), None)
    return EdgeOf(
        hosts=() if served is None else tuple(_hosts(served)),
        enforced=all(not is_true(rule.get("preview")) for rule in rules.values()),
        methods=tuple(methods[1][0].split("|")) if methods else (),
        maximum_body_bytes=int(limit[1][0]) if limit else None,
        larger_bodies_below=tuple(_EXEMPT.findall(limit[0])) if limit else (),
        denied_headers=tuple(sorted(denied[1])) if denied else (),
        closed_paths=() if served is None else tuple(_closed(served)),
        rates=tuple(_rates(rules)),
        request_headers={} if served is None else dict(_added(served)),
        response_headers={} if backend is None else dict(_split(backend.strings("customResponseHeaders"))),
    )


def uptime(resources: Sequence[Resource]) -> tuple[Uptime, ...]:
    """What Google asks from outside, by host."""
    found = [
        Uptime(
            host=str(one.get("monitoredResource.labels.host")),
            path=str(one.get("httpCheck.path")),
            body={
                str(match.get("jsonPathMatcher.jsonPath")): str(match.get("content")).strip('"')
                for match in one.each("contentMatchers")
            },
            timeout_seconds=whole_seconds(one.get("timeout")),
        )
        for one in resources
        if one.type == _UPTIME
    ]
    return tuple(sorted(found, key=lambda one: (one.host, one.path)))


def _of(rules: Mapping[str, Block], pattern: re.Pattern[str]) -> tuple[str, list[str]] | None:
    return next(((text, found) for text in rules if (found := pattern.findall(text))), None)


def _rates(rules: Mapping[str, Block]) -> Iterator[RateLimit]:
    for expression, rule in rules.items():
        count = whole(rule.get("rateLimitOptions.rateLimitThreshold.count"))
        if count is not None:
            prefix = _PREFIX.match(expression)
            yield RateLimit(
                path=prefix[1] if prefix else None,
                requests=count,
                interval_seconds=whole(rule.get("rateLimitOptions.rateLimitThreshold.intervalSec")) or 0,
                ban_seconds=whole(rule.get("rateLimitOptions.banDurationSec")) or 0,
            )


def _expression(rule: Block) -> str:
    return str(rule.get("match.expr.expression", f"priority {rule.get('priority')}"))


def _hosts(served: Resource) -> Iterator[str]:
    for rule in served.each("hostRules"):
        yield from rule.strings("hosts")


def _closed(served: Resource) -> Iterator[str]:
    seen: set[str] = set()
    for matcher in served.each("pathMatchers"):
        for route in matcher.each("routeRules"):
            if route.get("routeAction.faultInjectionPolicy.abort.percentage") == 100:
                for match in route.each("matchRules"):
                    path = text(match.get("fullPathMatch"))
                    if path is not None and path not in seen:
                        seen.add(path)
                        yield path


def _added(served: Resource) -> Iterator[tuple[str, str]]:
    places = [served.block, *served.each("pathMatchers")]
    for place in places:
        for one in place.each("headerAction.requestHeadersToAdds"):
            yield str(one.get("headerName")), str(one.get("headerValue"))


def _split(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, _, value = line.partition(":")
        yield name.strip(), value.strip()


def _given(users: Sequence[Workload], prefix: str) -> dict[str, dict[str, set[str]]]:
    """Purpose to what its variables name, to the workloads that have them."""
    found: dict[str, dict[str, set[str]]] = {}
    for workload in users:
        for one in workload.environment:
            if one.name.startswith(prefix):
                purpose = one.name.removeprefix(prefix).lower().replace("_", "-")
                found.setdefault(purpose, {}).setdefault(one.value, set()).add(workload.name)
    return found


def _names(given: Mapping[str, set[str]]) -> tuple[str, ...]:
    return tuple(sorted({name for names in given.values() for name in names}))


def _path(resource: Resource, kind: str) -> str:
    return f"projects/{resource.get('project')}/{kind}/{resource.get('name')}"


def _last(path: str) -> str:
    return path.rsplit("/", 1)[-1]
