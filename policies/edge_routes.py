"""What the load balancer answers and where it sends a request: headers, caches, routes, endpoint groups."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from policies.edge import BACKEND, FORWARDING, URL_MAP
from policies.model import (
    Block,
    Finding,
    Resource,
    below,
    contains_unknown,
    is_given,
    is_missing,
    is_true,
    number,
    relation,
    rule,
    say,
    stack_rule,
    text,
)

__all__ = ["RULES"]

BACKEND_BUCKET: Final = "gcp:compute/backendBucket:BackendBucket"
GROUP: Final = "gcp:compute/regionNetworkEndpointGroup:RegionNetworkEndpointGroup"
SERVICE: Final = "gcp:cloudrunv2/service:Service"
# 180 days, the least that browsers' preload lists and auditors take for lasting.
_HSTS_SECONDS: Final = 15_552_000
_HSTS: Final = re.compile(r"\s*strict-transport-security\s*:\s*.*\bmax-age\s*=\s*\"?(\d+)", re.IGNORECASE)
_SERVED: Final = ("EXTERNAL", "EXTERNAL_MANAGED")
_METRICS: Final = "/metrics"


def _is_external(resource: Resource) -> bool:
    return text(resource.get("loadBalancingScheme", "EXTERNAL_MANAGED")) in _SERVED


@rule(
    "backend-insists-on-https",
    "Every external backend tells browsers to insist on HTTPS",
    controls=("LB-13",),
    source="CRIT-1.6",
    types=(BACKEND,),
)
def insists_on_https(resource: Resource) -> Iterator[str]:
    path = "customResponseHeaders"
    if not _is_external(resource) or contains_unknown(resource.get(path)):
        return
    ages = [int(found[1]) for header in resource.strings(path) if (found := _HSTS.match(header))]
    if max(ages, default=0) < _HSTS_SECONDS:
        yield say(
            resource,
            path,
            f"hold Strict-Transport-Security with a max-age of {_HSTS_SECONDS} seconds or more",
            resource.get(path),
            "add the header",
        )


@rule(
    "backend-no-cache",
    "Nothing that the load balancer serves is cached at the edge",
    controls=("LB-01",),
    source="own: answers are private, and a cache answers before the rule sets",
    types=(BACKEND, BACKEND_BUCKET),
)
def no_cache(resource: Resource) -> Iterator[str]:
    if is_true(resource.get("enableCdn")):
        yield say(resource, "enableCdn", "be false", True, "set it to false")


@rule(
    "backend-drains",
    "A backend states how long it drains connections",
    controls=("LB-14",),
    source="own; a serverless backend has no timeout of its own to state",
    types=(BACKEND,),
    level="advisory",
)
def drains(resource: Resource) -> Iterator[str]:
    path = "connectionDrainingTimeoutSec"
    if _is_external(resource) and (is_missing(resource.get(path)) or below(resource.get(path), 1)):
        yield say(resource, path, "be 1 second or more", resource.get(path), "set 30")


@rule(
    "backend-ejects-sick-regions",
    "A backend of several regions ejects one that fails",
    controls=("LB-14",),
    source="google-cloud.md 2.0: a load balancer does not see that a serverless region fails",
    types=(BACKEND,),
)
def ejects(resource: Resource) -> Iterator[str]:
    several = len(list(resource.each("backends"))) > 1
    if _is_external(resource) and several and is_missing(resource.get("outlierDetection")):
        yield say(resource, "outlierDetection", "be set with several backends", None, "add it")


@rule(
    "forwarding-reserved-address",
    "A forwarding rule serves at a reserved address",
    controls=("LB-19",),
    source="own: an ephemeral address changes with the rule, and DNS with it",
    types=(FORWARDING,),
)
def reserved_address(resource: Resource) -> Iterator[str]:
    if is_missing(resource.get("ipAddress")):
        yield say(resource, "ipAddress", "name a reserved address", None, "reserve one and name it")


@rule(
    "url-map-tested",
    "A URL map with routes carries tests, which Google runs before it takes the map",
    controls=("LB-10",),
    source="OPT-4.7: a wrong route is refused before it serves",
    types=(URL_MAP,),
)
def tested(resource: Resource) -> Iterator[str]:
    if is_given(resource.get("pathMatchers")) and is_missing(resource.get("tests")):
        yield say(resource, "tests", "cover the routes", None, "add a test for each route")


@rule(
    "url-map-closes-metrics",
    "No host serves /metrics to the public",
    controls=("LB-01",),
    source="SEC-2.5",
    types=(URL_MAP,),
)
def closes_metrics(resource: Resource) -> Iterator[str]:
    for matcher in resource.each("pathMatchers"):
        if not contains_unknown(matcher.get("routeRules")) and not any(map(_closes, _rules(matcher))):
            yield say(
                resource,
                matcher.within("routeRules"),
                f"abort {_METRICS} and what is below it",
                None,
                "add a rule with a fault of 100 percent",
            )


def _rules(matcher: Block) -> Iterator[Block]:
    yield from matcher.each("routeRules")
    yield from matcher.each("pathRules")


def _closes(route: Block) -> bool:
    """Whether the route takes /metrics and all below it, and aborts every request."""
    abort = "routeAction.faultInjectionPolicy.abort"
    share, status = number(route.get(f"{abort}.percentage")), number(route.get(f"{abort}.httpStatus"))
    if share != 100 or status is None or status < 400:
        return False
    whole = [text(item.get("fullPathMatch")) for item in route.each("matchRules")]
    below_it = [text(item.get("prefixMatch")) for item in route.each("matchRules") if _alone(item)]
    paths = route.strings("paths")
    return (
        (_METRICS in whole and f"{_METRICS}/" in below_it)
        or _METRICS in below_it
        or (_METRICS in paths and f"{_METRICS}/*" in paths)
    )


def _alone(condition: Block) -> bool:
    return is_missing(condition.get("headerMatches")) and is_missing(condition.get("queryParameterMatches"))


@stack_rule(
    "endpoint-group-of-own-service",
    "A serverless endpoint group names a Cloud Run service of this stack in its region",
    controls=("LB-18",),
    source="own: Google takes a group of a service that does not exist, and answers 404",
)
def own_service(resources: Sequence[Resource]) -> Iterator[Finding]:
    services = [one for one in resources if one.type == SERVICE]
    for group in resources:
        name = group.get("cloudRun.service") if group.type == GROUP else None
        if is_missing(name):
            continue
        near = [
            one
            for one in services
            if text(one.get("location")) in (None, text(group.get("region")))
            or text(group.get("region")) is None
        ]
        if all(relation(group, "cloudRun.service", one) == "no" for one in near):
            message = say(
                group,
                "cloudRun.service",
                f"name a service of this stack in {text(group.get('region'))}",
                name,
                "correct the service or the region",
            )
            yield Finding(group.urn, message)


RULES = (
    insists_on_https,
    no_cache,
    drains,
    ejects,
    reserved_address,
    tested,
    closes_metrics,
    own_service,
)
