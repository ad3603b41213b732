"""Where logs are kept: a regional log bucket for everything, and one for what an auditor asks for.

Makes a log bucket with its own retention and a sink without a filter that fills it (exclusions drop named
noise); with `security_retention_days`, a second bucket and a sink for audit entries, denied requests and
changes of access. Buckets are regional, so what is kept stays in the EU, under the given key.

An exclusion keeps the project's `_Default` sink from storing a second copy in its global bucket, which has no
customer key. Log-match alerts still see the entries, because they scan what a sink of the project routes to a
log bucket (Google: "Available log entries"), and metrics count excluded entries too. One exception stays: the
`_Required` bucket (administration and system events, 400 days) is where the organisation's default location
puts it, for neither its sink nor its bucket can be changed.

A sink to a log bucket of its own project has no writer identity and needs no grant; Google refuses one.

Does not make: locked buckets (irreversible), log analytics (cannot be switched off), the grant that the
logging agent needs on `kms_key_id`: its address is looked up per project and the key's owner grants it, so
whoever makes this writes `depends_on=[key ring]`. A key cannot be removed from a bucket again. Google keeps
the id of a deleted bucket blocked for seven days, so ids end in a random suffix of the deployment.

Cost: ingestion by volume into each bucket (an entry that both sinks match is billed twice), storage beyond 30
days by volume and month.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_gcp as gcp
import pulumi_random as random

from facts.refusal import RefusedError

__all__ = ["LogArchive", "LogArchiveArgs"]

# Google takes no empty filter; DEFAULT is the lowest severity.
_EVERYTHING = "severity>=DEFAULT"
_SECURITY_FILTER = (
    'log_id("cloudaudit.googleapis.com/activity") OR log_id("cloudaudit.googleapis.com/data_access") '
    'OR log_id("cloudaudit.googleapis.com/policy") OR log_id("cloudaudit.googleapis.com/system_event") '
    'OR log_id("cloudaudit.googleapis.com/access_transparency") '
    'OR jsonPayload.enforcedSecurityPolicy.outcome="DENY" OR jsonPayload.previewSecurityPolicy.outcome="DENY"'
)


@dataclass(frozen=True, kw_only=True, slots=True)
class LogArchiveArgs:
    """Where logs are kept, how long, and what is dropped."""

    project: str
    location: str
    """Region of the buckets; cannot be changed."""
    retention_days: int
    """1 to 3,650 days for everything."""
    security_retention_days: int | None
    """1 to 3,650 days for security entries, in a bucket of their own; None keeps them with the rest."""
    exclusions: Mapping[str, str] = field(default_factory=dict[str, str])
    """Key to a filter of noise that is not kept; at most 50. Each must be limited to severities below
    WARNING."""
    kms_key_id: pulumi.Input[str] | None = None
    """Key of the same region; the logging agent must already be allowed to use it. Default: Google's keys."""

    def __post_init__(self) -> None:
        for name, days in (
            ("retention_days", self.retention_days),
            ("security_retention_days", self.security_retention_days),
        ):
            if days is not None and not 1 <= days <= 3650:
                raise RefusedError(f"{name} must be between 1 and 3650 days, got {days}: correct it")
        if len(self.exclusions) > 50:
            raise RefusedError(f"exclusions must be at most 50, got {len(self.exclusions)}: combine filters")
        for key, text in self.exclusions.items():
            if not re.search(r"severity\s*<\s*WARNING", text):
                raise RefusedError(
                    f"exclusions.{key} must contain severity<WARNING so that no warning is lost, "
                    f"got {text!r}: add it"
                )


class LogArchive(pulumi.ComponentResource):
    """Log buckets and the sinks that fill them."""

    bucket_id: pulumi.Output[str]
    """Full resource id of the bucket for everything."""
    security_bucket_id: pulumi.Output[str]
    """Full resource id of the bucket for security entries; the same bucket where there is only one."""

    def __init__(self, name: str, args: LogArchiveArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aiprod:observability:LogArchive", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        suffix = random.RandomId(f"{name}-suffix", byte_length=2, opts=child).hex
        bucket = _bucket(name, suffix, args, args.retention_days, "Everything this project logs", child)
        sink = gcp.logging.ProjectSink(
            name,
            destination=_destination(bucket),
            description="Everything, to the regional bucket",
            exclusions=[{"name": key, "filter": text} for key, text in args.exclusions.items()],
            unique_writer_identity=True,
            opts=child,
        )
        security = bucket
        if args.security_retention_days is not None:
            security = _bucket(
                f"{name}-security",
                suffix,
                args,
                args.security_retention_days,
                "Audit and denied requests",
                child,
            )
            gcp.logging.ProjectSink(
                f"{name}-security",
                destination=_destination(security),
                description="Audit entries and denied requests",
                filter=_SECURITY_FILTER,
                unique_writer_identity=True,
                opts=child,
            )
        # Only once the sink above keeps everything.
        gcp.logging.ProjectExclusion(
            f"{name}-default",
            project=args.project,
            description="Kept by the regional bucket alone",
            filter=_EVERYTHING,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[sink]),
        )
        self.bucket_id = bucket.id
        self.security_bucket_id = security.id
        self.register_outputs({"bucket_id": self.bucket_id, "security_bucket_id": self.security_bucket_id})


def _bucket(
    name: str,
    suffix: pulumi.Output[str],
    args: LogArchiveArgs,
    retention_days: int,
    description: str,
    opts: pulumi.ResourceOptions,
) -> gcp.logging.ProjectBucketConfig:
    return gcp.logging.ProjectBucketConfig(
        name,
        project=args.project,
        location=args.location,
        bucket_id=pulumi.Output.concat(name, "-", suffix),
        description=description,
        retention_days=retention_days,
        cmek_settings=None if args.kms_key_id is None else {"kms_key_name": args.kms_key_id},
        opts=opts,
    )


def _destination(bucket: gcp.logging.ProjectBucketConfig) -> pulumi.Output[str]:
    return pulumi.Output.concat("logging.googleapis.com/", bucket.id)
