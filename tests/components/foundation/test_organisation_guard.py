from __future__ import annotations

from dataclasses import replace
from typing import Any

from components.foundation.organisation_guard import (
    ALLOWED,
    ENFORCED,
    OrganisationGuard,
    OrganisationGuardArgs,
)
from tests.recording import Build, Recorder


def example_args(**changes: Any) -> OrganisationGuardArgs:
    return replace(OrganisationGuardArgs(project_id="project"), **changes)


def test_nobody_can_make_a_key_whatever_they_are_granted(build: Build, recorder: Recorder) -> None:
    build(lambda: OrganisationGuard("organisation", example_args()))
    deny = recorder.one("gcp:iam/denyPolicy:DenyPolicy").inputs
    assert deny["parent"] == "cloudresourcemanager.googleapis.com%2Fprojects%2Fproject"
    rule = deny["rules"][0]["denyRule"]
    assert rule["deniedPrincipals"] == ["principalSet://goog/public:all"]
    assert "iam.googleapis.com/serviceAccountKeys.create" in rule["deniedPermissions"]
    assert "exceptionPrincipals" not in rule


def test_each_constraint_is_one_policy_on_the_project(build: Build, recorder: Recorder) -> None:
    build(lambda: OrganisationGuard("organisation", example_args()))
    policies = recorder.of_type("gcp:orgpolicy/policy:Policy")
    assert {each.inputs["name"] for each in policies} == {
        f"projects/project/policies/{constraint}" for constraint in (*ENFORCED, *ALLOWED)
    }
    assert {each.inputs["parent"] for each in policies} == {"projects/project"}
