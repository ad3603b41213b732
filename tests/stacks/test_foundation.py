"""The first layer, wired as each environment says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import Settings
from naming import Names
from stacks.delivery import delivery
from stacks.foundation import Foundation, foundation, next_rotation_time
from stacks.providers import make_providers
from tests.recording import Build, Recorder
from tests.stack_files import STACKS, settings

LOOKUPS = {
    "gcp:storage/getProjectServiceAccount:getProjectServiceAccount": {
        "emailAddress": "storage@example.com",
        "member": "serviceAccount:storage@example.com",
        "id": "storage",
        "project": "project",
    },
    "gcp:logging/getProjectCmekSettings:getProjectCmekSettings": {
        "serviceAccountId": "logging@example.com",
        "id": "cmek",
        "kmsKeyName": "",
        "kmsKeyVersionName": "",
        "name": "cmek",
        "project": "project",
    },
}


def made(build: Build, recorder: Recorder, found: Settings) -> Foundation:
    """The foundation and the image repository of one environment."""
    recorder.invokes.update(LOOKUPS)
    names = Names(system="aiprod", environment=found.environment, project_id=found.project_id)

    def layers() -> Foundation:
        providers = make_providers(found)
        base = foundation(found, names, providers)
        delivery(found, names, providers, base)
        return base

    return build(layers)


@pytest.mark.parametrize("stack", STACKS)
def test_everything_belongs_to_an_explicit_provider(build: Build, recorder: Recorder, stack: str) -> None:
    made(build, recorder, settings(stack))
    providers = {
        r.provider.split("::")[2].rpartition("$")[2]
        for r in recorder.resources
        if r.custom and ":providers:" not in r.type
    }
    assert providers == {"pulumi:providers:gcp", "pulumi:providers:random"}
    google = recorder.one("pulumi:providers:gcp")
    assert google.inputs["userProjectOverride"] in {True, "true"}
    assert google.inputs["billingProject"] == settings(stack).project_id


@pytest.mark.parametrize("stack", STACKS)
def test_every_runtime_has_its_own_account_and_no_admin_role(
    build: Build, recorder: Recorder, stack: str
) -> None:
    made(build, recorder, settings(stack))
    assert {r.inputs["accountId"] for r in recorder.of_type("Account")} == {
        "aiprod-api",
        "aiprod-worker",
        "aiprod-batch",
    }
    roles = {r.inputs["role"] for r in recorder.of_type("projects/iAMMember:IAMMember")}
    assert roles == {
        "roles/cloudsql.client",
        "roles/cloudsql.instanceUser",
        "roles/cloudtrace.agent",
        "roles/logging.logWriter",
        "roles/monitoring.metricWriter",
    }


def test_prod_has_a_key_for_every_class_of_consumers_where_it_is_used(
    build: Build, recorder: Recorder
) -> None:
    base = made(build, recorder, settings("prod"))
    assert {location: sorted(ring.key_ids) for location, ring in base.keys.items()} == {
        "europe-west1": ["logs", "pubsub", "redis", "run", "secrets", "sql", "storage"],
        "europe-west4": ["run", "secrets", "sql"],
        "europe": ["images"],
    }
    assert {r.inputs["name"] for r in recorder.of_type("KeyRing")} == {"aiprod-keyring"}
    assert "aiprod-secrets-key" in {r.inputs["name"] for r in recorder.of_type("CryptoKey")}


@pytest.mark.parametrize("stack", ["dev", "staging"])
def test_smaller_environments_have_only_secrets_in_the_second_region(
    build: Build, recorder: Recorder, stack: str
) -> None:
    base = made(build, recorder, settings(stack))
    assert sorted(base.keys["europe-west4"].key_ids) == ["secrets"]
    assert list(base.egress) == ["europe-west1"]
    assert list(base.private_services.range_names) == ["europe-west1"]


@pytest.mark.parametrize("stack", STACKS)
def test_only_agents_may_use_keys(build: Build, recorder: Recorder, stack: str) -> None:
    made(build, recorder, settings(stack))
    members = {r.inputs["member"] for r in recorder.of_type("CryptoKeyIAMMember")}
    assert members
    assert not [member for member in members if "aiprod-" in member]


def test_vendor_secrets_are_read_by_the_pipeline_and_the_database_password_by_nobody(
    build: Build, recorder: Recorder
) -> None:
    made(build, recorder, settings("prod"))
    readers: dict[str, set[str]] = {}
    for grant in recorder.of_type("SecretIamMember"):
        account = grant.inputs["member"].removeprefix("serviceAccount:").partition("@")[0]
        readers.setdefault(grant.inputs["secretId"], set()).add(account)
    assert readers == {
        vendor: {"aiprod-worker", "aiprod-batch"} for vendor in settings("prod").secrets.vendor
    }


def test_secrets_rotate_sooner_than_every_90_days(build: Build, recorder: Recorder) -> None:
    made(build, recorder, settings("prod"))
    periods = {
        r.inputs["secretId"]: int(r.inputs["rotation"]["rotationPeriod"].removesuffix("s")) / 86_400
        for r in recorder.of_type("secret:Secret")
    }
    assert periods.pop("aiprod-database-password") == 30
    assert set(periods.values()) == {60}


def test_a_secret_waits_for_its_topic_and_keys(build: Build, recorder: Recorder) -> None:
    made(build, recorder, settings("prod"))
    # The component waits, and its children wait for it.
    waits = " ".join(recorder.one("aiprod:foundation:Secret", "suno-api-key").dependencies)
    assert "rotation-agent" in waits
    assert "keys-europe-west1-secrets-secretmanager" in waits
    assert "keys-europe-west4-secrets-secretmanager" in waits


@pytest.mark.parametrize(("stack", "protected"), [("dev", False), ("staging", True), ("prod", True)])
def test_one_switch_protects_everything_but_keys_which_always_are(
    build: Build, recorder: Recorder, stack: str, protected: bool
) -> None:
    made(build, recorder, settings(stack))
    kept = {r.type for r in recorder.resources if r.protect}
    keys = {"gcp:kms/keyRing:KeyRing", "gcp:kms/cryptoKey:CryptoKey"}
    others = {
        "gcp:secretmanager/secret:Secret",
        "gcp:compute/address:Address",
        "gcp:artifactregistry/repository:Repository",
    }
    assert kept == (keys | others if protected else keys)


@given(
    st.integers(min_value=0, max_value=2**32).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    st.integers(min_value=3_600, max_value=7_776_000),
)
def test_a_rotation_is_due_in_the_future_and_at_most_a_day_late(now: datetime, period: int) -> None:
    due = datetime.fromisoformat(next_rotation_time(now, period))
    assert timedelta(seconds=period) < due - now <= timedelta(seconds=period, days=1)
