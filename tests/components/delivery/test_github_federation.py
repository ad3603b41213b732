from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.delivery.github_federation import GithubFederation, GithubFederationArgs
from tests.recording import Build, Recorder


def example_args(**changes: Any) -> GithubFederationArgs:
    args = GithubFederationArgs(
        project_id="project",
        repository_id="100",
        owner_id="200",
        environments=frozenset({"prod", "prod-drift"}),
    )
    return replace(args, **changes)


def test_only_numbers_the_branch_and_the_environments_are_believed(build: Build, recorder: Recorder) -> None:
    build(lambda: GithubFederation("github", example_args()))
    provider = recorder.one("gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider").inputs
    assert provider["attributeCondition"] == (
        "assertion.repository_owner_id == '200' && assertion.repository_id == '100' && "
        "assertion.ref == 'refs/heads/main' && assertion.environment in ['prod', 'prod-drift']"
    )
    assert provider["oidc"] == {"issuerUri": "https://token.actions.githubusercontent.com"}


def test_no_event_is_believed_nor_mapped(build: Build, recorder: Recorder) -> None:
    build(lambda: GithubFederation("github", example_args()))
    provider = recorder.one("gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider").inputs
    said = str(provider["attributeCondition"]) + str(provider["attributeMapping"])
    assert "event" not in said
    assert "pull" not in said


def test_each_environment_is_one_subject_with_the_repository(build: Build, recorder: Recorder) -> None:
    federation = build(lambda: GithubFederation("github", example_args()))
    mapping = recorder.one("WorkloadIdentityPoolProvider").inputs["attributeMapping"]
    assert mapping["google.subject"] == "assertion.repository_id + '::' + assertion.environment"
    assert set(federation.subjects) == {"prod", "prod-drift"}
    subject = build.resolve(federation.subjects["prod-drift"])
    assert subject.startswith("principal://iam.googleapis.com/")
    assert subject.endswith("/subject/100::prod-drift")


@pytest.mark.parametrize("field", ["repository_id", "owner_id"])
@given(value=st.text(max_size=30).filter(lambda text: not text.isdigit() or text.startswith("0")))
def test_fails_when_an_id_is_a_name(field: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"^{field} must be GitHub's number, since a name can be taken over"):
        example_args(**{field: value})


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"environments": frozenset[str]()}, "environments must name at least one"),
        ({"environments": frozenset({"Prod:1"})}, "environments must be lower-case letters"),
        ({"environments": frozenset({"e" * 130})}, "subject of at most 127 bytes"),
        ({"branch": "main' || true"}, "branch must be a plain branch name"),
    ],
)
def test_fails_when_environments_or_branch_cannot_be_compared(changes: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        example_args(**changes)
