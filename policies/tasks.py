"""Cloud Tasks queues."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.model import Resource, is_missing, number, outside, rule, say

__all__ = ["RULES"]

QUEUE: Final = "gcp:cloudtasks/queue:Queue"


@rule(
    "tasks-attempts-end",
    "A queue gives a task up at some time",
    controls=("PS-05",),
    source="API-3.8; Google's default is 100 attempts, -1 has no end",
    types=(QUEUE,),
)
def attempts_end(resource: Resource) -> Iterator[str]:
    path = "retryConfig.maxAttempts"
    value = resource.get(path)
    attempts = number(value)
    if is_missing(value) or (attempts is not None and attempts < 1):
        yield say(resource, path, "be 1 or more", value, "say after how many attempts a task is given up")


@rule(
    "tasks-target-checked",
    "Where a queue says where its tasks go, they go by HTTPS and with a token",
    controls=("PS-13",),
    source="Cloud Tasks: HTTP targets with authentication tokens",
    types=(QUEUE,),
)
def target_checked(resource: Resource) -> Iterator[str]:
    if is_missing(resource.get("httpTarget")):
        return
    path = "httpTarget.uriOverride.scheme"
    scheme = resource.get(path)
    if outside(scheme, ("HTTPS",), absent="HTTPS"):
        yield say(resource, path, "be HTTPS", scheme, "call the service by HTTPS")
    path = "httpTarget.oidcToken"
    if is_missing(resource.get(path)):
        yield say(resource, path, "name an account", None, "let the service check who calls it")


RULES = (attempts_end, target_checked)
