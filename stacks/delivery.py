"""Where the sibling's images arrive."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pulumi

from components.delivery.image_admission import ImageAdmission, ImageAdmissionArgs
from components.delivery.image_mirror import ImageMirror, ImageMirrorArgs
from components.delivery.image_repository import ImageRepository, ImageRepositoryArgs
from config import Settings
from config_release import Admission
from naming import Names
from stacks.foundation import IMAGE_LOCATION, Foundation
from stacks.providers import Providers, after

__all__ = ["admission", "delivery"]


def delivery(
    settings: Settings, names: Names, providers: Providers, foundation: Foundation
) -> pulumi.Input[str]:
    """The repository of every environment's images, in the one project that has it; its address anywhere."""
    if settings.images.project_id not in (None, settings.project_id):
        return settings.registry
    keys = foundation.keys[IMAGE_LOCATION]
    for mirror, upstream in settings.images.mirrors.items():
        ImageMirror(
            f"mirror-{mirror}",
            ImageMirrorArgs(
                project_id=settings.project_id,
                location=IMAGE_LOCATION,
                repository_id=mirror,
                upstream=upstream,
                kms_key_id=keys.key_ids["images"],
                labels=names.labels("images", "public"),
                readers=_readers(settings, names),
            ),
            after(providers.resources, keys),
        )
    return ImageRepository(
        "images",
        ImageRepositoryArgs(
            project_id=settings.project_id,
            location=IMAGE_LOCATION,
            repository_id=settings.repository,
            kms_key_id=keys.key_ids["images"],
            labels=names.labels("images", "internal"),
            readers={**_readers(settings, names), **_promoters(settings)},
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


def _promoters(settings: Settings) -> Mapping[str, str]:
    """Who promotes anywhere sees here whether a digest is kept; a group of several environments once."""
    own = () if settings.admission is None else settings.admission.promoters
    others = [address for reader in settings.images.readers.values() for address in reader.promoters]
    # By the whole address: two environments may have groups of one name in two domains.
    return {address.replace("@", "-at-"): f"group:{address}" for address in (*own, *others)}


def _groups(addresses: Collection[str]) -> Mapping[str, str]:
    return {address.partition("@")[0]: f"group:{address}" for address in addresses}


def _above(chosen: Admission) -> Mapping[str, str]:
    """Who only reads: a promoter reads anyway, and a grant stands once."""
    only = [address for address in chosen.readers if address not in chosen.promoters]
    return {f"above-{key}": member for key, member in _groups(only).items()}


def admission(settings: Settings, names: Names, providers: Providers, foundation: Foundation) -> None:
    """The policy on images and its attestors: who promotes in, and who says what was verified here."""
    if settings.admission is None:
        return
    environment = settings.environment
    # Nothing is promoted into the lowest environment, nor out of the highest.
    purposes = {"dev": ("verified",), "staging": ("verified", "promoted"), "prod": ("promoted",)}[environment]
    registry = f"{IMAGE_LOCATION}-docker.pkg.dev/{settings.project_id}"
    ImageAdmission(
        "image-admission",
        ImageAdmissionArgs(
            project_id=settings.project_id,
            # The ring and not all of its grants: a `down` keeps keys, and whatever a key waits for.
            key_ring=foundation.keys[IMAGE_LOCATION].ring_id,
            attestors={f"{purpose}-{environment}": names.key(purpose) for purpose in purposes},
            required=f"{purposes[-1]}-{environment}",
            enforced=settings.admission.mode == "enforced",
            labels=names.labels("images"),
            # Google builds functions from this repository's source, and moves on with every build.
            admitted_paths=(f"{registry}/{names.resource('functions')}",),
            promoters=_groups(settings.admission.promoters),
            readers={f"verified-{environment}": _above(settings.admission)} if "verified" in purposes else {},
            role_id=names.role_id("promotion"),
            role=names.role("promotion") if settings.deployed_by == "github" else None,
        ),
        providers.resources,
    )
