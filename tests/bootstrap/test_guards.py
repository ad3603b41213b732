"""What bootstrap hands to each guard of the project, in every environment."""

from __future__ import annotations

from typing import Any

import pytest

from components.foundation.human_access import ROLES
from tests.bootstrap.deploying import FOLDER, deploy, inputs, written

STACKS = ["dev", "staging", "prod"]
GRANT = "gcp:projects/iAMMember:IAMMember"


@pytest.fixture(autouse=True)
def _own_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)


def only(stack: str, type: str) -> dict[str, Any]:
    [found] = inputs(deploy(stack), type)
    return found


@pytest.mark.parametrize("stack", STACKS)
def test_google_believes_this_repository_this_branch_and_two_environments(stack: str) -> None:
    provider = only(stack, "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider")
    assert provider["attributeCondition"] == (
        "assertion.repository_owner_id == '200000002' && assertion.repository_id == '100000001' && "
        f"assertion.ref == 'refs/heads/main' && assertion.environment in ['{stack}', '{stack}-drift']"
    )


def quoted(names: tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in names)


@pytest.mark.parametrize("stack", STACKS)
def test_the_deployer_may_grant_these_roles_and_no_more(stack: str) -> None:
    outcome = deploy(stack)
    project = outcome.outputs["deployer"].partition("@")[2].partition(".")[0]
    conditions = {
        grant["condition"]["expression"]
        for grant in inputs(outcome, GRANT)
        if "deployer@" in grant["member"] and "condition" in grant
    }
    own = (
        "age_watch",
        "office_hours",
        "promotion",
        "restore_drill_clones",
        "restore_drill_reads",
        "rotation_passwords",
        "scaler_metrics",
    )
    ours = tuple(f"projects/{project}/roles/aiprod_{name}" for name in own)
    googles = (
        "roles/cloudsql.client",
        "roles/cloudsql.instanceUser",
        "roles/cloudtrace.agent",
        "roles/logging.bucketWriter",
        "roles/logging.logWriter",
        "roles/monitoring.metricWriter",
    )
    # The state of prod lies in the second region, so that it remains when the first one is lost.
    region = "europe-west4" if stack == "prod" else "europe-west1"
    ring = f"projects/{project}/locations/{region}/keyRings/aiprod-state-keyring"
    assert conditions == {
        # Ten roles at most in one condition.
        *(
            f"api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly([{quoted(names)}])"
            for names in (ours, googles)
        ),
        f"!resource.name.startsWith('{ring}')",
    }


def test_the_project_is_guarded() -> None:
    accounts = only("prod", "gcp:projects/defaultServiceAccounts:DefaultServiceAccounts")
    assert (accounts["action"], accounts["restorePolicy"]) == ("DEPRIVILEGE", "NONE")
    lien = only("prod", "gcp:resourcemanager/lien:Lien")
    assert lien["restrictions"] == ["resourcemanager.projects.delete"]
    assert lien["parent"] == "projects/" + deploy("prod").outputs["project_number"]


def test_the_organisation_forbids_keys_and_more() -> None:
    assert only("prod", "gcp:iam/denyPolicy:DenyPolicy")["rules"][0]["denyRule"]["deniedPermissions"] == [
        "iam.googleapis.com/serviceAccountKeys.create",
        "iam.googleapis.com/serviceAccountKeys.upload",
    ]
    policies = {
        each["name"].rpartition("/")[2]: each["spec"]["rules"]
        for each in inputs(deploy("prod"), "gcp:orgpolicy/policy:Policy")
    }
    assert len(policies) == 10
    assert policies["sql.restrictPublicIp"] == [{"enforce": "TRUE"}]
    # The API is reached through the load balancer, what operates the platform from inside.
    allowed = policies["run.allowedIngress"][0]["values"]["allowedValues"]
    assert allowed == ["is:internal", "is:internal-and-cloud-load-balancing"]


def test_each_contact_hears_of_what_its_entry_says() -> None:
    contacts = inputs(deploy("prod"), "gcp:essentialcontacts/contact:Contact")
    assert {each["email"]: set(each["notificationCategorySubscriptions"]) for each in contacts} == {
        "platform@example.com": {"SECURITY", "SUSPENSION", "TECHNICAL"},
        "owner@example.com": {"BILLING", "LEGAL"},
    }


def test_each_group_of_people_holds_its_own_roles() -> None:
    grants = [each for each in inputs(deploy("prod"), GRANT) if each["member"].startswith("group:")]
    holders: dict[str, set[str]] = {}
    for grant in grants:
        holders.setdefault(grant["role"], set()).add(grant["member"])
        if grant["role"].startswith("roles/cloudsql."):
            assert (
                'startsWith("projects/aiprod-484120/instances/aiprod-postgres")'
                in (grant["condition"]["expression"])
            )
    for role in set(holders) | {role for roles in ROLES.values() for role in roles}:
        assert holders[role] == {f"group:{group}@example.com" for group in ROLES if role in ROLES[group]}


def test_the_way_out_is_asked_for_by_one_group_and_approved_by_another() -> None:
    entitlement = only("prod", "gcp:privilegedaccessmanager/entitlement:entitlement")
    assert entitlement["eligibleUsers"] == [{"principals": ["group:on-call@example.com"]}]
    [step] = entitlement["approvalWorkflow"]["manualApprovals"]["steps"]
    assert step["approvers"] == {"principals": ["group:platform@example.com"]}
    assert step["approverEmailRecipients"] == ["security@example.com"]
    assert entitlement["maxRequestDuration"] == "3600s"


def test_emergency_rights_end_when_the_stack_file_says() -> None:
    outcome = written("organisation.break_glass.max_duration_seconds", 5_400)
    [entitlement] = inputs(outcome, "gcp:privilegedaccessmanager/entitlement:entitlement")
    assert entitlement["maxRequestDuration"] == "5400s"


def test_the_state_has_one_key_and_its_bucket_another() -> None:
    outcome = deploy("prod")
    bucket = only("prod", "gcp:storage/bucket:Bucket")
    assert bucket["encryption"]["defaultKmsKeyName"].endswith("/aiprod-state-bucket-key")
    assert outcome.outputs["secrets_provider"].endswith("/aiprod-state-key")
    agents = {
        grant["cryptoKeyId"].rsplit("/", 1)[-1]
        for grant in inputs(outcome, "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember")
        if "gs-project-accounts" in grant["member"]
    }
    assert agents == {"aiprod-state-bucket-key"}


def test_the_owner_hears_of_what_is_spent() -> None:
    channels = inputs(deploy("prod"), "gcp:monitoring/notificationChannel:NotificationChannel")
    assert {each["labels"]["email_address"] for each in channels} == {
        "owner@example.com",
        "security@example.com",
    }
