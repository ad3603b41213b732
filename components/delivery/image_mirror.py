"""Other people's images, kept under a key of ours: a repository that fetches what it is asked for, once.

Makes one remote repository of Artifact Registry and the grants of its readers. The first pull of a digest
fetches it from upstream and keeps it; later ones need no upstream. Nobody can push to it. Only images that
are named by digest are what they were when they were reviewed, for a tag is upstream's to move.

Not made here: credentials for upstream, virtual repositories, the images. Another upstream, location or key
replaces it, which loses nothing but what it kept. Cost is by stored volume.

Sources: docs.cloud.google.com/artifact-registry/docs/repositories/remote-repo, and the provider's forms of
`common_repository.uri`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_gcp as gcp

from components._checks import require_between
from facts.names import check_name
from facts.refusal import RefusedError

__all__ = ["ImageMirror", "ImageMirrorArgs"]

# A repository of Artifact Registry, or a registry by its address.
_UPSTREAM = re.compile(
    r"projects/[a-z0-9:.-]+/locations/[a-z0-9-]+/repositories/[a-z0-9-]+|https://[a-z0-9.-]+\.[a-z]+(/[a-z0-9._-]+)*"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageMirrorArgs:
    """One mirror."""

    project_id: str
    # A region, or "europe" for the multi-region.
    location: str
    repository_id: str
    # projects/P/locations/L/repositories/R, or https://HOST with a path where there is one.
    upstream: str
    # Key of the same location; Artifact Registry's grant on it must stand before.
    kms_key_id: pulumi.Input[str]
    labels: Mapping[str, str]
    # Who may pull. Key -> IAM member; the key names the grant.
    readers: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    # Versions that are older go, but for the newest `keep_versions` of each image: 1 to 365 days.
    delete_after_days: int = 90
    # 1 to 100 versions of each image.
    keep_versions: int = 20

    def __post_init__(self) -> None:
        check_name("repository", self.repository_id)
        require_between("delete_after_days", self.delete_after_days, 1, 365, "days")
        require_between("keep_versions", self.keep_versions, 1, 100, "versions")
        if _UPSTREAM.fullmatch(self.upstream) is None:
            raise RefusedError(
                "upstream must be projects/P/locations/L/repositories/R or https://HOST, got "
                f"{self.upstream!r}; correct it"
            )


class ImageMirror(pulumi.ComponentResource):
    """One mirror of somebody else's registry."""

    # "<location>-docker.pkg.dev/<project>/<repository>".
    url: pulumi.Output[str]

    def __init__(self, name: str, args: ImageMirrorArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aiprod:delivery:ImageMirror", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        repository = gcp.artifactregistry.Repository(
            name,
            project=args.project_id,
            location=args.location,
            repository_id=args.repository_id,
            format="DOCKER",
            mode="REMOTE_REPOSITORY",
            remote_repository_config={
                "description": f"Images of {args.upstream}",
                "common_repository": {"uri": args.upstream},
            },
            kms_key_name=args.kms_key_id,
            vulnerability_scanning_config={"enablement_config": "INHERITED"},
            cleanup_policy_dry_run=False,
            cleanup_policies=[
                {
                    "id": "delete-old",
                    "action": "DELETE",
                    "condition": {"tag_state": "ANY", "older_than": f"{args.delete_after_days * 86_400}s"},
                },
                {
                    "id": "keep-newest",
                    "action": "KEEP",
                    "most_recent_versions": {"keep_count": args.keep_versions},
                },
            ],
            labels=dict(args.labels),
            opts=own,
        )
        for key, member in args.readers.items():
            gcp.artifactregistry.RepositoryIamMember(
                f"{name}-reader-{key}",
                project=args.project_id,
                location=args.location,
                repository=repository.repository_id,
                role="roles/artifactregistry.reader",
                member=member,
                opts=own,
            )
        self.url = pulumi.Output.concat(
            args.location, "-docker.pkg.dev/", args.project_id, "/", repository.repository_id
        )
        self.register_outputs({"url": self.url})
