"""Where the sibling's images arrive."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from components.delivery.image_repository import ImageRepository, ImageRepositoryArgs
from config import Settings
from naming import Names
from stacks.foundation import IMAGE_LOCATION, Foundation
from stacks.providers import Providers, after

__all__ = ["delivery"]


def delivery(
    settings: Settings, names: Names, providers: Providers, foundation: Foundation
) -> pulumi.Input[str]:
    """The repository of every environment's images, in the one project that has it; its address anywhere."""
    if settings.images.project_id not in (None, settings.project_id):
        return settings.registry
    keys = foundation.keys[IMAGE_LOCATION]
    return ImageRepository(
        "images",
        ImageRepositoryArgs(
            project_id=settings.project_id,
            location=IMAGE_LOCATION,
            repository_id=settings.repository,
            kms_key_id=keys.key_ids["images"],
            labels=names.labels("images", "internal"),
            readers=_readers(settings, names),
            deletion_protection=settings.deletion_protection,
        ),
        after(providers.resources, keys),
    ).url


def _readers(settings: Settings, names: Names) -> Mapping[str, str]:
    """Cloud Run's agent of each other environment, which pulls, and its deployer, whom Google checks too."""
    found: dict[str, str] = {}
    for environment, reader in settings.images.readers.items():
        number = reader.project_number
        found[f"{environment}-run"] = (
            f"serviceAccount:service-{number}@serverless-robot-prod.iam.gserviceaccount.com"
        )
        if settings.deployed_by == "github":
            found[f"{environment}-deployer"] = names.deployer_of(reader.project_id)
    return found
