"""The cache: private, with AUTH and TLS; tiers that Google accepts."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from components.data.redis_cache import (
    Basic,
    CredentialSecrets,
    MaintenanceWindow,
    RedisCache,
    RedisCacheArgs,
    StandardHA,
    Valkey,
)
from tests.recording import Build, Recorder


def example_args(**changes: Any) -> RedisCacheArgs:
    """The smallest legal arguments."""
    values: dict[str, Any] = {
        "project": "p-example",
        "instance_name": "cache",
        "region": "europe-west1",
        "tier": StandardHA(memory_size_gb=2),
        "redis_version": "REDIS_7_2",
        "network": "projects/p-example/global/networks/n",
        "reserved_ip_range": "range",
        "kms_key": "projects/p-example/locations/europe-west1/keyRings/r/cryptoKeys/k",
        "maintenance": MaintenanceWindow(day="SUNDAY", hour=0),
        "credentials": CredentialSecrets(auth="projects/p/secrets/auth", ca="projects/p/secrets/ca"),
        "labels": {"system": "aiprod"},
    }
    return RedisCacheArgs(**{**values, **changes})


def inputs_of(build: Build, recorder: Recorder, **changes: Any) -> Any:
    build(lambda: RedisCache("cache", example_args(**changes)))
    return recorder.one("redis/instance:Instance").inputs


def test_cache_is_private_authenticated_and_encrypted(build: Build, recorder: Recorder) -> None:
    assert inputs_of(build, recorder) == {
        "project": "p-example",
        "name": "cache",
        "region": "europe-west1",
        "tier": "STANDARD_HA",
        "memorySizeGb": 2,
        "readReplicasMode": "READ_REPLICAS_DISABLED",
        "redisVersion": "REDIS_7_2",
        "redisConfigs": {"maxmemory-policy": "allkeys-lru"},
        "authorizedNetwork": "projects/p-example/global/networks/n",
        "connectMode": "PRIVATE_SERVICE_ACCESS",
        "reservedIpRange": "range",
        "authEnabled": True,
        "transitEncryptionMode": "SERVER_AUTHENTICATION",
        "customerManagedKey": "projects/p-example/locations/europe-west1/keyRings/r/cryptoKeys/k",
        "persistenceConfig": {"persistenceMode": "DISABLED"},
        "maintenancePolicy": {
            "weeklyMaintenanceWindows": [
                {"day": "SUNDAY", "startTime": {"hours": 0, "minutes": 0, "seconds": 0, "nanos": 0}}
            ]
        },
        "deletionProtection": True,
        "labels": {"system": "aiprod"},
    }
    assert recorder.one("redis/instance:Instance").protect is True


def test_basic_tier_has_neither_replica_nor_read_mode(build: Build, recorder: Recorder) -> None:
    inputs = inputs_of(build, recorder, tier=Basic(memory_size_gb=1))
    assert (inputs["tier"], inputs["memorySizeGb"]) == ("BASIC", 1)
    assert "replicaCount" not in inputs
    assert "readReplicasMode" not in inputs


def test_read_replicas_switch_their_mode_on(build: Build, recorder: Recorder) -> None:
    inputs = inputs_of(build, recorder, tier=StandardHA(memory_size_gb=5, read_replicas=2))
    assert (inputs["tier"], inputs["replicaCount"]) == ("STANDARD_HA", 2)
    assert inputs["readReplicasMode"] == "READ_REPLICAS_ENABLED"


def test_without_protection_nothing_holds_the_cache(build: Build, recorder: Recorder) -> None:
    inputs = inputs_of(build, recorder, deletion_protection=False)
    assert inputs["deletionProtection"] is False
    assert recorder.one("redis/instance:Instance").protect is False


def test_auth_string_is_secret_and_every_authority_is_trusted(build: Build, recorder: Recorder) -> None:
    recorder.computed["gcp:redis/instance:Instance"] = lambda _, __: {
        "host": "10.0.0.3",
        "port": 6378,
        "authString": "auth",
        "serverCaCerts": [{"cert": "old\n"}, {"cert": "new"}],
    }
    cache = build(lambda: RedisCache("cache", example_args()))
    assert is_secret(build, cache.auth_string)
    assert build.resolve(cache.auth_string) == "auth"
    assert build.resolve(cache.ca_certificate) == "old\nnew\n"
    assert build.resolve(cache.port) == 6378


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Basic(memory_size_gb=0), "memory_size_gb must be between 1 and 300 GB, got 0"),
        (lambda: StandardHA(memory_size_gb=301), "memory_size_gb must be between 1 and 300 GB, got 301"),
        (
            lambda: StandardHA(memory_size_gb=2, read_replicas=1),
            "read_replicas must be 0 below 5 GB, got 1 with memory_size_gb 2",
        ),
        (lambda: StandardHA(memory_size_gb=9, read_replicas=6), "read_replicas must be between 0 and 5"),
        (lambda: MaintenanceWindow(day="SUNDAY", hour=24), "hour must be between 0 and 23"),
        (lambda: example_args(instance_name="a" * 41), "redis instance name must have 1 to 40 characters"),
    ],
)
def test_fails_when_size_or_window_is_what_google_refuses(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_services_get_auth_and_ca_as_secret_versions(build: Build, recorder: Recorder) -> None:
    cache = build(lambda: RedisCache("cache", example_args()))
    auth = recorder.one("SecretVersion", "cache-auth")
    authority = recorder.one("SecretVersion", "cache-ca")
    assert (auth.inputs["secret"], auth.inputs["secretDataWo"]) == ("projects/p/secrets/auth", "auth")
    assert authority.inputs["secret"] == "projects/p/secrets/ca"
    assert authority.inputs["secretDataWo"] == "certificate\n"
    assert "secretDataWo" in auth.secrets
    assert {auth.inputs["deletionPolicy"], authority.inputs["deletionPolicy"]} == {"DISABLE"}
    assert (build.resolve(cache.auth_version), build.resolve(cache.ca_version)) == ("1", "1")


@pytest.mark.parametrize(("later", "same"), [("auth", True), ("other", False)])
def test_another_auth_string_makes_another_version(
    build: Build, recorder: Recorder, later: str, same: bool
) -> None:
    versions: list[str] = []
    for value in ("auth", later):
        recorder.resources.clear()
        recorder.computed["gcp:redis/instance:Instance"] = lambda _, __, value=value: {
            "host": "10.0.0.3",
            "port": 6378,
            "authString": value,
            "serverCaCerts": [],
        }
        build(lambda: RedisCache("cache", example_args()))
        versions.append(recorder.one("SecretVersion", "cache-auth").inputs["secretDataWoVersion"])
    assert (versions[0] == versions[1]) is same
    assert "auth" not in versions


def is_secret(build: Build, output: pulumi.Output[str]) -> bool:
    async def ask() -> bool:
        return await output.is_secret()

    return build.resolve(pulumi.Output.from_input(ask()))


VALKEY = {
    "tier": Valkey(engine_version="VALKEY_8_0", node_type="STANDARD_SMALL", replicas=1),
    "redis_version": None,
    "reserved_ip_range": None,
}


def test_valkey_asks_for_iam_logins_and_speaks_tls(build: Build, recorder: Recorder) -> None:
    cache = build(lambda: RedisCache("cache", example_args(**VALKEY)))
    assert (build.resolve(cache.host), build.resolve(cache.port)) == ("10.0.0.4", 6379)
    assert build.resolve(cache.ca_certificate) == "certificate\n"
    found = recorder.one("memorystore/instance:Instance").inputs
    assert (found["authorizationMode"], found["transitEncryptionMode"]) == (
        "IAM_AUTH",
        "SERVER_AUTHENTICATION",
    )
    assert (found["mode"], found["shardCount"], found["replicaCount"]) == ("CLUSTER_DISABLED", 1, 1)
    assert found["kmsKey"] == example_args().kms_key
    assert found["deletionProtectionEnabled"] is True
    assert found["engineConfigs"] == {"maxmemory-policy": "allkeys-lru"}
    assert recorder.of_type("redis/instance:Instance") == []
    assert recorder.names("secretmanager/secretVersion:SecretVersion") == ["cache-ca"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({**VALKEY, "redis_version": "REDIS_7_2"}, "redis_version must be left out with Valkey"),
        ({**VALKEY, "reserved_ip_range": "range"}, "reserved_ip_range must be left out with Valkey"),
        ({"redis_version": None}, "redis_version must be given with Redis"),
        ({"reserved_ip_range": None}, "reserved_ip_range must be given with Redis"),
    ],
)
def test_fails_when_the_kind_has_no_such_field(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        example_args(**changes)
