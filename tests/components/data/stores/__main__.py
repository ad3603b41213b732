"""Redis, Valkey and a bucket of the house, as one file beside it changes their arguments."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pulumi
import pulumi_gcp as gcp

from components.data.bucket import AbortUploads, Bucket, BucketArgs, DeleteLive, DeleteNoncurrent
from components.data.redis_cache import (
    Basic,
    CredentialSecrets,
    MaintenanceWindow,
    RedisCache,
    RedisCacheArgs,
    StandardHA,
    Valkey,
)

REGION = "europe-west1"
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
waits: list[pulumi.Resource] = [
    gcp.servicenetworking.Connection(
        "services",
        network=network.id,
        service="servicenetworking.googleapis.com",
        reserved_peering_ranges=[block.name],
    ),
    gcp.networkconnectivity.ServiceConnectionPolicy(
        "memorystore",
        name="memorystore",
        location=REGION,
        network=network.id,
        service_class="gcp-memorystore",
    ),
]
ring = gcp.kms.KeyRing("ring", name="ring", location=REGION)
agents: dict[str, pulumi.Input[str]] = {
    service: gcp.projects.ServiceIdentity(service, service=f"{service}.googleapis.com").email
    for service in ("redis", "memorystore")
}
agents["storage"] = gcp.storage.get_project_service_account_output().email_address
keys: dict[str, pulumi.Output[str]] = {}
for service, email in agents.items():
    key = gcp.kms.CryptoKey(service, name=service, key_ring=ring.id)
    keys[service] = key.id
    waits.append(
        gcp.kms.CryptoKeyIAMMember(
            service,
            crypto_key_id=key.id,
            role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
            member=pulumi.Output.concat("serviceAccount:", email),
        )
    )
secrets = {
    role: gcp.secretmanager.Secret(role, secret_id=role, replication={"auto": {}}).id
    for role in ("auth", "ca", "valkey-ca")
}


def cache(name: str, tier: Any, ca: str, **given: Any) -> None:
    """A cache of one kind."""
    arguments: dict[str, Any] = {
        "labels": {"system": "aiprod"},
        "maintenance": MaintenanceWindow(day="SUNDAY", hour=0),
        **given,
    }
    RedisCache(
        name,
        RedisCacheArgs(
            project="example-project",
            instance_name=name,
            region=REGION,
            tier=tier,
            network=network.id,
            credentials=CredentialSecrets(auth=secrets["auth"], ca=secrets[ca]),
            deletion_protection=True,
            **arguments,
        ),
        pulumi.ResourceOptions(depends_on=waits),
    )


redis: dict[str, Any] = {"memory_size_gb": 5, "redis_version": "REDIS_7_0", **change.get("redis", {})}
size: dict[str, Any] = {"memory_size_gb": redis.pop("memory_size_gb")}
hour: dict[str, Any] = {"maintenance": MaintenanceWindow(day="SUNDAY", hour=redis.pop("hour", 0))}
cache(
    "redis",
    Basic(**size)
    if redis.pop("basic", False)
    else StandardHA(**size, read_replicas=redis.pop("read_replicas", 1)),
    "ca",
    kms_key=keys["redis"],
    reserved_ip_range=block.name,
    **hour,
    **redis,
)
valkey = {
    "engine_version": "VALKEY_7_2",
    "node_type": "STANDARD_SMALL",
    "replicas": 1,
    **change.get("valkey", {}),
}
shape: dict[str, Any] = {name: valkey.pop(name) for name in ("engine_version", "node_type", "replicas")}
cache("valkey", Valkey(**shape), "valkey-ca", kms_key=keys["memorystore"], **valkey)

bucket: dict[str, Any] = {
    "days": 7,
    "location": REGION,
    "labels": {"system": "aiprod"},
    "deletion_protection": True,
    **change.get("bucket", {}),
}
Bucket(
    "bucket",
    BucketArgs(
        project="example-project",
        bucket_name="example-project-uploads",
        kms_key=keys["storage"],
        lifecycle=(DeleteNoncurrent(days=7), AbortUploads(), DeleteLive(days=bucket.pop("days"))),
        **bucket,
    ),
    pulumi.ResourceOptions(depends_on=waits),
)
