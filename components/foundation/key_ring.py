"""One location's encryption keys: a ring, a key per class of consumers, and its users' grants.

Makes the ring, the keys and, inside, the grants that let service agents use them: whoever uses a key
writes `depends_on=[this]`. Applications get no key: Google encrypts on their behalf. Google never deletes
a ring or a key, and destroying a key destroys its data, so both are always protected and the provider
refuses to delete them. `adopt` imports a ring and keys that exist, when the state was lost. Software keys
cost a few cents a month and version. The period of rotation changes in place; a rotation does not
re-encrypt, so old versions stay enabled. Alerts on destruction, on a changed version and
on changed access are declared with the observability components.

Not modelled: external and hardware keys, other purposes and algorithms, import jobs, a skipped first
version and a destruction delay other than Google's 30 days, because nothing here needs them; key access
justifications, which Google gives with external keys and Assured Workloads only; Autokey, which makes keys
on demand under names and in places that no review sees; grants on the ring, since each key has its own
users; conditions, since an agent has one use.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_gcp as gcp

from facts.members import check_members
from facts.names import check_name
from facts.refusal import RefusedError

__all__ = ["Key", "KeyRing", "KeyRingArgs"]

_DAY_SECONDS = 86_400
_QUARTER_SECONDS = 7_776_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    """One key and who may encrypt and decrypt with it."""

    name: str
    # Key -> IAM member; the key names the grant. Service agents, not applications.
    members: Mapping[str, pulumi.Input[str]]
    # Who may only decrypt: readers of what somebody else encrypted.
    decrypters: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])

    def __post_init__(self) -> None:
        check_name("key", self.name)
        check_members("members", self.members)
        check_members("decrypters", self.decrypters)


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyRingArgs:
    """One ring."""

    project_id: str
    # Region or multi-region; consumers must be in the same one.
    location: str
    ring_name: str
    # By class of consumers.
    keys: Mapping[str, Key]
    labels: Mapping[str, str]
    # A new version becomes primary after so long; 1 to 90 days.
    rotation_period_seconds: int = _QUARTER_SECONDS
    # Imports ring and keys instead of creating them.
    adopt: bool = False

    def __post_init__(self) -> None:
        check_name("key", self.ring_name)
        if not self.keys:
            raise RefusedError("keys must name at least one class of consumers, got none; name who encrypts")
        if not _DAY_SECONDS <= self.rotation_period_seconds <= _QUARTER_SECONDS:
            raise RefusedError(
                f"rotation_period_seconds must be between {_DAY_SECONDS} and {_QUARTER_SECONDS} seconds, "
                f"got {self.rotation_period_seconds}; correct it"
            )


class KeyRing(pulumi.ComponentResource):
    """The keys of one location."""

    # Full resource names, by class of consumers.
    key_ids: Mapping[str, pulumi.Output[str]]
    # Full resource name of the ring, for keys of another purpose; known before any key stands.
    ring_id: pulumi.Output[str]

    def __init__(self, name: str, args: KeyRingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aiprod:foundation:KeyRing", name, None, opts)
        path = f"projects/{args.project_id}/locations/{args.location}/keyRings/{args.ring_name}"
        ring = gcp.kms.KeyRing(
            name,
            project=args.project_id,
            location=args.location,
            name=args.ring_name,
            opts=_kept(self, path if args.adopt else None),
        )
        key_ids: dict[str, pulumi.Output[str]] = {}
        for consumer, key in args.keys.items():
            crypto_key = gcp.kms.CryptoKey(
                f"{name}-{consumer}",
                name=key.name,
                key_ring=ring.id,
                purpose="ENCRYPT_DECRYPT",
                rotation_period=f"{args.rotation_period_seconds}s",
                version_template={
                    "algorithm": "GOOGLE_SYMMETRIC_ENCRYPTION",
                    "protection_level": "SOFTWARE",
                },
                deletion_policy="PREVENT",
                labels=dict(args.labels),
                opts=_kept(self, f"{path}/cryptoKeys/{key.name}" if args.adopt else None),
            )
            key_ids[consumer] = crypto_key.id
            for role, suffix, members in (
                ("roles/cloudkms.cryptoKeyEncrypterDecrypter", "", key.members),
                ("roles/cloudkms.cryptoKeyDecrypter", "-decrypter", key.decrypters),
            ):
                for member_key, member in members.items():
                    gcp.kms.CryptoKeyIAMMember(
                        f"{name}-{consumer}{suffix}-{member_key}",
                        crypto_key_id=crypto_key.id,
                        role=role,
                        member=member,
                        opts=pulumi.ResourceOptions(parent=self),
                    )
        self.key_ids = key_ids
        self.ring_id = ring.id
        self.register_outputs({"key_ids": key_ids, "ring_id": self.ring_id})


def _kept(parent: pulumi.Resource, import_id: str | None) -> pulumi.ResourceOptions:
    """Protected, and imported when there is something to adopt."""
    return pulumi.ResourceOptions(parent=parent, protect=True, import_=import_id)
