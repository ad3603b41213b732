"""Labels, places and providers: what holds for every resource."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from facts.stateful import STATEFUL
from policies.model import UNKNOWN, Finding, Resource, is_missing, is_true, kind, rule, say, stack_rule, text
from policies.places import LABELS, environment, in_eu, labels_path

__all__ = ["RULES"]

_REQUIRED: Final = ("system", "environment", "managed-by", "component")
_DATA_CLASSES: Final = ("public", "internal", "confidential", "restricted")
# Types that hold data of users or operators.
_DATA: Final = (
    "gcp:bigquery/dataset:Dataset",
    "gcp:pubsub/topic:Topic",
    "gcp:redis/instance:Instance",
    "gcp:secretmanager/secret:Secret",
    "gcp:sql/databaseInstance:DatabaseInstance",
    "gcp:storage/bucket:Bucket",
)
# Types that may only lie in a region, so that "global" is outside the European Union as well.
_PLACED: Final = (
    "gcp:artifactregistry/repository:Repository",
    "gcp:bigquery/dataset:Dataset",
    "gcp:cloudrunv2/job:Job",
    "gcp:cloudrunv2/service:Service",
    "gcp:cloudrunv2/workerPool:WorkerPool",
    "gcp:compute/subnetwork:Subnetwork",
    "gcp:kms/keyRing:KeyRing",
    "gcp:logging/projectBucketConfig:ProjectBucketConfig",
    "gcp:redis/instance:Instance",
    "gcp:sql/databaseInstance:DatabaseInstance",
    "gcp:storage/bucket:Bucket",
)
_PROTECTED: Final = tuple(sorted(STATEFUL))
# Types that do what a judged type does and that no rule reads, with the one to use.
_AROUND: Final = {
    "gcp:appengine/flexibleAppVersion:FlexibleAppVersion": "cloudrunv2.Service",
    "gcp:appengine/standardAppVersion:StandardAppVersion": "cloudrunv2.Service",
    "gcp:cloudfunctions/function:Function": "cloudfunctionsv2.Function",
    "gcp:cloudrun/service:Service": "cloudrunv2.Service",
    "gcp:compute/targetSSLProxy:TargetSSLProxy": "compute.TargetHttpsProxy",
    "gcp:compute/targetTCPProxy:TargetTCPProxy": "compute.TargetHttpsProxy",
}
_DEFAULT_PROVIDER: Final = re.compile(r"pulumi:providers:[\w-]+::default(_[0-9_]+)?(::|$)")


@rule(
    "labels-required",
    "Every resource that takes labels says what it belongs to",
    controls=("GEN-01", "GEN-02"),
    source="policy-library GCPEnforceLabel",
    types=LABELS,
)
def required(resource: Resource) -> Iterator[str]:
    path = labels_path(resource.type) or "labels"
    for key in _REQUIRED:
        if is_missing(resource.get(f"{path}.{key}")):
            yield say(resource, f"{path}.{key}", "be given", None, "pass the house's labels")


@rule(
    "labels-managed-by",
    "What Pulumi manages says so",
    controls=("GEN-01",),
    source="table of labels",
    types=LABELS,
)
def managed_by(resource: Resource) -> Iterator[str]:
    path = f"{labels_path(resource.type)}.managed-by"
    value = text(resource.get(path))
    if value is not None and value != "pulumi":
        yield say(resource, path, "be pulumi", value, "correct the label")


@rule(
    "labels-data-class",
    "What holds data names its class",
    controls=("GEN-01",),
    source="data protection: a data-class label enforced by policy",
    types=_DATA,
)
def data_class(resource: Resource) -> Iterator[str]:
    path = f"{labels_path(resource.type)}.data-class"
    value = resource.get(path)
    if is_missing(value) or (text(value) is not None and value not in _DATA_CLASSES):
        yield say(
            resource, path, f"be one of {', '.join(_DATA_CLASSES)}", value, "choose by whom a leak would harm"
        )


@stack_rule(
    "labels-one-environment",
    "All resources of a stack name the same environment",
    controls=("GEN-14",),
    source="design: one project and one stack per environment",
)
def one_environment(resources: Sequence[Resource]) -> Iterator[Finding]:
    first: tuple[str, str] | None = None
    for resource in resources:
        path = labels_path(resource.type)
        value = None if path is None else text(resource.get(f"{path}.environment"))
        if value is None:
            continue
        if first is None:
            first = (value, resource.name)
        elif value != first[0]:
            must = f"be {first[0]} as on {first[1]}"
            yield Finding(
                resource.urn, say(resource, f"{path}.environment", must, value, "correct one of the two")
            )


@rule(
    "labels-environment-is-stack",
    "The environment label is the stack's own name",
    controls=("GEN-14",),
    source="design: rules are as strict as the label says, so a stack file must not choose it",
    types=LABELS,
)
def environment_is_stack(resource: Resource) -> Iterator[str]:
    path = f"{labels_path(resource.type)}.environment"
    value, stack = text(resource.get(path)), resource.urn.removeprefix("urn:pulumi:").split("::")[0]
    if value is not None and value != stack:
        yield say(resource, path, f"be {stack}, the stack", value, "set environment to the stack's name")


@rule(
    "location-in-eu",
    "Everything lies in the European Union",
    controls=("GEN-03", "GEN-04"),
    source="org policy gcp.resourceLocations",
)
def location_in_eu(resource: Resource) -> Iterator[str]:
    if not resource.type.startswith("gcp:"):
        return
    for path in ("location", "region", "zone"):
        value = text(resource.get(path))
        if value in (None, "") or in_eu(str(value)):
            continue
        if value == "global" and (resource.type not in _PLACED or _is_googles_own(resource)):
            continue
        yield say(resource, path, "be a region of the European Union", value, "use a region of the platform")


def _is_googles_own(resource: Resource) -> bool:
    """Whether it is a log bucket that Google made, which lies where Google put it."""
    return str(text(resource.get("bucketId"))).startswith("_")


@rule(
    "type-understood",
    "No older or other type takes a way round the rules",
    controls=("GEN-12",),
    source="policy-library GCPAllowedResourceTypes",
    types=_AROUND,
)
def type_understood(resource: Resource) -> Iterator[str]:
    remedy = f"use {_AROUND[resource.type]}"
    yield say(resource, "type", "be one that the rules judge", kind(resource.type), remedy)


@rule(
    "stateful-protected",
    "What holds state is protected by the engine outside dev",
    controls=("GEN-05",),
    source="table of environments: deletion protection three ways",
    types=_PROTECTED,
)
def stateful_protected(resource: Resource) -> Iterator[str]:
    where = environment(resource)
    if where not in (None, "dev") and not resource.protect:
        yield say(
            resource, "option protect", f"be true in {where}", resource.protect, "set protect in the options"
        )


@rule(
    "provider-explicit",
    "Every resource names its provider",
    controls=("GEN-07",),
    source="design: a forgotten provider must not reach another project",
)
def provider_explicit(resource: Resource) -> Iterator[str]:
    if resource.type.startswith("gcp:") and _DEFAULT_PROVIDER.search(resource.provider):
        yield say(resource, "option provider", "name a provider", "default", "pass the platform's provider")


@rule(
    "service-stays-enabled",
    "A destroyed stack does not switch off an API",
    controls=("GEN-10",),
    source="google-cloud: others in the project use it",
    types=("gcp:projects/service:Service",),
)
def service_stays(resource: Resource) -> Iterator[str]:
    value = resource.get("disableOnDestroy", default=False)
    if value is not UNKNOWN and is_true(value):
        yield say(resource, "disableOnDestroy", "be false", value, "remove it, false is the default")


@rule(
    "scheduler-authenticated",
    "A scheduled call carries an identity",
    controls=("SCH-01",),
    source="RUN-04",
    types=("gcp:cloudscheduler/job:Job",),
)
def scheduler_authenticated(resource: Resource) -> Iterator[str]:
    if resource.get("httpTarget") is None:
        return
    paths = ("httpTarget.oidcToken.serviceAccountEmail", "httpTarget.oauthToken.serviceAccountEmail")
    if all(is_missing(resource.get(path)) for path in paths):
        yield say(resource, paths[0], "name an account", None, "set the account that may make the call")


RULES = (
    required,
    managed_by,
    data_class,
    one_environment,
    environment_is_stack,
    location_in_eu,
    type_understood,
    stateful_protected,
    provider_explicit,
    service_stays,
    scheduler_authenticated,
)
