from __future__ import annotations

from dataclasses import replace
from typing import Any

import pulumi_gcp as gcp
import pytest

from components.foundation.service_identity import ProjectRole, ServiceIdentity, ServiceIdentityArgs
from tests.recording import Build, Recorder


def example_args(**changes: Any) -> ServiceIdentityArgs:
    args = ServiceIdentityArgs(
        project_id="project",
        account_id="aiprod-api",
        display_name="API",
        project_roles=frozenset({"roles/logging.logWriter"}),
    )
    return replace(args, **changes)


def test_each_project_role_is_one_grant(build: Build, recorder: Recorder) -> None:
    roles: frozenset[ProjectRole] = frozenset({"roles/cloudtrace.agent", "roles/logging.logWriter"})
    build(lambda: ServiceIdentity("api", example_args(project_roles=roles)))
    assert {(r.name, r.inputs["role"]) for r in recorder.of_type("IAMMember")} == {
        ("api-cloudtrace-agent", "roles/cloudtrace.agent"),
        ("api-logging-logwriter", "roles/logging.logWriter"),
    }
    assert {r.inputs["member"] for r in recorder.of_type("IAMMember")} == {
        "serviceAccount:aiprod-api@project.iam.gserviceaccount.com"
    }


def test_a_database_login_is_held_to_the_named_instances(build: Build, recorder: Recorder) -> None:
    build(
        lambda: ServiceIdentity("api", example_args(project_roles=frozenset(), logs_in_to=("main", "copy")))
    )
    grants = recorder.of_type("IAMMember")
    assert {r.inputs["role"] for r in grants} == {"roles/cloudsql.client", "roles/cloudsql.instanceUser"}
    assert {r.inputs["condition"]["expression"] for r in grants} == {
        (
            'resource.type == "sqladmin.googleapis.com/Instance" && '
            '(resource.name == "projects/project/instances/main" || '
            'resource.name == "projects/project/instances/copy")'
        )
    }


def test_fails_when_a_condition_would_have_too_many_operators() -> None:
    with pytest.raises(ValueError, match="logs_in_to must name at most 12 instances, got 13"):
        example_args(logs_in_to=tuple(f"db-{number}" for number in range(13)))


def test_no_roles_means_no_grants_and_never_a_key(build: Build, recorder: Recorder) -> None:
    build(lambda: ServiceIdentity("api", example_args(project_roles=frozenset())))
    assert [r.type for r in recorder.resources if r.custom] == ["gcp:serviceaccount/account:Account"]


def test_signing_urls_is_a_grant_on_itself(build: Build, recorder: Recorder) -> None:
    build(lambda: ServiceIdentity("api", example_args(signs_urls=True)))
    grant = recorder.one("gcp:serviceaccount/iAMMember:IAMMember")
    account = recorder.one("gcp:serviceaccount/account:Account")
    assert grant.inputs["role"] == "roles/iam.serviceAccountTokenCreator"
    assert grant.inputs["member"] == "serviceAccount:aiprod-api@project.iam.gserviceaccount.com"
    assert account.urn in grant.dependencies


def test_whoever_takes_the_email_waits_for_the_deployers_grant(build: Build, recorder: Recorder) -> None:
    member = "serviceAccount:aiprod-deployer@project.iam.gserviceaccount.com"
    identity = build(lambda: ServiceIdentity("api", example_args(deployer=member)))
    grant = recorder.one("gcp:serviceaccount/iAMMember:IAMMember")
    assert (grant.inputs["role"], grant.inputs["member"]) == ("roles/iam.serviceAccountUser", member)
    assert build.resolve(identity.email) == "aiprod-api@project.iam.gserviceaccount.com"
    build(lambda: gcp.projects.IAMMember("user", project="p", role="roles/x", member=identity.email))
    assert grant.urn in recorder.one("gcp:projects/iAMMember:IAMMember", "user").dependencies


@pytest.mark.parametrize("member", ["aiprod-deployer", "aiprod-deployer@project.iam.gserviceaccount.com", ""])
def test_fails_when_the_deployer_is_no_member(member: str) -> None:
    with pytest.raises(ValueError, match="deployer must be written as serviceAccount:"):
        example_args(deployer=member)


def test_email_and_member_belong_together(build: Build) -> None:
    identity = build(lambda: ServiceIdentity("api", example_args()))
    assert build.resolve(identity.member) == f"serviceAccount:{build.resolve(identity.email)}"


@pytest.mark.parametrize("account_id", ["api", "a" * 31, "Aiprod-api", "aiprod-api-"])
def test_fails_when_the_account_id_is_not_what_google_accepts(account_id: str) -> None:
    with pytest.raises(ValueError, match="service account id name must"):
        example_args(account_id=account_id)


@pytest.mark.parametrize("role", ["roles/owner", "roles/cloudsql.client", "roles/editor"])
def test_fails_when_a_project_role_is_not_in_the_list(role: str) -> None:
    with pytest.raises(ValueError, match=f"got {role}; grant the role on the resource instead"):
        example_args(project_roles=frozenset({role}))
