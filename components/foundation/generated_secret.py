"""A generated password as the first version of a secret.

Makes the random value and the version. Write-only keeps the value out of what Google and the provider hand
back; as an input and as the random value it stands in the stack's state, encrypted as every secret there.

The value has lower and upper case, digits and signs, as PostgreSQL's password policy asks; its signs need no
quoting in an address. Raising `generation` makes a new value and a new version; the version before it is only
disabled, so that it can be restored. Rotation after the first value is the rotator's work, not this one's.
Each version and replica is billed.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp
import pulumi_random as random

from components.ownership import GENERATED_SECRET, SECRET_VERSION, ignored
from facts.refusal import RefusedError

__all__ = ["GeneratedSecret", "GeneratedSecretArgs"]

# Unreserved in an address (RFC 3986).
_SIGNS = "-_.~"


@dataclass(frozen=True, kw_only=True, slots=True)
class GeneratedSecretArgs:
    """One generated value."""

    # Full resource name of the secret.
    secret_id: pulumi.Input[str]
    # From 1; raised by one for a new value.
    generation: int
    # 24 to 128 characters.
    length: int = 40

    def __post_init__(self) -> None:
        if self.generation < 1:
            raise RefusedError(f"generation must be at least 1, got {self.generation}; raise it")
        if not 24 <= self.length <= 128:
            raise RefusedError(f"length must be between 24 and 128 characters, got {self.length}; correct it")


class GeneratedSecret(pulumi.ComponentResource):
    """One generated value, stored as a version."""

    # The value, secret.
    value: pulumi.Output[str]
    # Full resource name of the version.
    version_id: pulumi.Output[str]

    def __init__(
        self, name: str, args: GeneratedSecretArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(GENERATED_SECRET, name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        password = random.RandomPassword(
            name,
            length=args.length,
            special=True,
            override_special=_SIGNS,
            min_lower=1,
            min_upper=1,
            min_numeric=1,
            min_special=1,
            keepers={"generation": str(args.generation)},
            opts=child,
        )
        self.value = pulumi.Output.secret(password.result)
        version = gcp.secretmanager.SecretVersion(
            name,
            secret=args.secret_id,
            secret_data_wo=self.value,
            secret_data_wo_version=str(args.generation),
            # Another generation replaces this version: leave the old one disabled, not destroyed.
            deletion_policy="DISABLE",
            opts=pulumi.ResourceOptions(
                parent=self, ignore_changes=ignored(SECRET_VERSION, within=GENERATED_SECRET)
            ),
        )
        self.version_id = version.id
        self.register_outputs({"value": self.value, "version_id": self.version_id})
