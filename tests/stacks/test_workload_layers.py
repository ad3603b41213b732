"""Data, messaging and compute in each environment: the table of sizes, the names, who reaches what."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from naming import Names
from stacks.compute import compute
from stacks.data import data
from stacks.foundation import foundation
from stacks.messaging import messaging
from stacks.providers import make_providers
from tests.recording import Build, Recorded, Recorder
from tests.stack_files import lookups
from tests.stack_files import settings as settings_of

INSTANCE = "sql/databaseInstance:DatabaseInstance"
SERVICE = "cloudrunv2/service:Service"
POOL = "cloudrunv2/workerPool:WorkerPool"
STACKS = ("dev", "staging", "prod")


@cache
def recorded(stack: str, *, release: bool = True) -> Recorder:
    """What the three layers register on their foundation; made once for all tests."""
    settings = settings_of(stack, release=release)
    recorder = Recorder()
    recorder.invokes = lookups()

    def program() -> None:
        names = Names(system="aiprod", environment=settings.environment, project_id=settings.project_id)
        providers = make_providers(settings)
        base = foundation(settings, names, providers)
        stores = data(settings, names, providers, base)
        queues = messaging(settings, names, providers, base)
        compute(settings, names, providers, base, stores, queues)

    build = Build(recorder)
    build(program)
    build.close()
    return recorder


def members(recorder: Recorder, type: str, role: str) -> set[str]:
    return {grant.name for grant in recorder.of_type(type) if grant.inputs["role"] == role and is_ours(grant)}


def is_ours(grant: Recorded) -> bool:
    """Whether a runtime of the platform holds it, not Google's agent and no person."""
    return not grant.name.endswith("-agent") and not grant.inputs["member"].startswith("group:")


def variables(recorder: Recorder, type: str, name: str) -> dict[str, Any]:
    container = recorder.one(type, name).inputs["template"]["containers"][0]
    return {env["name"]: env.get("value", env.get("valueSource")) for env in container["envs"]}


@pytest.mark.parametrize(
    ("stack", "availability", "tier", "kept"),
    [
        ("dev", "ZONAL", "db-custom-1-3840", 7),
        ("staging", "ZONAL", "db-custom-1-3840", 14),
        ("prod", "REGIONAL", "db-custom-2-7680", 30),
    ],
)
def test_database_is_as_large_as_its_environment_says(
    stack: str, availability: str, tier: str, kept: int
) -> None:
    recorder = recorded(stack)
    inputs = recorder.one(INSTANCE, "postgres").inputs
    backups = inputs["settings"]["backupConfiguration"]
    assert inputs["name"] == "aiprod-postgres"
    assert inputs["databaseVersion"] == "POSTGRES_17"
    assert inputs["settings"]["availabilityType"] == availability
    assert inputs["settings"]["tier"] == tier
    assert backups["backupRetentionSettings"]["retainedBackups"] == kept
    assert (backups["startTime"], backups["location"], backups["transactionLogRetentionDays"]) == (
        "03:00",
        "eu",
        7,
    )


@pytest.mark.parametrize(
    ("stack", "replicas"),
    [
        ("dev", {}),
        ("staging", {"aiprod-postgres-replica-1": "europe-west1"}),
        (
            "prod",
            {"aiprod-postgres-replica-1": "europe-west1", "aiprod-postgres-replica-2": "europe-west4"},
        ),
    ],
)
def test_replicas_are_those_of_the_environment(stack: str, replicas: dict[str, str]) -> None:
    recorder = recorded(stack)
    found = [one.inputs for one in recorder.of_type(INSTANCE) if "masterInstanceName" in one.inputs]
    assert {inputs["name"]: inputs["region"] for inputs in found} == replicas
    keys = {key.inputs["name"]: key for key in recorder.of_type("kms/cryptoKey:CryptoKey")}
    assert "aiprod-sql-key" in keys
    for inputs in found:
        assert inputs["encryptionKeyName"] == f"keys-{inputs['region']}-sql-id"


@pytest.mark.parametrize(
    ("stack", "tier", "memory"),
    [("dev", "BASIC", 1), ("staging", "STANDARD_HA", 1), ("prod", "STANDARD_HA", 2)],
)
def test_cache_is_as_large_as_its_environment_says(stack: str, tier: str, memory: int) -> None:
    recorder = recorded(stack)
    inputs = recorder.one("redis/instance:Instance").inputs
    assert (inputs["name"], inputs["tier"], inputs["memorySizeGb"]) == ("aiprod-cache", tier, memory)
    assert inputs["redisVersion"] == "REDIS_7_2"


@pytest.mark.parametrize(
    ("stack", "bounds"),
    [
        ("dev", {"europe-west1": (0, 2)}),
        ("staging", {"europe-west1": (0, 4)}),
        ("prod", {"europe-west1": (2, 20), "europe-west4": (1, 20)}),
    ],
)
def test_api_serves_from_its_regions_within_its_bounds(
    stack: str, bounds: dict[str, tuple[int, int]]
) -> None:
    recorder = recorded(stack)
    services = [service.inputs for service in recorder.of_type(SERVICE)]
    assert {
        inputs["location"]: (inputs["scaling"]["minInstanceCount"], inputs["scaling"]["maxInstanceCount"])
        for inputs in services
    } == bounds
    assert {inputs["name"] for inputs in services} == {"aiprod-v33-api"}


@pytest.mark.parametrize(
    ("stack", "pools"),
    [
        ("dev", {"aiprod-worker": 0}),
        ("staging", {"aiprod-worker": 0}),
        ("prod", {"aiprod-worker": 1, "aiprod-batch-worker": 1}),
    ],
)
def test_batch_workers_stand_apart_only_where_they_are_sized(stack: str, pools: dict[str, int]) -> None:
    recorder = recorded(stack)
    found = [pool.inputs for pool in recorder.of_type(POOL)]
    assert {inputs["name"]: inputs["scaling"]["manualInstanceCount"] for inputs in found} == pools


@pytest.mark.parametrize("stack", STACKS)
def test_every_queue_has_its_names_and_its_dead_letters(stack: str) -> None:
    recorder = recorded(stack)
    queues = [one for one in recorder.of_type("pubsub/topic:Topic") if one.name.startswith("queue-")]
    assert {queue.inputs["name"] for queue in queues} == {
        f"aiprod-{name}{suffix}"
        for name in ("pipeline-jobs", "job-results", "job-notifications", "batch-jobs")
        for suffix in ("", "-dlq")
    }
    subscriptions = {one.inputs["name"] for one in recorder.of_type("pubsub/subscription:Subscription")}
    assert {"aiprod-job-processor", "aiprod-result-notifier", "aiprod-job-processor-dlq"} <= subscriptions
    sender = recorder.one("pubsub/subscription:Subscription", "queue-notifications").inputs
    kept = recorder.one("pubsub/subscription:Subscription", "queue-notifications-dead-letter").inputs
    assert sender["deadLetterPolicy"]["maxDeliveryAttempts"] == 5
    assert kept["messageRetentionDuration"] == "2678400s"


def test_interactive_and_batch_work_never_share_a_queue_in_prod() -> None:
    recorder = recorded("prod")
    assert members(recorder, "SubscriptionIAMMember", "roles/pubsub.subscriber") == {
        "queue-jobs-consumer-worker",
        "queue-results-consumer-worker",
        "queue-notifications-consumer-worker",
        "queue-batch-consumer-batch",
    }
    interactive = variables(recorder, POOL, "pool-worker")
    batch = variables(recorder, POOL, "pool-batch")
    assert {name for name in interactive if name.startswith("SUBSCRIPTION_")} == {
        "SUBSCRIPTION_JOBS",
        "SUBSCRIPTION_RESULTS",
        "SUBSCRIPTION_NOTIFICATIONS",
    }
    assert {name for name in batch if name.startswith("SUBSCRIPTION_")} == {"SUBSCRIPTION_BATCH"}


def test_without_batch_workers_the_one_pool_takes_batch_jobs() -> None:
    recorder = recorded("dev")
    grants = members(recorder, "SubscriptionIAMMember", "roles/pubsub.subscriber")
    assert "queue-batch-consumer-worker" in grants
    assert "SUBSCRIPTION_BATCH" in variables(recorder, POOL, "pool-worker")


def test_api_may_publish_work_but_takes_none() -> None:
    recorder = recorded("prod")
    publishers = members(recorder, "TopicIAMMember", "roles/pubsub.publisher")
    assert {name for name in publishers if name.endswith("-api")} == {
        "queue-jobs-publisher-api",
        "queue-notifications-publisher-api",
        "queue-batch-publisher-api",
    }
    consumers = members(recorder, "SubscriptionIAMMember", "roles/pubsub.subscriber")
    assert not {name for name in consumers if name.endswith("-api")}


@pytest.mark.parametrize("stack", STACKS)
def test_people_bring_dead_letters_back_and_take_nothing_else(stack: str) -> None:
    (group,) = settings_of(stack).messaging.operators
    held = {
        (one.name, one.inputs["role"])
        for one in recorded(stack).resources
        if one.inputs.get("member") == f"group:{group}"
    }
    key = group.partition("@")[0]
    assert held == {
        grant
        for queue in ("jobs", "results", "notifications", "batch")
        for grant in (
            (f"queue-{queue}-replayer-{key}", "roles/pubsub.publisher"),
            (f"queue-{queue}-dead-letter-replayer-{key}", "roles/pubsub.subscriber"),
        )
    }
    # The account of a replay that Google runs has nothing before there is one.
    assert not [one for one in recorded(stack).resources if "aiprod-replay@" in str(one.inputs.get("member"))]


def test_vendor_keys_reach_the_workers_by_version_and_never_the_api() -> None:
    recorder = recorded("prod")
    worker = variables(recorder, POOL, "pool-worker")
    api = variables(recorder, SERVICE, "api-europe-west1")
    vendors = {"SUNO_API_KEY", "FREESOUND_API_KEY", "GOOGLE_CLOUD_API_KEY", "ELEVENLABS_API_KEY"}
    assert vendors <= set(worker)
    assert vendors.isdisjoint(api)
    assert worker["SUNO_API_KEY"] == {"secretKeyRef": {"secret": "suno-api-key", "version": "1"}}
    assert api["REDIS_AUTH"]["secretKeyRef"]["version"] == "1"


def test_each_region_reads_from_its_own_replica() -> None:
    recorder = recorded("prod")
    for region, replica in (("europe-west1", "replica-1"), ("europe-west4", "replica-2")):
        service = recorder.one(SERVICE, f"api-{region}").inputs
        connections = [f"project:region:aiprod-postgres{end}" for end in ("", f"-{replica}")]
        read = variables(recorder, SERVICE, f"api-{region}")["DATABASE_READ_INSTANCE"]
        assert read == connections[1]
        volumes = {volume["name"]: volume for volume in service["template"]["volumes"]}
        assert volumes["cloudsql"]["cloudSqlInstance"]["instances"] == connections


def test_without_replicas_reads_go_to_the_primary() -> None:
    recorder = recorded("dev")
    found = variables(recorder, SERVICE, "api-europe-west1")
    assert found["DATABASE_READ_INSTANCE"] == found["DATABASE_INSTANCE"]
    volumes = recorder.one(SERVICE).inputs["template"]["volumes"]
    instances = next(one["cloudSqlInstance"]["instances"] for one in volumes if "cloudSqlInstance" in one)
    assert len(instances) == 1


@pytest.mark.parametrize("stack", STACKS)
def test_without_a_release_everything_stands_but_revisions(stack: str) -> None:
    recorder = recorded(stack, release=False)
    assert [one.type for one in recorder.resources if "cloudrunv2" in one.type] == []
    assert recorder.of_type(INSTANCE)
    assert recorder.of_type("redis/instance:Instance")


def test_database_and_cache_wait_for_private_access_and_key_grants() -> None:
    recorder = recorded("prod")
    connection = recorder.one("servicenetworking/connection:Connection").urn
    for component, grants in (
        ("aiprod:data:Postgres", ("keys-europe-west1-sql-sql", "keys-europe-west4-sql-sql")),
        ("aiprod:data:RedisCache", ("keys-europe-west1-redis-redis",)),
    ):
        waits = recorder.one(component).dependencies
        assert connection in waits
        for grant in grants:
            assert recorder.one("kms/cryptoKeyIAMMember:CryptoKeyIAMMember", grant).urn in waits


def test_revisions_wait_for_keys_rights_secrets_and_the_way_out() -> None:
    recorder = recorded("prod")
    for component, role in (("api-europe-west1", "api"), ("pool-worker", "worker"), ("pool-batch", "batch")):
        found = next(
            one
            for one in recorder.resources
            if one.name == component and one.type.startswith("aiprod:compute:")
        ).dependencies
        names = {one.name for one in recorder.resources if one.urn in found}
        assert {
            "keys-europe-west1-run-run",
            f"{role}-cloudsql-client",
            f"aiprod-cache-auth-accessor-{role}",
            "egress-europe-west1",
            "postgres",
            "cache",
            *(
                name
                for name in members(
                    recorder, "pubsub/topicIAMMember:TopicIAMMember", "roles/pubsub.publisher"
                )
                # People who ask for a rotation by hand are no workload.
                if name.startswith("queue-")
            ),
            *members(
                recorder, "pubsub/subscriptionIAMMember:SubscriptionIAMMember", "roles/pubsub.subscriber"
            ),
            *(grant.name for grant in recorder.of_type("storage/bucketIAMMember:BucketIAMMember")),
            *(rule.name for rule in recorder.of_type("compute/firewall:Firewall")),
            *(user.name for user in recorder.of_type("sql/user:User")),
        } <= names


@pytest.mark.parametrize("stack", STACKS)
def test_protection_follows_the_environment(stack: str) -> None:
    settings, recorder = settings_of(stack), recorded(stack)
    stateful = [
        *recorder.of_type(INSTANCE),
        *recorder.of_type("redis/instance:Instance"),
        *recorder.of_type("storage/bucket:Bucket"),
        *[one for one in recorder.of_type("pubsub/topic:Topic") if one.name.startswith("queue-")],
    ]
    assert len(stateful) >= 11
    assert {one.protect for one in stateful} == {settings.deletion_protection}


def test_buckets_open_only_what_each_workload_needs() -> None:
    settings, recorder = settings_of("prod"), recorded("prod")
    assert {one.inputs["name"] for one in recorder.of_type("storage/bucket:Bucket")} == {
        f"{settings.project_id}-uploads",
        f"{settings.project_id}-results",
    }
    assert {one.name for one in recorder.of_type("BucketIAMMember")} == {
        "bucket-uploads-creator-api",
        "bucket-uploads-reader-worker",
        "bucket-uploads-reader-batch",
        "bucket-results-reader-api",
        "bucket-results-writer-worker",
        "bucket-results-writer-batch",
    }
