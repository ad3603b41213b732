"""A generated password as the first version of a secret.

Makes the random value and the version, which is sent write-only: it stands in no version's state and is
never read back. The random value itself stands in the stack's state, encrypted as every secret there.
Raising `generation` makes a new value and a new version. Rotation after the first value is the rotator's
work, not this one's. Free but for the version.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp
import pulumi_random as random

__all__ = ["GeneratedSecret", "GeneratedSecretArgs"]


@dataclass(frozen=True, kw_only=True, slots=True)
class GeneratedSecretArgs:
    """One generated value."""

    # Full resource name of the secret.
    secret_id: pulumi.Input[str]
    # From 1; raised by one for a new value.
    generation: int
    # 24 to 128 characters: letters and digits, which need no quoting in an address.
    length: int = 40

    def __post_init__(self) -> None:
        if self.generation < 1:
            raise ValueError(f"generation must be at least 1, got {self.generation}")
        if not 24 <= self.length <= 128:
            raise ValueError(f"length must be between 24 and 128 characters, got {self.length}")


class GeneratedSecret(pulumi.ComponentResource):
    """One generated value, stored as a version."""

    # The value, secret.
    value: pulumi.Output[str]
    # Full resource name of the version.
    version_id: pulumi.Output[str]

    def __init__(
        self, name: str, args: GeneratedSecretArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("aiprod:foundation:GeneratedSecret", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        password = random.RandomPassword(
            name,
            length=args.length,
            special=False,
            min_lower=1,
            min_upper=1,
            min_numeric=1,
            keepers={"generation": str(args.generation)},
            opts=child,
        )
        self.value = pulumi.Output.secret(password.result)
        version = gcp.secretmanager.SecretVersion(
            name,
            secret=args.secret_id,
            secret_data_wo=self.value,
            secret_data_wo_version=str(args.generation),
            opts=child,
        )
        self.version_id = version.id
        self.register_outputs({"value": self.value, "version_id": self.version_id})
