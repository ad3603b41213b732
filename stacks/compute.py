"""What runs the images: the API in each region, the worker pools. Nothing of it exists without a release."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi

from components.compute.http_service import (
    Canary,
    DirectVpc,
    HttpProbe,
    HttpService,
    HttpServiceArgs,
    InstanceBounds,
    Latest,
    OpenToEdge,
    Pinned,
    ProjectPolicy,
    SecretFile,
    SecretVersion,
    Traffic,
    Walked,
    WorkflowOwned,
)
from components.compute.worker_pool import Splits, WorkerPool, WorkerPoolArgs
from config import Settings
from config_release import CanaryTraffic, LatestTraffic, PinnedTraffic, Release, WalkedTraffic
from config_sections import Scaling
from config_types import Region
from naming import Names
from stacks.collector import collector
from stacks.data import CACHE_AUTH, CACHE_CA, Data, Stores
from stacks.foundation import Foundation
from stacks.messaging import Messaging
from stacks.providers import Providers, after
from stacks.runtimes import Role

__all__ = ["Compute", "compute"]

_CACHE_CA_FILE = "/etc/aiprod/cache/ca.pem"


@dataclass(frozen=True, kw_only=True, slots=True)
class Compute:
    """What other layers take from here: services by region, worker pools of the first region by identity."""

    services: Mapping[str, HttpService] = field(default_factory=dict[str, HttpService])
    workers: Mapping[Role, WorkerPool] = field(default_factory=dict[Role, WorkerPool])


@dataclass(frozen=True, kw_only=True, slots=True)
class _Layers:
    """Everything a workload is wired to."""

    settings: Settings
    names: Names
    providers: Providers
    foundation: Foundation
    data: Data
    messaging: Messaging
    release: Release


def compute(
    settings: Settings,
    names: Names,
    providers: Providers,
    foundation: Foundation,
    data: Data,
    messaging: Messaging,
) -> Compute:
    """Services and pools of the release, or nothing."""
    if settings.release is None:
        return Compute()
    layers = _Layers(
        settings=settings,
        names=names,
        providers=providers,
        foundation=foundation,
        data=data,
        messaging=messaging,
        release=settings.release,
    )
    services = {region: _api(layers, region, scaling) for region, scaling in settings.api_regions.items()}
    workers: dict[str, dict[Role, WorkerPool]] = {
        region: {
            role: _worker(layers, role, region, settings.workers.names[role], scaling)
            for role, scaling in settings.workers.scalings.items()
        }
        for region in settings.homes
    }
    return Compute(services=services, workers=workers[settings.region])


def _api(layers: _Layers, region: str, scaling: Scaling) -> HttpService:
    config = layers.settings.api
    collected = collector(
        layers.settings, layers.names, layers.providers, layers.foundation, layers.release, region
    )
    return HttpService(
        f"api-{region}",
        HttpServiceArgs(
            project=layers.settings.project_id,
            service_name=config.service,
            location=region,
            image=layers.release.images["api"],
            image_admission=None if layers.settings.admission is None else ProjectPolicy(),
            service_account=layers.foundation.identities["api"].email,
            kms_key=layers.foundation.keys[region].key_ids["run"],
            vpc=_vpc(layers, region),
            instances=InstanceBounds(minimum=scaling.min_instances, maximum=scaling.max_instances),
            labels=layers.names.labels("api", "confidential"),
            cpu=config.cpu,
            memory=config.memory,
            # Two minutes to start.
            startup_probe=HttpProbe(path=config.health_path, failure_threshold=12),
            liveness_probe=HttpProbe(path=config.health_path, period_seconds=30),
            readiness_probe=HttpProbe(path=config.health_path),
            # End users have no Google identity: the load balancer is the only way in, the API checks tokens.
            invocation=OpenToEdge(),
            concurrency=config.concurrency,
            timeout_seconds=config.request_timeout_seconds,
            environment={
                **_environment(layers, "api", region),
                "DATABASE_POOL_SIZE": str(config.database_pool_size),
                "PUBLIC_HOST": layers.settings.host,
                **_topics(layers, "api"),
            },
            secrets=_secrets(layers, region, ()),
            secret_files=_files(layers, region),
            cloud_sql_instances=_databases(layers, region),
            metrics_collector=collected.collector,
            traffic=_traffic(layers.release, region),
            tags={
                tag: revision
                for tag, variant in layers.settings.edge.variants.items()
                for where, revision in variant.revisions.items()
                if where == region
            },
            deletion_protection=layers.settings.deletion_protection,
        ),
        after(_after(layers, region, "api"), *collected.ready),
    )


def _worker(layers: _Layers, role: Role, region: str, pool: str, scaling: Scaling) -> WorkerPool:
    config = layers.settings.workers
    queues = layers.messaging.queues
    scaled = region == layers.settings.region
    suffix = "" if scaled else f"-{region}"
    return WorkerPool(
        f"pool-{role}{suffix}",
        WorkerPoolArgs(
            project=layers.settings.project_id,
            pool_name=pool,
            location=region,
            image=layers.release.images["worker"],
            image_admission=None if layers.settings.admission is None else ProjectPolicy(),
            service_account=layers.foundation.identities[role].email,
            kms_key=layers.foundation.keys[region].key_ids["run"],
            vpc=_vpc(layers, region),
            # Where nothing scales a pool, every job that may come must find a worker.
            instances=scaling.min_instances if scaled else scaling.max_instances,
            labels=layers.names.labels(role, "confidential"),
            cpu=config.cpu,
            memory=config.memory,
            environment={
                **_environment(layers, role, region),
                **{
                    f"SUBSCRIPTION_{_variable(purpose)}": queues[purpose].subscription_id
                    for purpose in layers.messaging.consumed[role]
                },
                "DATABASE_POOL_SIZE": str(config.database_pool_size),
                "JOBS_PER_INSTANCE": str(config.jobs_per_instance),
                **_topics(layers, role),
            },
            secrets=_secrets(layers, region, layers.settings.secrets.vendor),
            secret_files=_files(layers, region),
            cloud_sql_instances=_databases(layers, region),
            scaled=scaled,
            splits=_splits(layers.release, role, region),
            deletion_protection=layers.settings.deletion_protection,
        ),
        _after(layers, region, role),
    )


def _traffic(release: Release, region: str) -> Traffic:
    if release.owner == "workflow":
        return WorkflowOwned()
    return Walked() if isinstance(release.traffic, WalkedTraffic) else _shares(release.traffic, region)


def _splits(release: Release, role: Role, region: str) -> Splits:
    if release.owner == "workflow":
        return WorkflowOwned()
    named = next((split for pool, split in release.splits.items() if pool == role), None)
    return Latest() if named is None else _shares(named, region)


def _shares(chosen: LatestTraffic | PinnedTraffic | CanaryTraffic, region: str) -> Latest | Pinned | Canary:
    match chosen:
        case LatestTraffic():
            return Latest()
        case PinnedTraffic(revisions=revisions):
            return Pinned(revision=_in(revisions, region))
        case CanaryTraffic(stable_revisions=revisions, percent=percent):
            return Canary(stable_revision=_in(revisions, region), percent=percent)


def _in(revisions: Mapping[Region, str], region: str) -> str:
    return next(revision for where, revision in revisions.items() if where == region)


def _environment(layers: _Layers, role: Role, region: str) -> dict[str, pulumi.Input[str]]:
    """Plain variables of every workload; the names are part of the contract with the image."""
    postgres, stores = layers.data.postgres, _stores(layers, region)
    return {
        "ENVIRONMENT": layers.settings.environment,
        "GOOGLE_CLOUD_PROJECT": layers.settings.project_id,
        "GOOGLE_CLOUD_REGION": region,
        "DATABASE_INSTANCE": layers.data.connection(layers.settings, layers.settings.writer(region)),
        "DATABASE_READ_INSTANCE": layers.data.connection(layers.settings, layers.settings.reader(region)),
        "DATABASE_NAME": postgres.database,
        "DATABASE_USER": postgres.iam_logins[role],
        "REDIS_HOST": stores.cache.host,
        "REDIS_PORT": stores.cache.port.apply(str),
        "REDIS_CA_FILE": _CACHE_CA_FILE,
        **{f"BUCKET_{_variable(purpose)}": bucket.name for purpose, bucket in stores.buckets.items()},
    }


def _topics(layers: _Layers, role: Role) -> dict[str, pulumi.Input[str]]:
    """The topics that a runtime may publish to, and no others."""
    queues = layers.messaging.queues
    return {
        f"TOPIC_{_variable(purpose)}": queues[purpose].topic_id
        for purpose in layers.messaging.published[role]
    }


def _stores(layers: _Layers, region: str) -> Stores:
    """Those at home; what runs in a lost region is left with those that it had."""
    settings = layers.settings
    return layers.data.stores[settings.region if region == settings.lost_region else settings.home]


def _databases(layers: _Layers, region: str) -> tuple[pulumi.Input[str], ...]:
    settings = layers.settings
    used = dict.fromkeys((settings.writer(region), settings.reader(region)))
    return tuple(layers.data.connection(settings, instance) for instance in used)


def _secrets(layers: _Layers, region: str, vendors: tuple[str, ...]) -> dict[str, SecretVersion]:
    """Vendor keys as the release names their versions, and the cache's AUTH string."""
    secrets, stores = layers.foundation.secrets, _stores(layers, region)
    return {
        "REDIS_AUTH": SecretVersion(
            secret=stores.cache_secrets[CACHE_AUTH].name, version=stores.cache.auth_version
        ),
        **{
            _variable(vendor): SecretVersion(
                secret=secrets[vendor].name, version=str(layers.release.secret_versions[vendor])
            )
            for vendor in vendors
        },
    }


def _files(layers: _Layers, region: str) -> dict[str, SecretFile]:
    stores = _stores(layers, region)
    version = SecretVersion(secret=stores.cache_secrets[CACHE_CA].name, version=stores.cache.ca_version)
    return {CACHE_CA: SecretFile(content=version, path=_CACHE_CA_FILE)}


def _vpc(layers: _Layers, region: str) -> DirectVpc:
    network = layers.foundation.network
    return DirectVpc(network=network.network_id, subnetwork=network.subnet_ids[f"run-{region}"])


def _variable(name: str) -> str:
    return name.upper().replace("-", "_")


def _after(layers: _Layers, region: str, role: Role) -> pulumi.ResourceOptions:
    """A revision starts at once: all it reaches, with its rights and the way there, must stand before it.

    Whole components, so that the grants in them are waited for; what does not run an image does not wait.
    """
    foundation, stores = layers.foundation, _stores(layers, region)
    return after(
        layers.providers.resources,
        foundation.identities[role],
        foundation.keys[region],
        foundation.network,
        foundation.private_dns,
        foundation.private_services,
        foundation.egress[region],
        *foundation.secrets.values(),
        layers.data.postgres,
        stores.cache,
        *stores.cache_secrets.values(),
        *stores.buckets.values(),
        *layers.messaging.queues.values(),
    )
