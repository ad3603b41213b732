"""The database of the house with a replica, as one file beside it changes the arguments."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pulumi
import pulumi_gcp as gcp

from components.data.postgres import (
    Backups,
    Enterprise,
    EnterprisePlus,
    MaintenanceWindow,
    Postgres,
    PostgresArgs,
    Replica,
)

change: dict[str, Any] = json.loads(Path(__file__).with_name("change.json").read_text(encoding="utf-8"))
network = gcp.compute.Network("base", auto_create_subnetworks=False)
block = gcp.compute.GlobalAddress(
    "services",
    name="services",
    purpose="VPC_PEERING",
    address_type="INTERNAL",
    prefix_length=16,
    network=network.id,
)
link = gcp.servicenetworking.Connection(
    "services",
    network=network.id,
    service="servicenetworking.googleapis.com",
    reserved_peering_ranges=[block.name],
)
keys: dict[str, pulumi.Output[str]] = {}
waits: list[pulumi.Resource] = [link]
agent = gcp.projects.ServiceIdentity("sql", service="sqladmin.googleapis.com")
for region in ("europe-west1", "europe-west4"):
    ring = gcp.kms.KeyRing(f"ring-{region}", name="ring", location=region)
    for role in ("sql", "other"):
        key = gcp.kms.CryptoKey(f"{role}-{region}", name=role, key_ring=ring.id)
        keys[f"{role}-{region}"] = key.id
        waits.append(
            gcp.kms.CryptoKeyIAMMember(
                f"{role}-{region}",
                crypto_key_id=key.id,
                role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
                member=agent.email.apply(lambda email: f"serviceAccount:{email}"),
            )
        )


def replica(name: str, values: dict[str, Any]) -> Replica:
    """A replica in the second region."""
    below = {key: replica(key, row) for key, row in values.pop("replicas", {}).items()}
    settings: dict[str, Any] = {"region": "europe-west4", **values}
    return Replica(
        instance_name=name,
        kms_key=keys[f"sql-{settings['region']}"],
        allocated_ip_range=block.name,
        replicas=below,
        **settings,
    )


backups: dict[str, Any] = {"kept": 30, "point_in_time_days": 7, "start_time": "03:00", "location": "eu"}
window: dict[str, Any] = {"day": 7, "hour": 1, "track": "stable", **change.pop("maintenance", {})}
tier = change.pop("tier", "db-custom-2-7680")
arguments: dict[str, Any] = {
    "instance_name": "db",
    "database": "aiprod",
    "region": "europe-west1",
    "version": "POSTGRES_17",
    "edition": (EnterprisePlus if "perf" in tier else Enterprise)(tier=tier),
    "availability": "REGIONAL",
    "disk_size_gb": 100,
    "disk_autoresize_limit_gb": 500,
    "backups": Backups(**{**backups, **change.pop("backups", {})}),
    "maintenance": MaintenanceWindow(**window),
    "kms_key": keys[f"{change.pop('key', 'sql')}-{change.get('region', 'europe-west1')}"],
    "labels": {"system": "aiprod"},
    "replicas": {key: replica(f"db-{key}", row) for key, row in change.pop("replicas", {"r1": {}}).items()},
    "deletion_protection": False,
    **change,
}
postgres = Postgres(
    "postgres",
    PostgresArgs(project="example-project", network=network.id, allocated_ip_range=block.name, **arguments),
    pulumi.ResourceOptions(depends_on=waits),
)
pulumi.export("address", postgres.private_ip)
