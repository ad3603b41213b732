"""Cloud Storage and Artifact Registry."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sandbox.cloud.behaviours.table import Call, Phase, Problem, behaviour
from sandbox.cloud.data import plain

_BUCKET: Final = "gcp:storage/bucket:Bucket"
_BUCKET_MEMBER: Final = "gcp:storage/bucketIAMMember:BucketIAMMember"
_REPOSITORY: Final = "gcp:artifactregistry/repository:Repository"
_BOTH: Final = (Phase.CREATE, Phase.UPDATE)


@behaviour(
    "GCS-003",
    _BUCKET,
    Phase.CREATE,
    400,
    "invalid",
    "terraform-provider-google-beta website/docs/r/storage_bucket",
)
def bucket_name(call: Call) -> Iterator[Problem]:
    """A bucket name outside Google's form."""
    name = call.text("name")
    fine = re.fullmatch(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]", name) and all(
        len(part) <= 63 for part in name.split(".")
    )
    if not fine or name.startswith("goog") or "google" in name:
        yield Problem(
            "name",
            "`name` must be 3 to 63 lower-case letters, digits, dashes and underscores, not start with "
            "goog nor hold "
            f"google, not {name!r}.",
        )


@behaviour(
    "GCS-008",
    _BUCKET,
    Phase.UPDATE,
    403,
    "forbidden",
    "terraform-provider-google-beta website/docs/r/storage_bucket",
)
def locked_retention(call: Call) -> Iterator[Problem]:
    """A locked retention is neither shortened nor removed."""
    old = call.old_inputs.get("retentionPolicy")
    if not isinstance(old, dict) or not plain(old).get("isLocked"):
        return
    before, after = plain(old).get("retentionPeriod"), call.get("retentionPolicy.retentionPeriod")
    if not isinstance(after, int) or (isinstance(before, int) and after < before):
        path = "retentionPolicy.retentionPeriod"
        yield Problem(path, f"`{path}` is locked at {before} and can only grow.")


@behaviour("GCS-010", _BUCKET, _BOTH, 400, "invalid", "general knowledge of Cloud Storage")
def retention_and_versions(call: Call) -> Iterator[Problem]:
    """Retention and versioning exclude each other."""
    if call.get("retentionPolicy") and call.get("versioning.enabled"):
        yield Problem(
            "retentionPolicy", "`retentionPolicy` excludes `versioning.enabled`; remove one of the two."
        )


@behaviour(
    "GCS-011", _BUCKET, _BOTH, 400, "invalid", "terraform-provider-google-beta website/docs/r/storage_bucket"
)
def soft_delete(call: Call) -> Iterator[Problem]:
    """Soft deletion lasts nothing or 7 to 90 days."""
    path = "softDeletePolicy.retentionDurationSeconds"
    value = call.get(path)
    if isinstance(value, int) and value != 0 and not 604800 <= value <= 7776000:
        yield Problem(path, f"`{path}` must be 0 or from 604800 to 7776000, not {value}.")


@behaviour(
    "GCS-016", _BUCKET_MEMBER, Phase.CREATE, 412, "conditionNotMet", "general knowledge of Cloud Storage"
)
def public_bucket(call: Call) -> Iterator[Problem]:
    """Nobody unknown is let in where public access is prevented."""
    record = call.world.get(_BUCKET, call.text("bucket").removeprefix("b/"))
    enforced = record is not None and plain(record.inputs).get("publicAccessPrevention") == "enforced"
    if enforced and call.text("member").startswith("all"):
        yield Problem(
            "member", f"`member` cannot be {call.text('member')}: the bucket prevents public access."
        )


@behaviour(
    "ART-002", _REPOSITORY, Phase.CREATE, 400, "INVALID_ARGUMENT", "general knowledge of Artifact Registry"
)
def repository_id(call: Call) -> Iterator[Problem]:
    """A repository id outside Google's form."""
    name = call.text("repositoryId")
    if not re.fullmatch(r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?", name):
        yield Problem(
            "repositoryId",
            "`repositoryId` must be 1 to 63 lower-case letters, digits and dashes, start with a letter "
            "and not end "
            f"with a dash, not {name!r}.",
        )
