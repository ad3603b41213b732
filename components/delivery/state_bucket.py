"""Where Pulumi keeps the state of a project's stacks.

Makes one bucket that cannot be lost by accident: versioned, 30 days of soft delete, never public, always
protected. Of each object at least the last 100 versions and all of the last 90 days stay. Has no
retention policy: Google refuses one beside versioning, and it would keep Pulumi's lock files from being
removed. `writers` deploy and lock, `readers` only read; both read every secret once they hold the state key.
Nobody else is granted anything. Location and name cannot be changed. Costs next to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_gcp as gcp

from facts.names import check_name

__all__ = ["StateBucket", "StateBucketArgs"]

_SOFT_DELETE_SECONDS = 30 * 86_400
_KEPT_VERSIONS = 100
_KEPT_DAYS = 90


@dataclass(frozen=True, kw_only=True, slots=True)
class StateBucketArgs:
    """One bucket for one project."""

    project_id: pulumi.Input[str]
    # Global, so it carries the project id.
    bucket_name: str
    location: str
    # Key of the same location; Cloud Storage's grant on it must stand before.
    kms_key_id: pulumi.Input[str]
    labels: Mapping[str, str]
    # Who deploys. Key -> IAM member; the key names the grant.
    writers: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    # Who looks for drift.
    readers: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])

    def __post_init__(self) -> None:
        check_name("bucket", self.bucket_name)


class StateBucket(pulumi.ComponentResource):
    """The state of one project."""

    # Short name.
    name: pulumi.Output[str]
    # "gs://<name>", the address of the backend.
    url: pulumi.Output[str]

    def __init__(self, name: str, args: StateBucketArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aiprod:delivery:StateBucket", name, None, opts)
        bucket = gcp.storage.Bucket(
            name,
            project=args.project_id,
            name=args.bucket_name,
            location=args.location,
            uniform_bucket_level_access=True,
            public_access_prevention="enforced",
            force_destroy=False,
            versioning={"enabled": True},
            soft_delete_policy={"retention_duration_seconds": _SOFT_DELETE_SECONDS},
            lifecycle_rules=[
                {
                    "action": {"type": "Delete"},
                    "condition": {
                        "num_newer_versions": _KEPT_VERSIONS,
                        "days_since_noncurrent_time": _KEPT_DAYS,
                    },
                },
                {"action": {"type": "AbortIncompleteMultipartUpload"}, "condition": {"age": 1}},
            ],
            encryption={"default_kms_key_name": args.kms_key_id},
            labels=dict(args.labels),
            opts=pulumi.ResourceOptions(parent=self, protect=True),
        )
        for role, kind, members in (
            ("roles/storage.objectUser", "writer", args.writers),
            ("roles/storage.objectViewer", "reader", args.readers),
        ):
            for key, member in members.items():
                gcp.storage.BucketIAMMember(
                    f"{name}-{kind}-{key}",
                    bucket=bucket.name,
                    role=role,
                    member=member,
                    opts=pulumi.ResourceOptions(parent=self),
                )
        self.name = bucket.name
        self.url = bucket.url
        self.register_outputs({"name": self.name, "url": self.url})
