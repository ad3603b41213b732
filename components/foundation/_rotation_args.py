"""What the rotator is told: where it runs, what it rotates, who reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pulumi

from components._checks import require_between
from components.compute.source_function import FunctionHost
from facts.names import check_name
from facts.refusal import RefusedError

__all__ = ["RotatedDatabase", "RotationConsumer", "SecretRotationArgs", "VendorProbe"]


@dataclass(frozen=True, kw_only=True, slots=True)
class RotatedDatabase:
    """A database secret and the two built-in users that take turns."""

    instance: pulumi.Input[str]
    """Physical name of the instance."""
    connection_name: pulumi.Input[str]
    """PROJECT:REGION:INSTANCE."""
    database: pulumi.Input[str]
    """Database that the login proves itself at."""
    users: tuple[str, str]
    """The user of the first password first."""

    def __post_init__(self) -> None:
        if self.users[0] == self.users[1]:
            raise RefusedError(
                f"users must be two different users, got {self.users[0]!r} twice; name another"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class VendorProbe:
    """A GET that only a valid key is allowed."""

    url: str
    """Address, https only."""
    header: str
    """Header that carries the key."""
    prefix: str = ""
    """What stands before the key, such as "Token "."""

    def __post_init__(self) -> None:
        if not self.url.startswith("https://"):
            raise RefusedError(f"url must begin with https://, got {self.url!r}; the key would be readable")


@dataclass(frozen=True, kw_only=True, slots=True)
class RotationConsumer:
    """A service or worker pool that may read a version by its number, as its release says."""

    kind: Literal["services", "workerPools"]
    """As Cloud Run's resource names spell it."""
    location: str
    """Its region."""
    name: pulumi.Input[str]
    """Physical name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SecretRotationArgs(FunctionHost):
    """Where it runs and what it rotates."""

    member: pulumi.Input[str]
    """The same account as an IAM member."""
    topic_kms_key: pulumi.Input[str]
    """Key of the dead letters."""
    topic: pulumi.Input[str]
    """Full path of the rotation topic."""
    subscription_name: str
    """Short name of the push subscription; its dead letters' ends in -dlq."""
    caller: pulumi.Input[str]
    """Email of the account that Pub/Sub calls as."""
    caller_member: pulumi.Input[str]
    """The same account as an IAM member."""
    role_prefix: str
    """Begins the ids of the custom roles that it makes; letters, digits and underscores."""
    secrets_role: pulumi.Input[str] | None = None
    """Full name of a role like SECRETS_ROLE that stands; by default it makes its own."""
    passwords_role: pulumi.Input[str] | None = None
    """Full name of a role like PASSWORDS_ROLE that stands; by default it makes its own."""
    pubsub_agent: pulumi.Input[str]
    """Pub/Sub's agent, as an IAM member."""
    databases: Mapping[str, RotatedDatabase] = field(default_factory=dict[str, RotatedDatabase])
    """By the short id of the secret."""
    vendors: Mapping[str, VendorProbe | None] = field(default_factory=dict[str, VendorProbe | None])
    """By the short id of the secret; None where a human confirms a new version."""
    reminders: Mapping[str, str] = field(default_factory=dict[str, str])
    """By the short id of a secret on the topic that a person changes: what is to be done."""
    consumers: Mapping[str, RotationConsumer] = field(default_factory=dict[str, RotationConsumer])
    """Whoever may read a secret, by a key that names the grant. No version that a revision of theirs still
    reads is disabled; the rotator looks and waits, a release moves them."""
    grace_hours: int = 24
    """How long the version before stays a way back, 1 to 168 hours."""

    def __post_init__(self) -> None:
        check_name("run service", self.service_name)
        check_name("topic", self.subscription_name)
        require_between("grace_hours", self.grace_hours, 1, 168, "hours")
        if not self.databases and not self.vendors:
            raise RefusedError(
                "databases or vendors must name a secret, got neither; leave the component out"
            )
