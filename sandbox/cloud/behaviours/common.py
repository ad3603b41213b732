"""Behaviours of every service: names that are taken, locks against deletion."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sandbox.cloud.behaviours.table import ANY, Call, Phase, Problem, behaviour
from sandbox.cloud.data import bare

# Settings and grants: writing one that is there already changes or repeats it. So it is with an object: "the
# uploaded object replaces any existing object with the same name" (Google's API reference, Objects: insert),
# and the provider uploads without ifGenerationMatch.
_SHARED: Final = re.compile(
    r"(?i)iam(?:member|binding|policy|auditconfig|memberremove)$|projects/service|cloudArmorTier|datasetAccess|servicenetworking/"
    r"|settings:|config:(?:project|autokey|organization|folder)|binaryauthorization/policy|organizationPolicy"
    r"|storage/bucketObject:"
)
_ADOPTABLE: Final = frozenset({"gcp:kms/keyRing:KeyRing", "gcp:kms/cryptoKey:CryptoKey"})


@behaviour(
    "QTA-007",
    ANY,
    Phase.CREATE,
    409,
    "ALREADY_EXISTS",
    "refusals.yaml QTA-007: explicit name of an object that is not in the state",
)
def name_taken(call: Call) -> Iterator[Problem]:
    """An object of this explicit name exists; an upload to a bucket replaces the file of its name."""
    if _SHARED.search(call.type) or call.text("bucketId") in {"_Default", "_Required"}:
        return
    if call.world.get(call.type, call.id) is not None:
        yield Problem(
            "name",
            f"{call.id} already exists; give it another name, import it, or delete the old one first.",
        )


@behaviour(
    "KMS-001",
    tuple(sorted(_ADOPTABLE)),
    Phase.CREATE,
    409,
    "ALREADY_EXISTS",
    "google-cloud.md SEC-2.2: key rings and keys can never be deleted",
)
def never_deleted(call: Call) -> Iterator[Problem]:
    """A key ring or key of this name was deleted from a stack, and Google keeps it for ever."""
    if call.world.leftover(call.type, call.id) is not None:
        yield Problem(
            "name",
            f"{call.id} already exists, because Google never deletes key rings and keys; set `adopt` on the "
            "component (or import the resource), or choose another name.",
        )


@behaviour(
    "COM-001",
    ANY,
    Phase.DELETE,
    400,
    "FAILED_PRECONDITION",
    "google-cloud.md 0.1: deletion_protection is a lock of the provider, true unless set",
)
def deletion_protection(call: Call) -> Iterator[Problem]:
    """The provider's own lock against deletion is on."""
    if bare(call.outputs.get("deletionProtection")) is True:
        yield Problem(
            "deletionProtection",
            f"{call.id} cannot be deleted while `deletionProtection` is true; deploy false first.",
        )


@behaviour(
    "QTA-011",
    ANY,
    Phase.DELETE,
    400,
    "FAILED_PRECONDITION",
    "refusals.yaml QTA-011: deletion_policy PREVENT",
)
def deletion_policy(call: Call) -> Iterator[Problem]:
    """The deletion policy forbids it."""
    if bare(call.outputs.get("deletionPolicy")) == "PREVENT":
        yield Problem(
            "deletionPolicy",
            f"{call.id} cannot be deleted while `deletionPolicy` is PREVENT; deploy DELETE first.",
        )
