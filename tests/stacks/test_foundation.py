"""The first layer, wired as each environment says."""

from __future__ import annotations

import pytest

from config import Settings
from naming import Names
from stacks.delivery import delivery
from stacks.foundation import Foundation, foundation
from stacks.providers import make_providers
from stacks.runtimes import standing
from tests.recording import Build, Recorder
from tests.stack_files import ROOT, STACKS, lookups, settings


def made(build: Build, recorder: Recorder, found: Settings) -> Foundation:
    """The foundation and the image repository of one environment."""
    recorder.invokes.update(lookups())
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
        "aiprod-migration",
        "aiprod-rotator",
        "aiprod-age-watch",
        "aiprod-scaler",
        "aiprod-replay",
        "aiprod-verifier",
        "aiprod-healer",
        "aiprod-notifier",
        "aiprod-drill",
        "aiprod-grafana",
        "aiprod-scheduler",
        "aiprod-pubsub-push",
        "aiprod-function-builder",
    }
    roles = {r.inputs["role"] for r in recorder.of_type("projects/iAMMember:IAMMember")}
    assert roles == {
        "roles/cloudsql.client",
        "roles/cloudsql.instanceUser",
        "roles/cloudtrace.agent",
        "roles/logging.logWriter",
        "roles/monitoring.metricWriter",
    }


@pytest.mark.parametrize("stack", STACKS)
def test_only_a_runtime_that_stands_holds_a_grant(build: Build, recorder: Recorder, stack: str) -> None:
    found = settings(stack).model_copy(update={"deployed_by": "github"})
    made(build, recorder, found)
    members = {
        str(r.inputs["member"]) for r in recorder.resources if r.type.endswith(("IAMMember", "IamMember"))
    }
    holders = {
        member.partition(":aiprod-")[2].partition("@")[0] for member in members if ":aiprod-" in member
    }
    # The operations layer makes what these hold grants on.
    elsewhere = {"rotator", "age-watch", "scaler", "scheduler", "pubsub-push"}
    assert holders == standing(found) - elsewhere | {"deployer"}
    assert ("batch" in holders) == (found.workers.batch_scaling is not None)


@pytest.mark.parametrize("stack", STACKS)
def test_database_roles_are_held_to_the_platforms_own_instances(
    build: Build, recorder: Recorder, stack: str
) -> None:
    found = settings(stack)
    made(build, recorder, found)
    grants = [r for r in recorder.of_type("projects/iAMMember:IAMMember") if "cloudsql" in r.inputs["role"]]
    assert grants
    for grant in grants:
        expression = grant.inputs["condition"]["expression"]
        for name in (found.postgres.name, *found.postgres.replicas):
            assert f'"projects/{found.project_id}/instances/{name}"' in expression


@pytest.mark.parametrize("stack", STACKS)
def test_every_environment_has_every_key_in_both_regions(
    build: Build, recorder: Recorder, stack: str
) -> None:
    base = made(build, recorder, settings(stack))
    every = ["logs", "pubsub", "redis", "run", "secrets", "sql", "storage", "workflows"]
    assert {location: sorted(ring.key_ids) for location, ring in base.keys.items()} == {
        "europe-west1": every,
        "europe-west4": every,
        "europe": ["images"],
    }
    assert {r.inputs["name"] for r in recorder.of_type("KeyRing")} == {"aiprod-keyring"}
    assert "aiprod-secrets-key" in {r.inputs["name"] for r in recorder.of_type("CryptoKey")}


def test_dropping_replicas_and_the_second_api_removes_no_key(build: Build, recorder: Recorder) -> None:
    made(build, recorder, settings("prod"))
    before = recorder.names("CryptoKey")
    recorder.resources.clear()
    prod = settings("prod")
    made(
        build,
        recorder,
        prod.model_copy(
            update={
                "postgres": prod.postgres.model_copy(update={"replicas": {}}),
                "api": prod.api.model_copy(update={"second_region": None}),
            }
        ),
    )
    assert recorder.names("CryptoKey") == before


def test_moving_the_second_region_keeps_every_ring_and_key(build: Build, recorder: Recorder) -> None:
    prod = settings("prod")
    made(build, recorder, prod)
    before = {*recorder.names("KeyRing"), *recorder.names("CryptoKey")}
    recorder.resources.clear()
    keys = prod.keys.model_copy(update={"regions": (*prod.keys.regions, "europe-west3")})
    postgres = prod.postgres.model_copy(update={"replicas": {}})
    moved = {"second_region": "europe-west3", "keys": keys, "postgres": postgres}
    base = made(build, recorder, prod.model_copy(update=moved))
    assert before < {*recorder.names("KeyRing"), *recorder.names("CryptoKey")}
    assert list(base.keys) == ["europe-west1", "europe-west4", "europe-west3", "europe"]


@pytest.mark.parametrize("stack", STACKS)
def test_what_operates_the_platform_has_a_subnet_and_a_way_out_of_its_own(
    build: Build, recorder: Recorder, stack: str
) -> None:
    base = made(build, recorder, settings(stack))
    assert "operations-europe-west1" in base.network.subnet_ids
    nat = next(r for r in recorder.of_type("RouterNat") if r.inputs["region"] == "europe-west1")
    assert len(nat.inputs["subnetworks"]) == 2


@pytest.mark.parametrize("stack", ["dev", "staging"])
def test_smaller_environments_have_no_network_in_the_second_region(
    build: Build, recorder: Recorder, stack: str
) -> None:
    base = made(build, recorder, settings(stack))
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
        if grant.inputs["role"] != "roles/secretmanager.secretAccessor":
            continue
        account = grant.inputs["member"].removeprefix("serviceAccount:").partition("@")[0]
        readers.setdefault(grant.inputs["secretId"], set()).add(account)
    assert readers == {
        vendor: {"aiprod-worker", "aiprod-batch"} for vendor in settings("prod").secrets.vendor
    }


def test_operators_add_vendors_keys_and_ask_for_rotations_and_read_nothing(
    build: Build, recorder: Recorder
) -> None:
    made(build, recorder, settings("prod"))
    (operator,) = settings("prod").secrets.operators
    held = {
        (r.inputs.get("secretId", "topic"), r.inputs["role"])
        for r in recorder.resources
        if r.inputs.get("member") == f"group:{operator}"
    }
    assert held == {("topic", "roles/pubsub.publisher")} | {
        (vendor, "roles/secretmanager.secretVersionAdder") for vendor in settings("prod").secrets.vendor
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
    others = {"gcp:secretmanager/secret:Secret", "gcp:compute/address:Address"}
    if stack == "prod":
        others.add("gcp:artifactregistry/repository:Repository")
    assert kept == (keys | others if protected else keys)


def test_the_same_configuration_gives_the_same_first_rotation_on_any_day(
    build: Build, recorder: Recorder
) -> None:
    made(build, recorder, settings("prod"))
    secrets = recorder.of_type("secret:Secret")
    assert {r.inputs["rotation"]["nextRotationTime"] for r in secrets} == {"2099-01-01T00:00:00Z"}
    assert {"rotation.nextRotationTime"} <= set(secrets[0].ignore_changes)
    for path in ("stacks", "components"):
        for file in (ROOT / path).rglob("*.py"):
            assert ".now(" not in file.read_text(encoding="utf-8"), file


def test_the_api_alone_signs_urls_and_only_as_itself(build: Build, recorder: Recorder) -> None:
    made(build, recorder, settings("prod"))
    grant = recorder.one("gcp:serviceaccount/iAMMember:IAMMember", "api-signs-urls")
    assert grant.inputs["role"] == "roles/iam.serviceAccountTokenCreator"
    assert grant.inputs["member"].startswith("serviceAccount:aiprod-api@")
    assert "aiprod-api@" in grant.inputs["serviceAccountId"]


@pytest.mark.parametrize("stack", STACKS)
def test_the_deployer_acts_as_each_runtime_that_stands_where_github_deploys(
    build: Build, recorder: Recorder, stack: str
) -> None:
    found = settings(stack)
    made(build, recorder, found.model_copy(update={"deployed_by": "github"}))
    held = {
        str(r.inputs["serviceAccountId"]).partition("/aiprod-")[2].partition("@")[0]: str(r.inputs["member"])
        for r in recorder.of_type("serviceaccount/iAMMember:IAMMember")
        if r.inputs["role"] == "roles/iam.serviceAccountUser"
    }
    address = f"serviceAccount:aiprod-deployer@{found.project_id}.iam.gserviceaccount.com"
    assert held == dict.fromkeys(standing(found), address)


def test_people_who_deploy_are_granted_nothing_here(build: Build, recorder: Recorder) -> None:
    made(build, recorder, settings("prod").model_copy(update={"deployed_by": "people"}))
    assert recorder.names("serviceaccount/iAMMember:IAMMember") == ["api-signs-urls"]


def test_egress_addresses_have_their_names(build: Build, recorder: Recorder) -> None:
    found = settings("dev")
    network = found.network.model_copy(update={"egress_addresses": ("b", "second")})
    made(build, recorder, found.model_copy(update={"network": network}))
    assert recorder.names("address:Address") == ["egress-europe-west1-b", "egress-europe-west1-second"]


def test_one_project_has_the_images_and_the_others_read_them(build: Build, recorder: Recorder) -> None:
    made(build, recorder, settings("prod"))
    assert recorder.one("artifactregistry/repository:Repository", "images").inputs["repositoryId"] == "aiprod"
    grants = recorder.of_type("artifactregistry/repositoryIamMember:RepositoryIamMember")
    agent, deployer = "@serverless-robot-prod.iam.gserviceaccount.com", "serviceAccount:aiprod-deployer@"
    assert {(r.inputs["role"], r.inputs["member"]) for r in grants} == {
        ("roles/artifactregistry.reader", f"serviceAccount:service-111111111111{agent}"),
        ("roles/artifactregistry.reader", f"serviceAccount:service-222222222222{agent}"),
        ("roles/artifactregistry.reader", f"{deployer}aiprod-example-dev.iam.gserviceaccount.com"),
        ("roles/artifactregistry.reader", f"{deployer}aiprod-example-staging.iam.gserviceaccount.com"),
        # Who promotes in any environment, once, to see whether a digest has a tag.
        ("roles/artifactregistry.reader", "group:promoters@example.com"),
        ("roles/artifactregistry.reader", "group:promoters-above@example.com"),
    }
    own = [r.name for r in grants if r.name.startswith("images-") and "-at-" in r.name]
    assert own == ["images-reader-promoters-at-example.com", "images-reader-promoters-above-at-example.com"]


@pytest.mark.parametrize("stack", ["dev", "staging"])
def test_where_the_images_are_elsewhere_no_repository_is_made(
    build: Build, recorder: Recorder, stack: str
) -> None:
    made(build, recorder, settings(stack))
    assert recorder.of_type("artifactregistry/repository:Repository") == []
