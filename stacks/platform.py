"""The whole platform: every layer, joined once, the same in every environment.

Layers hand each other typed outputs, so nothing is named by symbol; grants only add, because an
authoritative list would take away what Google's own agents hold. Not modelled for any component: tag
bindings, whose keys belong to an organisation; files of data beside the one configuration, which has its
schema in types; addresses of sovereign clouds; a uniform `deletion_policy`, since protection, Google's own
lock and the provider's guard are set where there is something to lose.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from config import Settings
from naming import Names
from stacks.compute import compute
from stacks.data import data
from stacks.delivery import admission, delivery
from stacks.edge import edge
from stacks.foundation import foundation
from stacks.functions import functions
from stacks.messaging import messaging
from stacks.migration import migration
from stacks.observability import observability
from stacks.office_hours import office_hours
from stacks.operations import operations
from stacks.providers import make_providers
from stacks.scaler import scaler

__all__ = ["platform"]

SYSTEM = "aiprod"


def platform(settings: Settings) -> Mapping[str, Any]:
    """Builds everything; returns the stack's outputs by name."""
    names = Names(system=SYSTEM, environment=settings.environment, project_id=settings.project_id)
    providers = make_providers(settings)
    base = foundation(settings, names, providers)
    images = delivery(settings, names, providers, base)
    admission(settings, names, providers, base)
    stores = data(settings, names, providers, base)
    queues = messaging(settings, names, providers, base)
    migrated = migration(settings, names, providers, base, stores)
    workloads = compute(settings, names, providers, base, stores, queues)
    built = functions(settings, names, providers, base)
    office_hours(settings, names, providers, base, stores, workloads, scaler(built, queues, workloads))
    rotated = operations(built, stores, workloads)
    front = edge(
        settings=settings,
        names=names,
        services={region: service.service_name for region, service in workloads.services.items()},
        drained=frozenset({*settings.api_regions} - {*settings.serving_regions}),
        opts=providers.resources,
    )
    logs = base.keys[settings.region]
    observability(
        settings=settings,
        names=names,
        log_key_id=logs.key_ids["logs"],
        rotated_secrets=rotated,
        after=[logs],
        opts=providers.resources,
    )
    return {
        "host": settings.host,
        "ipv4": front.ipv4,
        "ipv6": front.ipv6,
        "name_servers": front.name_servers,
        "certificate_validation": front.validation_record,
        "customer_validation": front.customer_records,
        "egress_addresses": {region: egress.addresses for region, egress in base.egress.items()},
        "image_repository": images,
        "database": stores.connection(settings, settings.postgres.writer),
        "migration": migrated,
        "buckets": {purpose: bucket.name for purpose, bucket in stores.stores[settings.home].buckets.items()},
        "topics": {purpose: queue.topic_name for purpose, queue in queues.queues.items()},
    }
