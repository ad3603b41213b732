"""What every function that Google builds from `operations/` stands on, and what each of them is wired to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pulumi

from components.compute.source_function import DirectVpc, FunctionBuild
from components.data.bucket import AbortUploads, Bucket, BucketArgs, DeleteNoncurrent
from components.delivery.image_repository import ImageRepository, ImageRepositoryArgs
from config import Settings
from naming import Names
from stacks.foundation import IMAGE_LOCATION, Foundation
from stacks.providers import Providers, after

__all__ = ["SOURCE", "Functions", "functions"]

SOURCE = Path(__file__).parents[1] / "operations"
_KEPT_DAYS = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class Functions:
    """Everything that a function is wired to."""

    settings: Settings
    names: Names
    providers: Providers
    foundation: Foundation
    build: FunctionBuild
    # What must stand before a function is built and starts.
    ready: tuple[pulumi.Resource, ...]

    def role(self, purpose: str) -> str | None:
        """The role that bootstrap made, where its deployer deploys; else the component makes its own."""
        return self.names.role(purpose) if self.settings.deployed_by == "github" else None

    @property
    def vpc(self) -> DirectVpc:
        """Way into the network, by the subnet of what operates the platform."""
        network = self.foundation.network
        return DirectVpc(
            network=network.network_id,
            subnetwork=network.subnet_ids[f"operations-{self.settings.region}"],
        )


def functions(settings: Settings, names: Names, providers: Providers, foundation: Foundation) -> Functions:
    """The bucket of the sources and the repository of what is built; nothing that runs."""
    builder = foundation.members("function-builder")
    keys, images = foundation.keys[settings.region], foundation.keys[IMAGE_LOCATION]
    sources = Bucket(
        "bucket-sources",
        BucketArgs(
            project=settings.project_id,
            bucket_name=names.bucket("sources"),
            location=settings.region,
            kms_key=keys.key_ids["storage"],
            labels=names.labels("functions", "internal"),
            lifecycle=(DeleteNoncurrent(days=_KEPT_DAYS), AbortUploads()),
            # Whoever looks for drift reads the archive; on the project the right would open customers' data.
            readers=builder | ({"drift": names.drift_reader} if settings.deployed_by == "github" else {}),
            deletion_protection=settings.deletion_protection,
        ),
        after(providers.resources, keys),
    )
    built = ImageRepository(
        "functions",
        ImageRepositoryArgs(
            project_id=settings.project_id,
            location=IMAGE_LOCATION,
            repository_id=names.resource("functions"),
            kms_key_id=images.key_ids["images"],
            labels=names.labels("functions", "internal"),
            writers=builder,
            immutable_tags=False,
            deletion_protection=settings.deletion_protection,
        ),
        after(providers.resources, images),
    )
    return Functions(
        settings=settings,
        names=names,
        providers=providers,
        foundation=foundation,
        build=FunctionBuild(
            bucket=sources.name,
            repository=built.url,
            account=foundation.identities["function-builder"].name,
        ),
        ready=(
            sources,
            built,
            foundation.identities["function-builder"],
            keys,
            foundation.network,
            foundation.private_dns,
            foundation.egress[settings.region],
        ),
    )
