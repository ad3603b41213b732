"""The whole platform: every layer, joined once, the same in every environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from config import Settings
from naming import Names
from stacks.compute import compute
from stacks.data import data
from stacks.delivery import delivery
from stacks.foundation import foundation
from stacks.messaging import messaging
from stacks.providers import make_providers

__all__ = ["platform"]

SYSTEM = "aiprod"


def platform(settings: Settings) -> Mapping[str, Any]:
    """Builds everything; returns the stack's outputs by name."""
    names = Names(system=SYSTEM, environment=settings.environment, project_id=settings.project_id)
    providers = make_providers(settings)
    base = foundation(settings, names, providers)
    images = delivery(settings, names, providers, base)
    stores = data(settings, names, providers, base)
    queues = messaging(settings, names, providers, base)
    workloads = compute(settings, names, providers, base, stores, queues)
    return {
        "egress_addresses": {region: egress.addresses for region, egress in base.egress.items()},
        "image_repository": images.url,
        "database": stores.postgres.connection_name,
        "buckets": {purpose: bucket.url for purpose, bucket in stores.buckets.items()},
        "topics": {purpose: queue.topic_id for purpose, queue in queues.queues.items()},
        "services": {region: service.name for region, service in workloads.services.items()},
        "worker_pools": {role: pool.name for role, pool in workloads.workers.items()},
    }
