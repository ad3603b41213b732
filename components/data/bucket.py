"""A bucket for one kind of object: uniform access, never public, versioned, encrypted with its own key.

Not made here: the key and the Cloud Storage agent's grant on it, signed URLs (the signer needs the right to
sign as itself), log sinks. Not modelled, with the reason: retention locks (irreversible), turbo replication
(buckets here are regional), object retention and hierarchical namespaces (only at creation, nobody asks), IP
filters (signed URLs come from anywhere), managed folders (one purpose a bucket), notifications, web hosting.

The location is immutable, and a key must be in the bucket's location. Soft-deleted and noncurrent objects are
billed as stored objects until their days are over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, assert_never

import pulumi
import pulumi_gcp as gcp

from components._checks import require_at_least, require_between
from facts.names import check_name
from facts.refusal import RefusedError

__all__ = [
    "AbortUploads",
    "Bucket",
    "BucketArgs",
    "Cors",
    "DeleteLive",
    "DeleteNoncurrent",
    "LifecycleRule",
    "MoveToColder",
]

_SECONDS_PER_DAY = 86_400


@dataclass(frozen=True, kw_only=True, slots=True)
class DeleteLive:
    """Delete an object when it is this old; with versioning it then is noncurrent."""

    days: int
    """Age in days, 1 or more."""

    def __post_init__(self) -> None:
        require_at_least("DeleteLive.days", self.days, 1, "day")


@dataclass(frozen=True, kw_only=True, slots=True)
class DeleteNoncurrent:
    """Delete an object for good when it has been noncurrent this long."""

    days: int
    """Days since it became noncurrent, 1 or more."""

    def __post_init__(self) -> None:
        require_at_least("DeleteNoncurrent.days", self.days, 1, "day")


@dataclass(frozen=True, kw_only=True, slots=True)
class MoveToColder:
    """Move a live object to a colder class when it is this old; never back."""

    days: int
    """Age in days, 1 or more."""
    storage_class: Literal["NEARLINE", "COLDLINE", "ARCHIVE"]
    """Class to move to; its minimum storage time is billed."""

    def __post_init__(self) -> None:
        require_at_least("MoveToColder.days", self.days, 1, "day")


@dataclass(frozen=True, kw_only=True, slots=True)
class AbortUploads:
    """Drop the parts of a multipart upload that was never completed."""

    days: int = 1
    """Days since the upload began, 1 or more."""

    def __post_init__(self) -> None:
        require_at_least("AbortUploads.days", self.days, 1, "day")


LifecycleRule = DeleteLive | DeleteNoncurrent | MoveToColder | AbortUploads


@dataclass(frozen=True, kw_only=True, slots=True)
class Cors:
    """Which web pages may call the bucket with a signed URL."""

    origins: tuple[str, ...]
    """Origins such as https://app.aiprod.ai; never a star."""
    methods: tuple[Literal["GET", "HEAD", "PUT", "POST", "DELETE"], ...]
    """Methods a page may use."""
    headers: tuple[str, ...] = ("Content-Type",)
    """Headers a page may send and read."""
    max_age_seconds: int = 3600
    """How long a browser keeps the answer, 0 to 86400 s."""

    def __post_init__(self) -> None:
        require_between("max_age_seconds", self.max_age_seconds, 0, _SECONDS_PER_DAY, "seconds")
        for origin in self.origins:
            if not origin.startswith("https://"):
                message = f"origins must begin with https://, got {origin!r}"
                raise RefusedError(message)


@dataclass(frozen=True, kw_only=True, slots=True)
class BucketArgs:
    """What a bucket needs to know."""

    project: pulumi.Input[str]
    """Project that holds the bucket."""
    bucket_name: str
    """Physical name, global over all of Google Cloud: carry the project id in it."""
    location: str
    """Region or multi-region; immutable."""
    kms_key: pulumi.Input[str]
    """Key in the same location; the Cloud Storage agent must be able to use it beforehand."""
    labels: Mapping[str, str]
    """Labels of the bucket, its data class among them."""
    versioning: bool = True
    """Whether overwritten and deleted objects are kept as noncurrent versions."""
    lifecycle: tuple[LifecycleRule, ...] = (DeleteNoncurrent(days=30), AbortUploads())
    """What is deleted or moved when; noncurrent versions go after 30 days, broken uploads after one."""
    autoclass: Literal["NEARLINE", "ARCHIVE"] | None = None
    """Coldest class to which Google moves what nobody reads, instead of rules by age; none by default."""
    retention_days: int | None = None
    """Days for which no object can be deleted or overwritten, 1 to 36500; only without versions."""
    soft_delete_days: int = 7
    """Days a deleted object can be restored, 7 to 90, or 0 for none."""
    cors: Cors | None = None
    """Web pages that may use signed URLs; none by default."""
    readers: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    """IAM members that may list and read objects, by a key that names the grant."""
    creators: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    """IAM members that may add objects but neither read nor overwrite, by a key that names the grant."""
    writers: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    """IAM members that may read, add, overwrite and delete objects, by a key that names the grant."""
    deletion_protection: bool = True
    """Whether the bucket refuses deletion; when off, deleting it deletes its objects too."""

    def __post_init__(self) -> None:
        check_name("bucket", self.bucket_name)
        if self.soft_delete_days != 0:
            require_between("soft_delete_days", self.soft_delete_days, 7, 90, "days (or 0 for none)")
        if self.autoclass is not None and any(isinstance(rule, MoveToColder) for rule in self.lifecycle):
            message = f"autoclass must be left out beside MoveToColder, got {self.autoclass!r}; remove one"
            raise RefusedError(message)
        if self.retention_days is not None:
            require_between("retention_days", self.retention_days, 1, 36_500, "days")
            if self.versioning:
                message = (
                    f"retention_days must be left out beside versioning, got {self.retention_days}; "
                    "switch versioning off or remove it"
                )
                raise RefusedError(message)


class Bucket(pulumi.ComponentResource):
    """A bucket and who may use it."""

    name: pulumi.Output[str]
    """Physical name."""
    url: pulumi.Output[str]
    """Address as gs://NAME."""

    def __init__(self, name: str, args: BucketArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Make the bucket."""
        super().__init__("aiprod:data:Bucket", name, None, opts)
        bucket = gcp.storage.Bucket(
            name,
            project=args.project,
            name=args.bucket_name,
            location=args.location,
            uniform_bucket_level_access=True,
            public_access_prevention="enforced",
            force_destroy=not args.deletion_protection,
            versioning={"enabled": args.versioning},
            lifecycle_rules=[_lifecycle_rule(rule) for rule in args.lifecycle],
            soft_delete_policy={"retention_duration_seconds": args.soft_delete_days * _SECONDS_PER_DAY},
            encryption={"default_kms_key_name": args.kms_key},
            autoclass=(
                None
                if args.autoclass is None
                else {"enabled": True, "terminal_storage_class": args.autoclass}
            ),
            retention_policy=(
                None
                if args.retention_days is None
                else {"retention_period": str(args.retention_days * _SECONDS_PER_DAY)}
            ),
            cors=None if args.cors is None else [_cors(args.cors)],
            labels=args.labels,
            opts=pulumi.ResourceOptions(parent=self, protect=args.deletion_protection),
        )
        child = pulumi.ResourceOptions(parent=self)
        _grants(f"{name}-reader", "roles/storage.objectViewer", args.readers, bucket, child)
        _grants(f"{name}-creator", "roles/storage.objectCreator", args.creators, bucket, child)
        _grants(f"{name}-writer", "roles/storage.objectUser", args.writers, bucket, child)

        self.name = bucket.name
        self.url = bucket.url
        self.register_outputs({"name": self.name, "url": self.url})


def _grants(
    prefix: str,
    role: str,
    members: Mapping[str, pulumi.Input[str]],
    bucket: gcp.storage.Bucket,
    opts: pulumi.ResourceOptions,
) -> None:
    for key, member in members.items():
        gcp.storage.BucketIAMMember(
            f"{prefix}-{key}", bucket=bucket.name, role=role, member=member, opts=opts
        )


def _lifecycle_rule(rule: LifecycleRule) -> gcp.storage.BucketLifecycleRuleArgsDict:
    match rule:
        case DeleteLive(days=days):
            return {"action": {"type": "Delete"}, "condition": {"age": days, "with_state": "LIVE"}}
        case DeleteNoncurrent(days=days):
            return {
                "action": {"type": "Delete"},
                "condition": {"days_since_noncurrent_time": days, "with_state": "ARCHIVED"},
            }
        case MoveToColder(days=days, storage_class=storage_class):
            return {
                "action": {"type": "SetStorageClass", "storage_class": storage_class},
                "condition": {"age": days, "with_state": "LIVE"},
            }
        case AbortUploads(days=days):
            return {"action": {"type": "AbortIncompleteMultipartUpload"}, "condition": {"age": days}}
        case _:
            assert_never(rule)


def _cors(cors: Cors) -> gcp.storage.BucketCorArgsDict:
    return {
        "origins": list(cors.origins),
        "methods": list(cors.methods),
        "response_headers": list(cors.headers),
        "max_age_seconds": cors.max_age_seconds,
    }
