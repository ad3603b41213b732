"""What looks after the platform by itself: rotation of secrets, the watch over their age.

Google builds both from `operations/`, so they run before the first release, and need no image of the sibling.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pulumi

from components.compute.source_function import DirectVpc, FunctionBuild
from components.data.bucket import AbortUploads, Bucket, BucketArgs, DeleteNoncurrent
from components.delivery.image_repository import ImageRepository, ImageRepositoryArgs
from components.foundation.age_watch import AgeWatch, AgeWatchArgs
from components.foundation.secret_rotation import (
    RotatedDatabase,
    RotationConsumer,
    SecretRotation,
    SecretRotationArgs,
    VendorProbe,
)
from config import Settings
from naming import Names
from stacks.compute import Compute
from stacks.data import CACHE_AUTH, CACHE_CA, PASSWORD_USERS, Data
from stacks.foundation import IMAGE_LOCATION, Foundation
from stacks.providers import Providers, after

__all__ = ["ROTATION_SUBSCRIPTION", "operations"]

ROTATION_SUBSCRIPTION = "rotation"

_SOURCE = Path(__file__).parents[1] / "operations"
_KEPT_DAYS = 30

# A GET that only a valid key is allowed. The others' vendors document none: a person confirms the version.
# https://freesound.org/docs/api/authentication.html, https://elevenlabs.io/docs/api-reference/user/get
_PROBES = {
    "freesound-api-key": VendorProbe(
        url="https://freesound.org/apiv2/search/text/?query=rain&page_size=1",
        header="Authorization",
        prefix="Token ",
    ),
    "elevenlabs-api-key": VendorProbe(url="https://api.elevenlabs.io/v1/user", header="xi-api-key"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Layers:
    """Everything that both are wired to."""

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


def operations(
    settings: Settings,
    names: Names,
    providers: Providers,
    foundation: Foundation,
    data: Data,
    compute: Compute,
) -> tuple[str, ...]:
    """Returns the short ids of the secrets that the rotator tells of.

    The rotator waits for the database, the age watch for nothing but its own.
    """
    layers = _layers(settings, names, providers, foundation)
    reminders = {
        names.resource(CACHE_AUTH): "rotate it in a maintenance window, docs/runbooks/cache-auth.md",
        names.resource(CACHE_CA): "Google renews it; `make refresh` and `make up` hand it on",
    }
    _rotation(layers, data, compute, reminders)
    _age_watch(layers)
    return settings.secrets.database, *settings.secrets.vendor, *reminders


def _layers(settings: Settings, names: Names, providers: Providers, foundation: Foundation) -> _Layers:
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
    functions = ImageRepository(
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
    return _Layers(
        settings=settings,
        names=names,
        providers=providers,
        foundation=foundation,
        build=FunctionBuild(
            bucket=sources.name,
            repository=functions.url,
            account=foundation.identities["function-builder"].name,
        ),
        ready=(
            sources,
            functions,
            foundation.identities["function-builder"],
            keys,
            foundation.network,
            foundation.private_dns,
            foundation.egress[settings.region],
        ),
    )


def _vpc(layers: _Layers) -> DirectVpc:
    network = layers.foundation.network
    return DirectVpc(
        network=network.network_id,
        subnetwork=network.subnet_ids[f"operations-{layers.settings.region}"],
    )


def _rotation(layers: _Layers, data: Data, compute: Compute, reminders: Mapping[str, str]) -> None:
    settings, names, foundation = layers.settings, layers.names, layers.foundation
    keys, identity = foundation.keys[settings.region], foundation.identities["rotator"]
    push = foundation.identities["pubsub-push"]
    SecretRotation(
        "rotator",
        SecretRotationArgs(
            project=settings.project_id,
            location=settings.region,
            service_name=names.resource("rotator"),
            source=_SOURCE / "rotation",
            build=layers.build,
            service_account=identity.email,
            member=identity.member,
            kms_key=keys.key_ids["run"],
            topic_kms_key=foundation.keys[settings.home].key_ids["pubsub"],
            topic=foundation.rotation_topic.topic_id,
            subscription_name=ROTATION_SUBSCRIPTION,
            caller=push.email,
            caller_member=push.member,
            role_prefix=names.role_id("rotation"),
            secrets_role=layers.role("rotation-secrets"),
            passwords_role=layers.role("rotation-passwords"),
            pubsub_agent=foundation.agents.members["pubsub"],
            vpc=_vpc(layers),
            labels=names.labels("rotation", "restricted"),
            databases={
                settings.secrets.database: RotatedDatabase(
                    instance=data.name(settings, settings.writer(settings.region)),
                    connection_name=data.connection(settings, settings.writer(settings.region)),
                    database=data.postgres.database,
                    users=PASSWORD_USERS,
                )
            },
            vendors={vendor: _PROBES.get(vendor) for vendor in settings.secrets.vendor},
            reminders=reminders,
            consumers=_consumers(settings, compute),
            deletion_protection=settings.deletion_protection,
        ),
        after(
            layers.providers.resources,
            *layers.ready,
            identity,
            push,
            foundation.private_services,
            *foundation.secrets.values(),
            foundation.database_password,
            data.postgres,
        ),
    )


def _consumers(settings: Settings, compute: Compute) -> dict[str, RotationConsumer]:
    services = {
        f"api-{region}": RotationConsumer(kind="services", location=region, name=service.service_name)
        for region, service in compute.services.items()
    }
    pools = {
        role: RotationConsumer(kind="workerPools", location=settings.region, name=pool.name)
        for role, pool in compute.workers.items()
    }
    return {**services, **pools}


def _age_watch(layers: _Layers) -> None:
    settings, names, foundation = layers.settings, layers.names, layers.foundation
    identity, scheduler = foundation.identities["age-watch"], foundation.identities["scheduler"]
    AgeWatch(
        "age-watch",
        AgeWatchArgs(
            project=settings.project_id,
            location=settings.region,
            service_name=names.resource("age-watch"),
            source=_SOURCE / "age_watch",
            build=layers.build,
            service_account=identity.email,
            member=identity.member,
            scheduler=scheduler.email,
            scheduler_member=scheduler.member,
            role_id=names.role_id("age-watch"),
            role=layers.role("age-watch"),
            kms_key=foundation.keys[settings.region].key_ids["run"],
            vpc=_vpc(layers),
            labels=names.labels("age-watch", "internal"),
            exceptions={secret: one.until for secret, one in settings.secrets.exceptions.items()},
            deletion_protection=settings.deletion_protection,
        ),
        after(layers.providers.resources, *layers.ready, identity, scheduler),
    )
