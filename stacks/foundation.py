"""What everything else stands on: agents, identities, network, keys, secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from components.foundation.egress import Egress, EgressArgs
from components.foundation.generated_secret import GeneratedSecret, GeneratedSecretArgs
from components.foundation.key_ring import Key, KeyRing, KeyRingArgs
from components.foundation.network import Network, NetworkArgs, Subnet
from components.foundation.private_dns import PrivateDns, PrivateDnsArgs
from components.foundation.private_service_access import PrivateServiceAccess, PrivateServiceAccessArgs
from components.foundation.rotation_topic import RotationTopic, RotationTopicArgs
from components.foundation.secret import Rotation, Secret, SecretArgs
from components.foundation.service_agents import ServiceAgents, ServiceAgentsArgs
from components.foundation.service_identity import ServiceIdentity, ServiceIdentityArgs
from config import Settings
from naming import Names
from stacks.providers import Providers, after
from stacks.runtimes import RUNTIMES, Role, standing

__all__ = ["IMAGE_LOCATION", "Foundation", "foundation"]

# The multi-region of the image repository, which needs a key of its own.
IMAGE_LOCATION = "europe"

# Vendors are called by the pipeline, not by the API. Nobody reads the database password: services log in as
# themselves.
_VENDOR_READERS: tuple[Role, ...] = ("worker", "batch")


@dataclass(frozen=True, kw_only=True, slots=True)
class Foundation:
    """What other layers take from here. `keys` is by location, `egress` by region, `secrets` by their ids.

    `identities` has every runtime's account; grants go to `members` of those that stand.
    """

    agents: ServiceAgents
    identities: Mapping[Role, ServiceIdentity]
    standing: frozenset[Role]
    keys: Mapping[str, KeyRing]
    network: Network
    private_dns: PrivateDns
    private_services: PrivateServiceAccess
    egress: Mapping[str, Egress]
    rotation_topic: RotationTopic
    secrets: Mapping[str, Secret]
    database_password: GeneratedSecret

    def members(self, *roles: Role) -> dict[str, pulumi.Input[str]]:
        """IAM members of the runtimes that stand among these, for the component that owns the target."""
        return {role: self.identities[role].member for role in roles if role in self.standing}

    def database_logins(self) -> dict[str, pulumi.Input[str]]:
        """Addresses of the runtimes that stand and log in to the database."""
        return {
            role: identity.email
            for role, identity in self.identities.items()
            if role in self.standing and RUNTIMES[role].database
        }


def foundation(settings: Settings, names: Names, providers: Providers) -> Foundation:
    """The first layer: it depends on nothing but the project's enabled services."""
    opts = providers.resources
    agents = _agents(settings, providers)
    stands = standing(settings)
    identities: dict[Role, ServiceIdentity] = {
        role: _identity(role, role in stands, settings, names, opts) for role in RUNTIMES
    }
    keys = _keys(settings, names, agents, opts)
    network = _network(settings, opts)
    topic = RotationTopic(
        "rotation",
        RotationTopicArgs(
            project_id=settings.project_id,
            kms_key_id=keys[settings.home].key_ids["pubsub"],
            secret_manager_agent=agents.members["secretmanager"],
            regions=settings.regions,
            labels=names.labels("rotation", "internal"),
            publishers=_operators(settings),
        ),
        after(opts, keys[settings.home]),
    )
    readers = {role: identities[role].member for role in _VENDOR_READERS if role in stands}
    secrets = _secrets(settings, names, readers, keys, topic, opts)
    return Foundation(
        agents=agents,
        identities=identities,
        standing=stands,
        keys=keys,
        network=network,
        private_dns=PrivateDns(
            "private-dns",
            PrivateDnsArgs(
                project_id=settings.project_id,
                network_id=network.network_id,
                labels=names.labels("network"),
            ),
            opts,
        ),
        private_services=_private_services(settings, names, network, opts),
        egress=_egress(settings, names, network, opts),
        rotation_topic=topic,
        secrets=secrets,
        database_password=GeneratedSecret(
            "database-password",
            GeneratedSecretArgs(
                secret_id=secrets[settings.secrets.database].secret_id,
                # The rotator owns every later one: another generation would reset a password in use.
                generation=1,
            ),
            opts,
        ),
    )


def _operators(settings: Settings) -> dict[str, pulumi.Input[str]]:
    """By what stands before the @, which names the grant."""
    return {address.partition("@")[0]: f"group:{address}" for address in settings.secrets.operators}


def _agents(settings: Settings, providers: Providers) -> ServiceAgents:
    project, lookups = settings.project_id, providers.lookups
    storage = gcp.storage.get_project_service_account_output(project=project, opts=lookups)
    logging = gcp.logging.get_project_cmek_settings_output(project=project, opts=lookups)
    return ServiceAgents(
        "agents",
        ServiceAgentsArgs(
            project_id=project,
            services=frozenset(
                {"sql", "redis", "pubsub", "secretmanager", "artifactregistry", "run", "workflows"}
            ),
            looked_up={"storage": storage.email_address, "logging": logging.service_account_id},
        ),
        providers.resources,
    )


def _identity(
    role: Role, stands: bool, settings: Settings, names: Names, opts: pulumi.ResourceOptions
) -> ServiceIdentity:
    runtime = RUNTIMES[role]
    return ServiceIdentity(
        role,
        ServiceIdentityArgs(
            project_id=settings.project_id,
            account_id=names.service_account(role),
            display_name=runtime.title,
            project_roles=runtime.project_roles if stands else frozenset(),
            logs_in_to=_databases(settings) if stands and runtime.database else (),
            signs_urls=stands and runtime.signs_urls,
            deployer=names.deployer if stands and settings.deployed_by == "github" else None,
        ),
        opts,
    )


def _databases(settings: Settings) -> tuple[str, ...]:
    """The instances that runtimes log in to.

    Not those of a lost region: when it comes back, what runs there must not write beside the new primary.
    """
    everyone = (settings.postgres.name, *sorted(settings.postgres.replicas))
    return tuple(name for name in everyone if settings.region_of(name) != settings.lost_region)


def _keys(
    settings: Settings, names: Names, agents: ServiceAgents, opts: pulumi.ResourceOptions
) -> Mapping[str, KeyRing]:
    """One ring per location, every region that ever was in use with a key for every class of consumers.

    Keys are always protected, since Google never deletes them, so no change of the configuration (a replica,
    a second API) may make one appear or vanish. An unused key costs 6 cents a month.
    """
    agent_of = {
        "secrets": "secretmanager",
        "sql": "sql",
        "redis": "redis",
        "pubsub": "pubsub",
        "storage": "storage",
        "logs": "logging",
        "run": "run",
        "workflows": "workflows",
        "images": "artifactregistry",
    }
    consumers: Mapping[str, tuple[str, ...]] = {
        **dict.fromkeys(
            settings.keys.regions,
            ("secrets", "sql", "redis", "pubsub", "storage", "logs", "run", "workflows"),
        ),
        IMAGE_LOCATION: ("images",),
    }
    return {
        location: KeyRing(
            f"keys-{location}",
            KeyRingArgs(
                project_id=settings.project_id,
                location=location,
                ring_name=settings.keys.ring,
                keys={
                    consumer: Key(
                        name=names.key(consumer),
                        members={agent_of[consumer]: agents.members[agent_of[consumer]]},
                    )
                    for consumer in classes
                },
                labels=names.labels("keys"),
                rotation_period_seconds=settings.keys.rotation_period_seconds,
                adopt=settings.keys.adopt,
            ),
            opts,
        )
        for location, classes in consumers.items()
    }


def _network(settings: Settings, opts: pulumi.ResourceOptions) -> Network:
    plan = settings.addresses
    return Network(
        "network",
        NetworkArgs(
            project_id=settings.project_id,
            subnets={
                key: Subnet(region=region, ip_cidr_range=plan.subnets[key])
                for key, region in _subnets(settings).items()
            },
            private_service_ranges=_service_ranges(settings),
            flow_log_sampling=settings.network.flow_log_sampling,
        ),
        opts,
    )


def _subnets(settings: Settings) -> Mapping[str, str]:
    """Subnet -> region. What operates the platform has one of its own, so that it cannot starve the API."""
    return {
        **{f"run-{region}": region for region in settings.api_regions},
        f"operations-{settings.region}": settings.region,
    }


def _service_ranges(settings: Settings) -> Mapping[str, str]:
    """The first region's range, and that of every region with a replica."""
    used = {settings.region, *(replica.region for replica in settings.postgres.replicas.values())}
    return {region: text for region, text in settings.addresses.private_services.items() if region in used}


def _private_services(
    settings: Settings, names: Names, network: Network, opts: pulumi.ResourceOptions
) -> PrivateServiceAccess:
    return PrivateServiceAccess(
        "private-services",
        PrivateServiceAccessArgs(
            project_id=settings.project_id,
            network_id=network.network_id,
            ranges=_service_ranges(settings),
            labels=names.labels("network"),
            abandon=not settings.deletion_protection,
        ),
        opts,
    )


def _egress(
    settings: Settings, names: Names, network: Network, opts: pulumi.ResourceOptions
) -> Mapping[str, Egress]:
    return {
        region: Egress(
            f"egress-{region}",
            EgressArgs(
                project_id=settings.project_id,
                region=region,
                network_id=network.network_id,
                subnet_ids={
                    key: network.subnet_ids[key] for key, of in _subnets(settings).items() if of == region
                },
                address_keys=settings.network.egress_addresses,
                labels=names.labels("egress"),
                protect_addresses=settings.deletion_protection,
            ),
            opts,
        )
        for region in settings.api_regions
    }


def _secrets(
    settings: Settings,
    names: Names,
    vendor_readers: Mapping[str, pulumi.Output[str]],
    keys: Mapping[str, KeyRing],
    topic: RotationTopic,
    opts: pulumi.ResourceOptions,
) -> Mapping[str, Secret]:
    vendor, database = settings.secrets.vendor_rotation_seconds, settings.secrets.database_rotation_seconds
    plan: dict[str, tuple[Mapping[str, pulumi.Output[str]], int]] = {
        **dict.fromkeys(settings.secrets.vendor, (vendor_readers, vendor)),
        settings.secrets.database: ({}, database),
    }
    after_keys = after(opts, topic, *(keys[region] for region in settings.regions))
    return {
        secret_id: Secret(
            secret_id,
            SecretArgs(
                project_id=settings.project_id,
                secret_id=secret_id,
                replicas={region: keys[region].key_ids["secrets"] for region in settings.regions},
                rotation=Rotation(
                    period_seconds=period,
                    next_rotation_time=settings.first_rotation_time,
                    topic_id=topic.topic_id,
                ),
                labels=names.labels("secrets", "restricted"),
                accessors=readers,
                version_adders=_operators(settings) if secret_id in settings.secrets.vendor else {},
                version_destroy_ttl_seconds=settings.secrets.version_destroy_ttl_seconds,
                deletion_protection=settings.deletion_protection,
            ),
            after_keys,
        )
        for secret_id, (readers, period) in plan.items()
    }
