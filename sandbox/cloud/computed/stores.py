"""Databases, caches, buckets, registries."""

from __future__ import annotations

from typing import Any, Final

from facts.google.service_agents import agent_email
from sandbox.cloud.computed.making import Making, computes
from sandbox.cloud.computed.network import private_address
from sandbox.cloud.data import Values, as_list, as_map

_SQL: Final = "https://sqladmin.googleapis.com/sql/v1beta4/"


def _certificate(making: Making, name: str) -> Values:
    body = making.seeds.base64("certificate", 96)
    return {
        "cert": f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----",
        "commonName": name,
        "createTime": making.seeds.time(),
        "expirationTime": "2036-01-03T09:00:00Z",
        "expireTime": "2036-01-03T09:00:00Z",
        "serialNumber": making.seeds.digits("serial", 10),
        "sha1Fingerprint": making.seeds.hex("sha1", 40),
    }


def _only(properties: set[str], values: Values) -> Values:
    return {name: value for name, value in values.items() if name in properties}


@computes("gcp:sql/databaseInstance:DatabaseInstance")
def _sql_instance(making: Making) -> Values:
    network = str(making.get("settings.ipConfiguration.privateNetwork") or "")
    private = ""
    addresses: list[Any] = []
    if network:
        allocated = str(making.get("settings.ipConfiguration.allocatedIpRange") or "")
        private = private_address(making, network, range_name=allocated)
        addresses.append({"ipAddress": private, "timeToRetire": "", "type": "PRIVATE"})
    public = ""
    if making.get("settings.ipConfiguration.ipv4Enabled") is not False and not network:
        public = f"203.0.113.{2 + making.seeds.below('public', 250)}"
        addresses.insert(0, {"ipAddress": public, "timeToRetire": "", "type": "PRIMARY"})
    letters = making.seeds.pick("account", "abcdefghijklmnopqrstuvwxyz0123456789", 6)
    replica = making.get("masterInstanceName") is not None
    certificate = _certificate(making, "C=US,O=Google\\, Inc,CN=Google Cloud SQL Server CA")
    wanted = {"cert", "commonName", "createTime", "expirationTime", "sha1Fingerprint"}
    return {
        "connectionName": f"{making.project}:{making.region}:{making.name}",
        "dnsName": f"{making.seeds.hex('dns', 12)}.{making.seeds.hex('zone', 14)}.{making.region}.sql.goog.",
        "firstIpAddress": addresses[0]["ipAddress"] if addresses else "",
        "ipAddresses": addresses,
        "privateIpAddress": private,
        "publicIpAddress": public,
        "serverCaCerts": [_only(wanted, certificate)],
        "serviceAccountEmailAddress": f"p{making.number}-{letters}@gcp-sa-cloud-sql.iam.gserviceaccount.com",
        "selfLink": f"{_SQL}projects/{making.project}/instances/{making.name}",
        "instanceType": "READ_REPLICA_INSTANCE" if replica else "CLOUD_SQL_INSTANCE",
        "maintenanceVersion": f"{making.get('databaseVersion')}.R20251107.01_00",
        "settings": {"version": 1, "diskSize": 10},
        "replicaNames": [],
        "pscServiceAttachmentLink": "",
    }


@computes("gcp:sql/database:Database")
def _sql_database(making: Making) -> Values:
    return {
        "charset": "UTF8",
        "collation": "en_US.UTF8",
        "selfLink": f"{_SQL}{making.id}",
    }


@computes("gcp:sql/user:User")
def _sql_user(making: Making) -> Values:
    return {"host": ""}


@computes("gcp:memorystore/instance:Instance")
def _valkey(making: Making) -> Values:
    first = next(iter(as_list(making.get("desiredAutoCreatedEndpoints")) or []), None)
    network = str(
        (as_map(first) or {}).get("network") or f"projects/{making.project}/global/networks/default"
    )
    connection = {
        "connectionType": "CONNECTION_TYPE_PRIMARY",
        "ipAddress": private_address(making, network),
        "network": network,
        "port": 6379,
        "projectId": making.project,
        "pscConnectionId": making.seeds.digits("connection", 17),
        "pscConnectionStatus": "PSC_CONNECTION_STATUS_ACTIVE",
    }
    encrypted = making.get("transitEncryptionMode") == "SERVER_AUTHENTICATION"
    chain = {"certificates": [_certificate(making, "")["cert"]]}
    return {
        "endpoints": [{"connections": [{"pscAutoConnection": connection}]}],
        "managedServerCas": [{"caCerts": [chain]}] if encrypted else [],
        "state": "ACTIVE",
        "uid": making.seeds.uuid("uid"),
    }


@computes("gcp:redis/instance:Instance")
def _redis(making: Making) -> Values:
    network = str(making.get("authorizedNetwork") or f"projects/{making.project}/global/networks/default")
    host = private_address(making, network, range_name=str(making.get("reservedIpRange") or ""))
    zone = str(making.get("locationId") or f"{making.region}-b")
    replicas = making.get("readReplicasMode") == "READ_REPLICAS_ENABLED"
    count = int(making.get("replicaCount") or (1 if making.get("tier") == "STANDARD_HA" else 0))
    nodes = [
        {"id": f"node-{index}", "zone": zone if index == 0 else f"{making.region}-{'bcd'[index % 3]}"}
        for index in range(count + 1)
    ]
    encrypted = making.get("transitEncryptionMode") == "SERVER_AUTHENTICATION"
    wanted = {"cert", "createTime", "expireTime", "serialNumber", "sha1Fingerprint"}
    account = agent_email("redis", making.number)
    return {
        "host": host,
        "port": 6378 if encrypted else 6379,
        "authString": making.seeds.uuid("auth") if making.get("authEnabled") else "",
        "readEndpoint": private_address(making, network, purpose="read") if replicas else "",
        "readEndpointPort": (6378 if encrypted else 6379) if replicas else 0,
        "nodes": nodes,
        "currentLocationId": zone,
        "locationId": zone,
        "alternativeLocationId": f"{making.region}-c" if count else "",
        "persistenceIamIdentity": f"serviceAccount:{account}",
        "effectiveReservedIpRange": making.get("reservedIpRange") or "",
        "serverCaCerts": [_only(wanted, _certificate(making, ""))] if encrypted else [],
        "authorizedNetwork": network,
        "redisVersion": making.get("redisVersion") or "REDIS_7_2",
        "maintenanceVersion": "20251007_00_00",
    }


@computes("gcp:storage/bucket:Bucket")
def _bucket(making: Making) -> Values:
    return {
        "projectNumber": int(making.number),
        "selfLink": f"https://www.googleapis.com/storage/v1/b/{making.name}",
        "url": f"gs://{making.name}",
        "timeCreated": making.seeds.time(),
        "publicAccessPrevention": "inherited",
        "rpo": "DEFAULT",
        "uniformBucketLevelAccess": bool(making.get("uniformBucketLevelAccess")),
    }


@computes("gcp:storage/bucketObject:BucketObject")
def _bucket_object(making: Making) -> Values:
    bucket = making.get("bucket")
    path = f"storage/v1/b/{bucket}/o/{making.name}"
    return {
        "crc32c": making.seeds.base64("crc", 4),
        "md5hash": making.seeds.base64("md5", 16),
        "md5hexhash": making.seeds.hex("md5", 32),
        "mediaLink": f"https://storage.googleapis.com/download/{path}?alt=media",
        "outputName": making.name,
        "selfLink": f"https://www.googleapis.com/{path}",
        "generation": int(making.seeds.digits("generation", 15)),
        "storageClass": "STANDARD",
    }


@computes("gcp:artifactregistry/repository:Repository")
def _repository(making: Making) -> Values:
    format_ = str(making.get("format") or "DOCKER").lower()
    repository = making.get("repositoryId")
    return {
        "name": repository,
        "registryUri": f"{making.region}-{format_}.pkg.dev/{making.project}/{repository}",
    }


@computes("gcp:bigquery/dataset:Dataset")
def _dataset(making: Making) -> Values:
    return {"selfLink": f"https://bigquery.googleapis.com/bigquery/v2/{making.id}"}
