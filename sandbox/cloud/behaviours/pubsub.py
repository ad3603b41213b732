"""Pub/Sub."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sandbox.cloud.behaviours.durations import outside, seconds
from sandbox.cloud.behaviours.table import Call, Phase, Problem, behaviour
from sandbox.cloud.data import as_map

_TOPIC: Final = "gcp:pubsub/topic:Topic"
_SUBSCRIPTION: Final = "gcp:pubsub/subscription:Subscription"
_SCHEMA: Final = "gcp:pubsub/schema:Schema"
_BOTH: Final = (Phase.CREATE, Phase.UPDATE)
_REASON: Final = "INVALID_ARGUMENT"


@behaviour(
    "PUB-006",
    _SUBSCRIPTION,
    _BOTH,
    400,
    _REASON,
    "terraform-provider-google-beta website/docs/r/pubsub_subscription",
)
def delivery_attempts(call: Call) -> Iterator[Problem]:
    """Delivery attempts are 5 to 100."""
    path = "deadLetterPolicy.maxDeliveryAttempts"
    count = call.get(path)
    if isinstance(count, int) and not 5 <= count <= 100:
        yield Problem(path, f"`{path}` must be from 5 to 100, not {count}.")


@behaviour(
    "PUB-007",
    _SUBSCRIPTION,
    _BOTH,
    400,
    _REASON,
    "terraform-provider-google-beta website/docs/r/pubsub_subscription",
)
def ack_deadline(call: Call) -> Iterator[Problem]:
    """The acknowledgement deadline is 10 to 600 seconds."""
    value = call.get("ackDeadlineSeconds")
    if isinstance(value, int) and value and not 10 <= value <= 600:
        yield Problem("ackDeadlineSeconds", f"`ackDeadlineSeconds` must be from 10 to 600, not {value}.")


@behaviour(
    "PUB-008",
    (_SUBSCRIPTION, _TOPIC),
    _BOTH,
    400,
    _REASON,
    "terraform-provider-google-beta website/docs/r/pubsub_subscription",
)
def retention(call: Call) -> Iterator[Problem]:
    """Messages are kept 10 minutes to 31 days."""
    yield from outside(call, "messageRetentionDuration", 600, 2678400)


@behaviour(
    "PUB-010",
    _SUBSCRIPTION,
    _BOTH,
    400,
    _REASON,
    "terraform-provider-google-beta website/docs/r/pubsub_subscription",
)
def expiration(call: Call) -> Iterator[Problem]:
    """A subscription expires after a day at the earliest, and after its messages."""
    path = "expirationPolicy.ttl"
    text = call.text(path)
    if not text:
        return
    kept = seconds(call.text("messageRetentionDuration") or "604800s") or 0
    value = seconds(text)
    if value is None or value < 86400 or value <= kept:
        yield Problem(
            path, f"`{path}` must be empty (never), or above 86400s and the retention, not {text!r}."
        )


@behaviour(
    "PUB-012",
    _SUBSCRIPTION,
    _BOTH,
    400,
    _REASON,
    "terraform-provider-google-beta website/docs/r/pubsub_subscription",
)
def retry(call: Call) -> Iterator[Problem]:
    """Retries wait 0 to 600 seconds, the minimum not above the maximum."""
    low, high = "retryPolicy.minimumBackoff", "retryPolicy.maximumBackoff"
    yield from outside(call, low, 0, 600)
    yield from outside(call, high, 0, 600)
    first, last = seconds(call.text(low) or "10s"), seconds(call.text(high) or "600s")
    if first is not None and last is not None and first > last:
        yield Problem(low, f"`{low}` must not be above `{high}`, {call.text(high)}.")


@behaviour(
    "PUB-013",
    _SUBSCRIPTION,
    Phase.CHECK,
    400,
    _REASON,
    "terraform-provider-google-beta google-beta/services/pubsub/resource_pubs",
)
def long_filter(call: Call) -> Iterator[Problem]:
    """A filter has at most 256 bytes."""
    size = len(call.text("filter").encode())
    if size > 256:
        yield Problem("filter", f"`filter` must be at most 256 bytes, not {size}.")


@behaviour("PUB-016", _SUBSCRIPTION, _BOTH, 400, _REASON, "google-cloud.md CRIT-1.3")
def exactly_once(call: Call) -> Iterator[Problem]:
    """Exactly-once delivery is for pull only."""
    push = next(
        (name for name in ("pushConfig", "bigqueryConfig", "cloudStorageConfig") if call.get(name)), ""
    )
    if call.get("enableExactlyOnceDelivery") and push:
        yield Problem(
            "enableExactlyOnceDelivery", f"`enableExactlyOnceDelivery` excludes `{push}`; remove one."
        )


@behaviour("PUB-018", _SUBSCRIPTION, _BOTH, 400, _REASON, "general knowledge of Pub/Sub push")
def push_endpoint(call: Call) -> Iterator[Problem]:
    """A push endpoint is an https address."""
    endpoint = call.text("pushConfig.pushEndpoint")
    if endpoint and not endpoint.startswith("https://"):
        path = "pushConfig.pushEndpoint"
        yield Problem(path, f"`{path}` must be an https address, not {endpoint!r}.")


@behaviour("PUB-019", _SUBSCRIPTION, _BOTH, 400, _REASON, "hashicorp/terraform#30389")
def push_account(call: Call) -> Iterator[Problem]:
    """A push subscription's token is that of a service account, named by its email."""
    path = "pushConfig.oidcToken.serviceAccountEmail"
    email = call.text(path)
    if email and not re.fullmatch(r"[^@\s/:]+@[^@\s/:]+\.gserviceaccount\.com", email):
        yield Problem(path, f"`{path}` must be the email of a service account, not {email!r}.")


@behaviour(
    "PUB-025",
    _SUBSCRIPTION,
    _BOTH,
    400,
    _REASON,
    "terraform-provider-google-beta website/docs/r/pubsub_subscription",
)
def two_schemas(call: Call) -> Iterator[Problem]:
    """Rows take their columns from the topic's schema or from the table's, not from both."""
    block = "bigqueryConfig"
    if call.get(f"{block}.useTopicSchema") is True and call.get(f"{block}.useTableSchema") is True:
        path = f"{block}.useTableSchema"
        yield Problem(path, f"`{path}` excludes `{block}.useTopicSchema`; remove one.")


@behaviour("PUB-026", _SUBSCRIPTION, _BOTH, 400, _REASON, "general knowledge of Pub/Sub")
def no_schema(call: Call) -> Iterator[Problem]:
    """The topic whose schema is to be used has none."""
    path = "bigqueryConfig.useTopicSchema"
    topic = call.target("topic")
    if call.get(path) is True and topic is not None and not topic.inputs.get("schemaSettings"):
        yield Problem(path, f"`{path}`: {topic.id} has no schema; attach one to the topic first.")


@behaviour(
    "PUB-037",
    (_TOPIC, _SUBSCRIPTION),
    _BOTH,
    400,
    _REASON,
    "terraform-provider-google-beta website/docs/r/pubsub_topic",
)
def transforms(call: Call) -> Iterator[Problem]:
    """Each transform has a function name of its own, which its code defines."""
    seen: set[str] = set()
    for index, item in enumerate(call.blocks("messageTransforms")):
        udf = as_map(item.get("javascriptUdf")) or {}
        name, code = udf.get("functionName"), udf.get("code")
        path = f"messageTransforms[{index}].javascriptUdf.functionName"
        if not isinstance(name, str):
            continue
        if name in seen:
            yield Problem(path, f"`{path}`: {name!r} is given twice; give each function its own name.")
        elif isinstance(code, str) and not re.search(rf"\b{re.escape(name)}\b", code):
            yield Problem(path, f"`{path}`: `code` defines no function {name!r}; correct one of them.")
        seen.add(name)


@behaviour("PUB-033", (_TOPIC, _SUBSCRIPTION, _SCHEMA), _BOTH, 400, _REASON, "general knowledge of Pub/Sub")
def name_form(call: Call) -> Iterator[Problem]:
    """A name outside Google's form."""
    name = call.text("name")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9\-_.~+%]{2,254}", name) or name.startswith("goog"):
        yield Problem(
            "name",
            f"`name` must be 3 to 255 characters, start with a letter and not with goog, not {name!r}.",
        )
