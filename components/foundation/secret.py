"""One secret: replicas in named regions with their own keys, a rotation message, delayed destruction, its
readers.

Makes the secret and the grants of its accessors and of who adds versions. Makes no version: a vendor's key is
added by a human, a generated one by `GeneratedSecret`, later ones by the rotator, so no value passes through
here. A destroyed version is only disabled until `version_destroy_ttl_seconds` have passed: that is the
rollback window. Regions cannot be changed without replacing the secret and losing its versions. Cost
is per version, replica and access. Alerts on refused access and destruction are declared with the
observability components. Aliases belong to the rotator and are ignored here.

Not modelled: automatic replication (its key must be global, outside the EU) and regional secrets (they have
no second region); expiry (it deletes the secret); the state of versions (the rotator's); `secret_type`,
which sorts secrets in the console only; conditions on access, since each secret has its own readers;
Parameter Manager, because what is no secret stands in the stack file and is reviewed there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import pulumi
import pulumi_gcp as gcp

from components.ownership import SECRET, ignored
from facts.members import check_members
from facts.names import check_name
from facts.refusal import RefusedError

__all__ = ["Rotation", "Secret", "SecretArgs"]

_HOUR_SECONDS = 3_600
_DAY_SECONDS = 86_400
_QUARTER_SECONDS = 90 * _DAY_SECONDS


@dataclass(frozen=True, kw_only=True, slots=True)
class Rotation:
    """When Google sends the message that the secret is due."""

    # 1 hour to 90 days.
    period_seconds: int
    # RFC 3339, in the future when first applied; Google moves it on, so later values are ignored.
    next_rotation_time: str
    topic_id: pulumi.Input[str]

    def __post_init__(self) -> None:
        if not _HOUR_SECONDS <= self.period_seconds <= _QUARTER_SECONDS:
            raise RefusedError(
                f"period_seconds must be between {_HOUR_SECONDS} and {_QUARTER_SECONDS} seconds, "
                f"got {self.period_seconds}; correct it"
            )
        try:
            moment = datetime.fromisoformat(self.next_rotation_time)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            raise RefusedError(
                "next_rotation_time must be a time with its zone such as 2027-01-31T00:00:00Z, "
                f"got {self.next_rotation_time!r}; correct it"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class SecretArgs:
    """One secret."""

    project_id: pulumi.Input[str]
    secret_id: str
    # Region -> key of that region. At least two, so that one region's loss loses no secret.
    replicas: Mapping[str, pulumi.Input[str]]
    # One region is enough for what is lost with it anyway; a version is written to all regions or to none.
    one_region: bool = False
    rotation: Rotation
    labels: Mapping[str, str]
    # Who may read values. Key -> IAM member; the key names the grant.
    accessors: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    # Who may add a version and read none: the people who make a vendor's keys.
    version_adders: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    # 1 to 90 days.
    version_destroy_ttl_seconds: int = 7 * _DAY_SECONDS
    # Pulumi's protection, the provider's guard and Google's own, together.
    deletion_protection: bool = True

    def __post_init__(self) -> None:
        check_name("secret", self.secret_id)
        check_members("accessors", self.accessors)
        check_members("version_adders", self.version_adders)
        least = 1 if self.one_region else 2
        if len(self.replicas) < least:
            raise RefusedError(
                f"replicas must name at least {least} regions, got {len(self.replicas)}; add one"
            )
        if not _DAY_SECONDS <= self.version_destroy_ttl_seconds <= _QUARTER_SECONDS:
            raise RefusedError(
                f"version_destroy_ttl_seconds must be between {_DAY_SECONDS} and {_QUARTER_SECONDS} seconds, "
                f"got {self.version_destroy_ttl_seconds}; correct it"
            )


class Secret(pulumi.ComponentResource):
    """One secret without its values."""

    # Full resource name, "projects/<project>/secrets/<id>".
    secret_id: pulumi.Output[str]
    # The short id, as Cloud Run and commands take it.
    name: pulumi.Output[str]

    def __init__(self, name: str, args: SecretArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aiprod:foundation:Secret", name, None, opts)
        secret = gcp.secretmanager.Secret(
            name,
            project=args.project_id,
            secret_id=args.secret_id,
            replication={
                "user_managed": {
                    "replicas": [
                        {"location": region, "customer_managed_encryption": {"kms_key_name": key_id}}
                        for region, key_id in args.replicas.items()
                    ]
                }
            },
            rotation={
                "rotation_period": f"{args.rotation.period_seconds}s",
                "next_rotation_time": args.rotation.next_rotation_time,
            },
            topics=[{"name": args.rotation.topic_id}],
            version_destroy_ttl=f"{args.version_destroy_ttl_seconds}s",
            deletion_protection=args.deletion_protection,
            labels=dict(args.labels),
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=True if args.deletion_protection else None,
                ignore_changes=ignored(SECRET),
            ),
        )
        for role, kind, members in (
            ("roles/secretmanager.secretAccessor", "accessor", args.accessors),
            ("roles/secretmanager.secretVersionAdder", "adder", args.version_adders),
        ):
            for key, member in members.items():
                gcp.secretmanager.SecretIamMember(
                    f"{name}-{kind}-{key}",
                    project=args.project_id,
                    secret_id=secret.secret_id,
                    role=role,
                    member=member,
                    opts=pulumi.ResourceOptions(parent=self),
                )
        self.secret_id = secret.id
        self.name = secret.secret_id
        self.register_outputs({"secret_id": self.secret_id, "name": self.name})
