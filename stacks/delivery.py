"""Where the sibling's images arrive."""

from __future__ import annotations

import pulumi

from components.delivery.image_repository import ImageRepository, ImageRepositoryArgs
from config import Settings
from naming import Names
from stacks.foundation import IMAGE_LOCATION, Foundation
from stacks.providers import Providers

__all__ = ["delivery"]


def delivery(
    settings: Settings, names: Names, providers: Providers, foundation: Foundation
) -> ImageRepository:
    """The image repository, under its own key."""
    keys = foundation.keys[IMAGE_LOCATION]
    return ImageRepository(
        "images",
        ImageRepositoryArgs(
            project_id=settings.project_id,
            location=IMAGE_LOCATION,
            repository_id=settings.repository,
            kms_key_id=keys.key_ids["images"],
            labels=names.labels("images", "internal"),
            deletion_protection=settings.deletion_protection,
        ),
        pulumi.ResourceOptions.merge(providers.resources, pulumi.ResourceOptions(depends_on=[keys])),
    )
