"""Cloud KMS: rotation, protection, and who may use a key."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from policies.model import Finding, Resource, is_missing, rule, say, seconds, stack_rule, text

__all__ = ["RULES"]

KEY: Final = "gcp:kms/cryptoKey:CryptoKey"
RING: Final = "gcp:kms/keyRing:KeyRing"
_KEY_GRANTS: Final = (
    "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember",
    "gcp:kms/cryptoKeyIAMBinding:CryptoKeyIAMBinding",
)
_WIDE_GRANTS: Final = (
    "gcp:kms/keyRingIAMMember:KeyRingIAMMember",
    "gcp:kms/keyRingIAMBinding:KeyRingIAMBinding",
    "gcp:projects/iAMMember:IAMMember",
    "gcp:projects/iAMBinding:IAMBinding",
)
_USE: Final = (
    "roles/cloudkms.cryptoKeyEncrypterDecrypter",
    "roles/cloudkms.cryptoKeyEncrypter",
    "roles/cloudkms.cryptoKeyDecrypter",
)
_APART: Final = re.compile(r"!resource\.name\.startsWith\('(projects/[^']+/keyRings/[^']+)'\)")
_NINETY_DAYS: Final = 7_776_000
_THIRTY_DAYS: Final = 2_592_000


@rule(
    "kms-rotation",
    "Symmetric keys rotate within 90 days",
    controls=("KMS-01",),
    source="CIS 1.10/1.11, checkov CKV_GCP_43, SEC-2.2",
    types=(KEY,),
)
def rotation(resource: Resource) -> Iterator[str]:
    purpose = text(resource.get("purpose", "ENCRYPT_DECRYPT"))
    if purpose != "ENCRYPT_DECRYPT" or resource.get("importOnly") is True:
        return
    period = resource.get("rotationPeriod")
    length = seconds(period)
    if is_missing(period) or (length is not None and length > _NINETY_DAYS):
        yield say(resource, "rotationPeriod", "be at most 7776000s (90 days)", period, "set 7776000s")


@rule(
    "kms-protected",
    "Key rings and keys are never destroyed by a stack",
    controls=("KMS-02", "GEN-05"),
    source="checkov CKV_GCP_82, SEC-2.2: destroying a key destroys what it encrypts",
    types=(KEY, RING),
)
def protected(resource: Resource) -> Iterator[str]:
    if not resource.protect:
        yield say(
            resource, "option protect", "be true", resource.protect, "set protect in the resource options"
        )


@rule(
    "kms-destroy-delay",
    "A destroyed key version can be restored for 30 days",
    controls=("KMS-03",),
    source="SEC-2.2",
    types=(KEY,),
)
def destroy_delay(resource: Resource) -> Iterator[str]:
    path = "destroyScheduledDuration"
    value = seconds(resource.get(path))
    if value is not None and value < _THIRTY_DAYS:
        yield say(resource, path, "be at least 2592000s (30 days)", resource.get(path), "set 2592000s")


@rule(
    "kms-use-granted-per-key",
    "The right to use a key is granted on that key, not on a ring or the project",
    controls=("KMS-08",),
    source="SEC-2.2",
    types=_WIDE_GRANTS,
)
def use_per_key(resource: Resource) -> Iterator[str]:
    role = text(resource.get("role"))
    if role in _USE:
        yield say(resource, "role", "not be a right to use keys", role, "grant it with a CryptoKeyIAMMember")


@stack_rule(
    "kms-duties-apart",
    "Nobody both administers keys and uses them",
    controls=("KMS-05",),
    source="CIS 1.11/1.12, prowler iam_role_kms_enforce_separation_of_duties",
)
def duties_apart(resources: Sequence[Resource]) -> Iterator[Finding]:
    grants = [one for one in resources if one.type in (*_KEY_GRANTS, *_WIDE_GRANTS)]
    administrators: dict[str, list[str | None]] = {}
    for one in grants:
        if text(one.get("role")) == "roles/cloudkms.admin":
            for member in _members(one):
                administrators.setdefault(member, []).append(_apart(one))
    for grant in grants:
        if text(grant.get("role")) not in _USE:
            continue
        for member in _members(grant):
            if any(not _is_apart(grant, prefix) for prefix in administrators.get(member, ())):
                yield Finding(
                    grant.urn,
                    say(grant, "member", "not also hold roles/cloudkms.admin", member, "split the two roles"),
                )


def _apart(grant: Resource) -> str | None:
    """What the names of keys start with that an administrator has nothing to do with."""
    value = grant.get("condition.expression")
    if not is_missing(value) and text(value) is None:
        # Not known yet, or not readable.
        return ""
    found = _APART.fullmatch(text(value) or "")
    return found[1] if found is not None else None


def _is_apart(grant: Resource, prefix: str | None) -> bool:
    """Whether the key that is used is outside of the administrator's hands, as far as its name is known."""
    if prefix is None:
        return False
    name = text(grant.get("cryptoKeyId"))
    return name is None or name.startswith(prefix)


def _members(grant: Resource) -> list[str]:
    return [*grant.strings("member"), *grant.strings("members")]


RULES = (rotation, protected, destroy_delay, use_per_key, duties_apart)
