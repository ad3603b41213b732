from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.delivery.deploy_identity import DeployIdentity, DeployIdentityArgs
from tests.recording import Build, Recorder

SUBJECT = (
    "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/github/subject/1::prod"
)
RING = "projects/project/locations/europe-west1/keyRings/aiprod-state-keyring"


def example_args(**changes: Any) -> DeployIdentityArgs:
    args = DeployIdentityArgs(
        project_id="project",
        account_id="aiprod-deployer",
        subject=SUBJECT,
        grantable_roles=frozenset({"roles/logging.logWriter", "roles/cloudsql.client"}),
        key_rings_apart=RING,
    )
    return replace(args, **changes)


def roles(recorder: Recorder) -> dict[str, str]:
    found: dict[str, str] = {}
    for grant in recorder.of_type("gcp:projects/iAMMember:IAMMember"):
        condition: dict[str, str] = grant.inputs.get("condition") or {}
        found[grant.inputs["role"]] = condition.get("expression", "")
    return found


def test_one_subject_logs_in_and_nobody_holds_a_key(build: Build, recorder: Recorder) -> None:
    build(lambda: DeployIdentity("deployer", example_args()))
    login = recorder.one("gcp:serviceaccount/iAMMember:IAMMember").inputs
    assert (login["role"], login["member"]) == ("roles/iam.workloadIdentityUser", SUBJECT)
    assert recorder.of_type("serviceaccount/key:Key") == []


def test_it_grants_only_the_roles_of_its_list(build: Build, recorder: Recorder) -> None:
    build(lambda: DeployIdentity("deployer", example_args()))
    assert roles(recorder)["roles/resourcemanager.projectIamAdmin"] == (
        "api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', [])"
        ".hasOnly(['roles/cloudsql.client', 'roles/logging.logWriter'])"
    )


def test_it_does_not_administer_the_keys_that_it_uses(build: Build, recorder: Recorder) -> None:
    build(lambda: DeployIdentity("deployer", example_args()))
    assert roles(recorder)["roles/cloudkms.admin"] == f"!resource.name.startsWith('{RING}')"


def test_no_basic_role_and_only_two_grants_change_policies_of_the_project(
    build: Build, recorder: Recorder
) -> None:
    build(lambda: DeployIdentity("deployer", example_args()))
    held = roles(recorder)
    assert not {"roles/owner", "roles/editor", "roles/viewer", "roles/iam.roleAdmin"} & set(held)
    assert {role for role, condition in held.items() if condition} == {
        "roles/cloudkms.admin",
        "roles/resourcemanager.projectIamAdmin",
    }


def test_the_projects_own_roles_are_granted_and_never_written(build: Build, recorder: Recorder) -> None:
    build(lambda: DeployIdentity("deployer", example_args(custom_roles=frozenset({"own"}))))
    held = roles(recorder)
    (own,) = (
        grant.inputs["condition"]["expression"]
        for grant in recorder.of_type("gcp:projects/iAMMember:IAMMember")
        if grant.name == "deployer-grants-own"
    )
    assert own.endswith(".hasOnly(['projects/project/roles/own'])")
    assert not {role for role in held if "role" in role.removeprefix("roles/").lower()}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"grantable_roles": frozenset(f"roles/a.r{number}" for number in range(11))},
            "grantable_roles must be 1 to 10, since Google takes no more in one condition, got 11",
        ),
        (
            {"custom_roles": frozenset(f"own_{number}" for number in range(11))},
            "custom_roles must be 0 to 10, since Google takes no more in one condition, got 11",
        ),
        ({"grantable_roles": frozenset[str]()}, "got 0"),
        ({"grantable_roles": frozenset({"roles/run.admin"})}, "administer nothing, got 'roles/run.admin'"),
        ({"grantable_roles": frozenset({"roles/owner"})}, "administer nothing, got 'roles/owner'"),
        ({"grantable_roles": frozenset({"run.invoker"})}, "must be predefined roles"),
        ({"key_rings_apart": "aiprod-state"}, "must be a full resource name"),
    ],
)
def test_fails_when_the_limit_would_not_hold(changes: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        example_args(**changes)
