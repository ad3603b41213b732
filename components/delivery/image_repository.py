"""Where images are kept: the sibling's, or what Google builds from source.

Makes one Docker repository with scanning and clean-up, its tags immutable unless Google's builds move them,
and the grants of its readers and writers. Cloud Run's own agent reads a repository of its project without a
grant. Pushes no image. Moving it to another location or giving it another key replaces it and loses its
images. Cost is by stored volume; untagged images go after `delete_untagged_after_days`, whatever runs
them, and the newest `keep_versions` of each image always stay, for rollback. No tagged image is deleted: what
shall stay is tagged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_gcp as gcp

from facts.names import check_name
from facts.refusal import RefusedError

__all__ = ["ImageRepository", "ImageRepositoryArgs"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageRepositoryArgs:
    """One repository."""

    project_id: str
    # A region, or "europe" for the multi-region.
    location: str
    repository_id: str
    # Key of the same location; Artifact Registry's grant on it must stand before.
    kms_key_id: pulumi.Input[str]
    labels: Mapping[str, str]
    # Who may pull. Key -> IAM member; the key names the grant.
    readers: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    # Who may push.
    writers: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    # Off only where Cloud Run's builds push, which move a tag with every build.
    immutable_tags: bool = True
    # 1 to 365 days.
    delete_untagged_after_days: int = 30
    # 1 to 100 versions of each image.
    keep_versions: int = 20
    # Protects the repository and its images from deletion.
    deletion_protection: bool = True

    def __post_init__(self) -> None:
        check_name("repository", self.repository_id)
        if not 1 <= self.delete_untagged_after_days <= 365:
            raise RefusedError(
                "delete_untagged_after_days must be between 1 and 365 days, "
                f"got {self.delete_untagged_after_days}"
            )
        if not 1 <= self.keep_versions <= 100:
            raise RefusedError(f"keep_versions must be between 1 and 100 versions, got {self.keep_versions}")


class ImageRepository(pulumi.ComponentResource):
    """One repository of container images."""

    # "<location>-docker.pkg.dev/<project>/<repository>".
    url: pulumi.Output[str]

    def __init__(
        self, name: str, args: ImageRepositoryArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("aiprod:delivery:ImageRepository", name, None, opts)
        repository = gcp.artifactregistry.Repository(
            name,
            project=args.project_id,
            location=args.location,
            repository_id=args.repository_id,
            format="DOCKER",
            kms_key_name=args.kms_key_id,
            docker_config={"immutable_tags": args.immutable_tags},
            vulnerability_scanning_config={"enablement_config": "INHERITED"},
            cleanup_policy_dry_run=False,
            cleanup_policies=[
                {
                    "id": "delete-untagged",
                    "action": "DELETE",
                    "condition": {
                        "tag_state": "UNTAGGED",
                        "older_than": f"{args.delete_untagged_after_days * 86_400}s",
                    },
                },
                {
                    "id": "keep-newest",
                    "action": "KEEP",
                    "most_recent_versions": {"keep_count": args.keep_versions},
                },
            ],
            labels=dict(args.labels),
            opts=pulumi.ResourceOptions(parent=self, protect=True if args.deletion_protection else None),
        )
        for role, kind, members in (
            ("roles/artifactregistry.reader", "reader", args.readers),
            ("roles/artifactregistry.writer", "writer", args.writers),
        ):
            for key, member in members.items():
                gcp.artifactregistry.RepositoryIamMember(
                    f"{name}-{kind}-{key}",
                    project=args.project_id,
                    location=args.location,
                    repository=repository.repository_id,
                    role=role,
                    member=member,
                    opts=pulumi.ResourceOptions(parent=self),
                )
        self.url = pulumi.Output.concat(
            args.location, "-docker.pkg.dev/", args.project_id, "/", repository.repository_id
        )
        self.register_outputs({"url": self.url})
