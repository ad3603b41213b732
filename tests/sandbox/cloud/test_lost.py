"""A region out of reach: what lies there answers 503, everything else goes on."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.cloud import Cloud, World
from sandbox.cloud.lost import check_region, places, refuse_lost
from sandbox.errors import CloudError, UsageError

SQL = "gcp:sql/databaseInstance:DatabaseInstance"
BUCKET = "gcp:storage/bucket:Bucket"
SECRET = "gcp:secretmanager/secret:Secret"
VERSION = "gcp:secretmanager/secretVersion:SecretVersion"
TOPIC = "gcp:pubsub/topic:Topic"
KEY = "projects/p/locations/europe-west1/keyRings/r/cryptoKeys/k"
REPLICAS = {
    "replication": {"userManaged": {"replicas": [{"location": "europe-west1"}, {"location": "europe-west4"}]}}
}


def world(*lost: str) -> World:
    """An instance, a bucket and a secret of region one."""
    found = World()
    found.add(SQL, "db", {"name": "db", "region": "europe-west1"}, {})
    found.add(BUCKET, "b", {"name": "b", "location": "EUROPE-WEST1"}, {})
    found.add(SECRET, "projects/p/secrets/s", REPLICAS, {})
    found.facts.lost_regions = frozenset(lost)
    return found


@pytest.mark.parametrize(
    ("type", "id", "values", "regions"),
    [
        (SQL, "db", {"region": "europe-west1"}, {"europe-west1"}),
        ("gcp:sql/user:User", "u", {"instance": "db"}, {"europe-west1"}),
        ("gcp:sql/database:Database", "d", {"instance": "projects/p/instances/db"}, {"europe-west1"}),
        (BUCKET, "b", {"location": "EUROPE-WEST1"}, {"europe-west1"}),
        (BUCKET, "c", {"location": "EU"}, {"eu"}),
        ("gcp:storage/bucketObject:BucketObject", "b-o", {"bucket": "b"}, {"europe-west1"}),
        ("gcp:kms/cryptoKey:CryptoKey", KEY, {"name": "k"}, {"europe-west1"}),
        ("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember", "", {"cryptoKeyId": KEY}, {"europe-west1"}),
        ("gcp:compute/disk:Disk", "", {"zone": "europe-west1-b"}, {"europe-west1"}),
        (VERSION, "", {"secret": "projects/p/secrets/s"}, {"europe-west1", "europe-west4"}),
        (SECRET, "projects/p/secrets/s", REPLICAS, set[str]()),
        (TOPIC, "projects/p/topics/t", {"kmsKeyName": KEY}, set[str]()),
        ("gcp:compute/backendService:BackendService", "x", {"name": "x"}, set[str]()),
    ],
)  # fmt: skip
def test_a_resource_lies_where_it_or_its_owner_says(
    type: str, id: str, values: dict[str, Any], regions: set[str]
) -> None:
    assert places(world(), type, id, values) == regions


def test_what_lies_in_a_lost_region_answers_503_and_the_rest_goes_on() -> None:
    lost = world("europe-west1")
    with pytest.raises(CloudError) as refused:
        refuse_lost(lost, SQL, "db", {"region": "europe-west1"})
    assert (refused.value.code, refused.value.reason) == (503, "UNAVAILABLE")
    assert str(refused.value) == (
        "The region europe-west1 is out of reach: DatabaseInstance db answers no call; leave what lies there "
        "as it is. (Error 503: UNAVAILABLE)"
    )
    refuse_lost(lost, SQL, "other", {"region": "europe-west4"})
    refuse_lost(lost, TOPIC, "projects/p/topics/t", {"kmsKeyName": KEY})
    refuse_lost(world(), SQL, "db", {"region": "europe-west1"})


def test_every_kind_of_call_is_refused_and_changes_nothing() -> None:
    lost = world("europe-west1")
    cloud, before = Cloud(lost), lost.to_json()
    values = {"name": "db", "region": "europe-west1", "databaseVersion": "POSTGRES_17", "project": "p"}
    calls = [
        lambda: cloud.create(SQL, "urn::db", {**values, "name": "new"}, preview=False, provider={}),
        lambda: cloud.update(SQL, "urn::db", "db", values, values, values, preview=False, provider={}),
        lambda: cloud.delete(SQL, "urn::db", "db", values, values, provider={}),
        lambda: cloud.read(SQL, "urn::db", "db", values, values, provider={}),
        lambda: cloud.read(SQL, "", "db", None, provider={}),
    ]
    for call in calls:
        with pytest.raises(CloudError, match="503: UNAVAILABLE"):
            call()
    assert lost.to_json() == before


def test_a_preview_asks_for_nothing() -> None:
    cloud = Cloud(world("europe-west1"))
    values = {"name": "db", "region": "europe-west1", "databaseVersion": "POSTGRES_17", "project": "p"}
    cloud.update(SQL, "urn::db", "db", values, values, values, preview=True, provider={})


def test_lost_regions_outlive_the_file_of_the_cloud() -> None:
    kept = World.from_json(world("europe-west1").to_json())
    assert kept.facts.lost_regions == {"europe-west1"}
    assert kept.copy().facts.lost_regions == {"europe-west1"}


@pytest.mark.parametrize("text", ["", "Europe", "europe-west1-b", "eu", "../x", "europe-west1 "])
def test_fails_when_a_lost_region_is_not_one(text: str) -> None:
    with pytest.raises(UsageError, match="--lost-region must name a region, got"):
        check_region(text)
    assert check_region("europe-west1") == "europe-west1"
