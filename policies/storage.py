"""Cloud Storage buckets, Artifact Registry repositories, and the policy on what images run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from policies.model import (
    Finding,
    Resource,
    is_false,
    is_given,
    is_missing,
    is_true,
    outside,
    rule,
    say,
    stack_rule,
    text,
)
from policies.places import environment, stack_environment

__all__ = ["RULES"]

BUCKET: Final = "gcp:storage/bucket:Bucket"
REPOSITORY: Final = "gcp:artifactregistry/repository:Repository"
# Bootstrap's name for the bucket of the state: <project>-pulumi-state.
STATE_SUFFIX: Final = "-pulumi-state"
_ONE_REPOSITORY: Final = re.compile(r"[a-z0-9.-]+/[a-z0-9-]+/[a-z0-9._-]+/\*\*")
ADMISSION: Final = "gcp:binaryauthorization/policy:Policy"
SERVICE: Final = "gcp:cloudrunv2/service:Service"


@rule(
    "bucket-uniform-access",
    "A bucket has one set of rights, not one per object",
    controls=("GCS-01",),
    source="CIS 5.2, checkov CKV_GCP_29, org policy storage.uniformBucketLevelAccess",
    types=(BUCKET,),
)
def uniform_access(resource: Resource) -> Iterator[str]:
    path = "uniformBucketLevelAccess"
    if is_false(resource.get(path, default=False)):
        yield say(resource, path, "be true", resource.get(path), "set it to true")


@rule(
    "bucket-no-public-access",
    "A bucket can never be made public",
    controls=("GCS-02",),
    source="CIS 5.1, checkov CKV_GCP_114, org policy storage.publicAccessPrevention",
    types=(BUCKET,),
)
def no_public_access(resource: Resource) -> Iterator[str]:
    path = "publicAccessPrevention"
    if outside(resource.get(path), ("enforced",)):
        yield say(resource, path, "be enforced", resource.get(path), "set it to enforced")


@rule(
    "bucket-customer-key",
    "A bucket is encrypted with a key of the house",
    controls=("GCS-06",),
    source="trivy GCP-0066, SEC-2.2",
    types=(BUCKET,),
)
def bucket_customer_key(resource: Resource) -> Iterator[str]:
    path = "encryption.defaultKmsKeyName"
    if is_missing(resource.get(path)):
        yield say(resource, path, "name a key", None, "set the storage key")


@rule(
    "bucket-no-force-destroy",
    "A bucket with objects is not deleted outside dev",
    controls=("GCS-10",),
    source="table of environments",
    types=(BUCKET,),
)
def no_force_destroy(resource: Resource) -> Iterator[str]:
    where = environment(resource)
    if where not in (None, "dev") and is_true(resource.get("forceDestroy")):
        yield say(resource, "forceDestroy", f"be false in {where}", resource.get("forceDestroy"), "remove it")


@rule(
    "bucket-versioning",
    "A bucket keeps what is overwritten",
    controls=("GCS-04",),
    source="checkov CKV_GCP_78, trivy GCP-0078",
    types=(BUCKET,),
    level="advisory",
)
def versioning(resource: Resource) -> Iterator[str]:
    path = "versioning.enabled"
    if is_false(resource.get(path, default=False)):
        yield say(
            resource, path, "be true", resource.get(path), "set it, with a lifecycle rule for old versions"
        )


@rule(
    "bucket-retention-or-versioning",
    "A bucket has a retention policy or versions, and the state's bucket never a retention policy",
    controls=("GCS-08",),
    source="Google refuses both together; locks of Pulumi could not be removed",
    types=(BUCKET,),
)
def retention_or_versioning(resource: Resource) -> Iterator[str]:
    path = "retentionPolicy"
    policy = resource.get(path)
    if not is_given(policy):
        return
    if (text(resource.get("name")) or "").endswith(STATE_SUFFIX):
        yield say(resource, path, "be left out of the bucket of the state", policy, "remove it")
    elif is_true(resource.get("versioning.enabled")):
        yield say(resource, path, "be left out beside versioning", policy, "remove one of the two")


@rule(
    "bucket-lifecycle",
    "A bucket states when its objects end",
    controls=("GCS-07",),
    source="prowler cloudstorage_bucket_lifecycle_management_enabled",
    types=(BUCKET,),
    level="advisory",
)
def lifecycle(resource: Resource) -> Iterator[str]:
    if is_missing(resource.get("lifecycleRules")):
        yield say(resource, "lifecycleRules", "hold a rule", None, "add a rule with an age")


@rule(
    "registry-customer-key",
    "Images are encrypted with a key of the house",
    controls=("AR-01",),
    source="checkov CKV_GCP_84",
    types=(REPOSITORY,),
)
def registry_customer_key(resource: Resource) -> Iterator[str]:
    if is_missing(resource.get("kmsKeyName")):
        yield say(
            resource, "kmsKeyName", "name a key", None, "set the image key now, it cannot be added later"
        )


@stack_rule(
    "registry-immutable-tags",
    "A tag of an image never moves, but where Cloud Run pushes what it builds from source",
    controls=("AR-02",),
    source="RUN-14",
    level="advisory",
)
def immutable_tags(resources: Sequence[Resource]) -> Iterator[Finding]:
    path = "dockerConfig.immutableTags"
    # A build moves its tag each time, and the service runs what it built by digest.
    built = {
        urn
        for one in resources
        if one.type == SERVICE
        for urn in one.property_dependencies.get("buildConfig", ())
    }
    for one in resources:
        docker = one.type == REPOSITORY and not outside(one.get("format"), ("DOCKER",))
        # Nobody pushes to a mirror; its tags are upstream's.
        docker = docker and one.get("mode") != "REMOTE_REPOSITORY"
        if docker and one.urn not in built and is_false(one.get(path, default=False)):
            yield Finding(one.urn, say(one, path, "be true", one.get(path), "set it to true"))


@rule(
    "registry-cleanup",
    "Old images are cleaned up for real",
    controls=("CST-06",),
    source="OPT-4.1",
    types=(REPOSITORY,),
    level="advisory",
)
def cleanup(resource: Resource) -> Iterator[str]:
    if is_missing(resource.get("cleanupPolicies")):
        yield say(resource, "cleanupPolicies", "hold a policy", None, "delete untagged images after 30 days")
    if is_true(resource.get("cleanupPolicyDryRun")):
        yield say(
            resource, "cleanupPolicyDryRun", "be false", resource.get("cleanupPolicyDryRun"), "remove it"
        )


@rule(
    "registry-admission-attested",
    "A policy on images asks for an attestation, and admits no more by path than one repository",
    controls=("RUN-15",),
    source="org policy custom.cloudrunServiceRequireBinaryAuthorization",
    types=(ADMISSION,),
)
def admission_attested(resource: Resource) -> Iterator[str]:
    path = "defaultAdmissionRule.evaluationMode"
    if outside(resource.get(path), ("REQUIRE_ATTESTATION",)):
        yield say(resource, path, "be REQUIRE_ATTESTATION", resource.get(path), "name an attestor")
    for pattern in resource.each("admissionWhitelistPatterns"):
        name = text(pattern.get("namePattern"))
        if name is not None and _ONE_REPOSITORY.fullmatch(name) is None:
            yield say(
                resource,
                pattern.within("namePattern"),
                "end in HOST/PROJECT/REPOSITORY/**",
                name,
                "name the repository",
            )


@stack_rule(
    "registry-admission-enforced",
    "Above dev an image that nobody attested is blocked, and not only written to the audit log",
    controls=("RUN-15",),
    source="org policy custom.cloudrunServiceRequireBinaryAuthorization",
    level="advisory",
)
def admission_enforced(resources: Sequence[Resource]) -> Iterator[Finding]:
    path, wanted = "defaultAdmissionRule.enforcementMode", "ENFORCED_BLOCK_AND_AUDIT_LOG"
    if stack_environment(resources) not in ("staging", "prod"):
        return
    for one in resources:
        if one.type == ADMISSION and outside(one.get(path), (wanted,)):
            yield Finding(one.urn, say(one, path, f"be {wanted}", one.get(path), "set mode to enforced"))


RULES = (
    uniform_access,
    no_public_access,
    bucket_customer_key,
    no_force_destroy,
    versioning,
    retention_or_versioning,
    lifecycle,
    registry_customer_key,
    immutable_tags,
    cleanup,
    admission_attested,
    admission_enforced,
)
