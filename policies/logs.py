"""Cloud Logging: how long logs are kept, under which key, and what must not be hidden."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from policies.model import (
    Finding,
    Resource,
    below,
    is_false,
    is_missing,
    is_true,
    rule,
    say,
    stack_rule,
    text,
)
from policies.places import stack_environment

__all__ = ["RULES"]

BUCKET: Final = "gcp:logging/projectBucketConfig:ProjectBucketConfig"
SINK: Final = "gcp:logging/projectSink:ProjectSink"
AUDIT: Final = "gcp:projects/iAMAuditConfig:IAMAuditConfig"
# Google's own log buckets, which exist in every project.
_BUILT_IN: Final = ("_Default", "_Required")


@rule(
    "log-retention",
    "Logs are kept for at least 30 days",
    controls=("LOG-03",),
    source="CRIT-1.5",
    types=(BUCKET,),
)
def retention(resource: Resource) -> Iterator[str]:
    if below(resource.get("retentionDays", 30), 30):
        yield say(
            resource, "retentionDays", "be at least 30 days", resource.get("retentionDays"), "set 30 or more"
        )


@stack_rule(
    "log-retention-production",
    "A log bucket of production keeps logs for at least 90 days",
    controls=("LOG-03",),
    source="table of environments",
)
def retention_production(resources: Sequence[Resource]) -> Iterator[Finding]:
    if stack_environment(resources) != "prod":
        return
    for bucket in resources:
        if bucket.type != BUCKET or text(bucket.get("bucketId")) in _BUILT_IN:
            continue
        value = bucket.get("retentionDays", 30)
        if below(value, 90):
            yield Finding(
                bucket.urn, say(bucket, "retentionDays", "be at least 90 days in prod", value, "set 90")
            )


@rule(
    "log-customer-key",
    "A log bucket is encrypted with a key of the house",
    controls=("LOG-05",),
    source="SEC-2.2",
    types=(BUCKET,),
)
def customer_key(resource: Resource) -> Iterator[str]:
    path = "cmekSettings.kmsKeyName"
    if text(resource.get("bucketId")) not in _BUILT_IN and is_missing(resource.get(path)):
        yield say(resource, path, "name a key", None, "set the logging key now, it cannot be added later")


@rule(
    "log-sink-open",
    "No sink is switched off or hides audit logs",
    controls=("LOG-07",),
    source="CIS 2.2/2.3 by analogy",
    types=(SINK,),
)
def sink_open(resource: Resource) -> Iterator[str]:
    if is_true(resource.get("disabled")):
        yield say(resource, "disabled", "be false", resource.get("disabled"), "remove it")
    for exclusion in resource.each("exclusions"):
        value = text(exclusion.get("filter"))
        if value is not None and "cloudaudit.googleapis.com" in value.replace("%2F", "/"):
            yield say(
                resource, exclusion.within("filter"), "not match audit logs", value, "narrow the exclusion"
            )


@rule(
    "log-sink-own-identity",
    "A sink writes with an identity of its own",
    controls=("LOG-06",),
    source="Google: a shared writer cannot be granted per destination",
    types=(SINK,),
)
def sink_own_identity(resource: Resource) -> Iterator[str]:
    path = "uniqueWriterIdentity"
    if is_false(resource.get(path, default=True)):
        yield say(resource, path, "be true", resource.get(path), "remove it, true is the default")


@rule(
    "audit-no-exemption",
    "Nobody is exempt from audit logs",
    controls=("LOG-01",),
    source="CIS 2.1, checkov CKV2_GCP_5, org policy iam.disableAuditLoggingExemption",
    types=(AUDIT,),
)
def audit_no_exemption(resource: Resource) -> Iterator[str]:
    for block in resource.each("auditLogConfigs"):
        for member in block.strings("exemptedMembers"):
            yield say(resource, block.within("exemptedMembers"), "be empty", member, "remove the exemption")


RULES = (retention, retention_production, customer_key, sink_open, sink_own_identity, audit_no_exemption)
