from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.foundation.break_glass import BreakGlass, BreakGlassArgs
from tests.recording import Build, Recorder


def example_args(**changes: Any) -> BreakGlassArgs:
    args = BreakGlassArgs(
        project_id="project",
        organisation_id="300",
        environment="prod",
        requesters="on-call@example.com",
        approvers="platform@example.com",
        notify="security@example.com",
        runbook_base_url="https://example.com/runbooks",
        labels={"system": "aiprod"},
    )
    return replace(args, **changes)


def test_rights_need_a_reason_and_an_approval_and_end_by_themselves(build: Build, recorder: Recorder) -> None:
    build(lambda: BreakGlass("glass", example_args()))
    made = recorder.one("gcp:privilegedaccessmanager/entitlement:entitlement")
    inputs = made.inputs
    assert inputs["maxRequestDuration"] == "3600s"
    assert inputs["requesterJustificationConfig"] == {"unstructured": {}}
    approvals = inputs["approvalWorkflow"]["manualApprovals"]
    assert approvals["requireApproverJustification"] is True
    assert approvals["steps"][0]["approvers"] == {"principals": ["group:platform@example.com"]}
    assert inputs["eligibleUsers"] == [{"principals": ["group:on-call@example.com"]}]
    roles = {each["role"] for each in inputs["privilegedAccess"]["gcpIamAccess"]["roleBindings"]}
    assert not {"roles/owner", "roles/editor", "roles/secretmanager.secretAccessor"} & roles
    agent = recorder.one("gcp:projects/iAMMember:IAMMember")
    assert agent.urn in made.dependencies
    assert agent.inputs["member"] == "serviceAccount:service-org-300@gcp-sa-pam.iam.gserviceaccount.com"


def test_an_activation_pages(build: Build, recorder: Recorder) -> None:
    build(lambda: BreakGlass("glass", example_args()))
    alert = recorder.one("gcp:monitoring/alertPolicy:AlertPolicy").inputs
    assert alert["severity"] == "CRITICAL"
    matched = alert["conditions"][0]["conditionMatchedLog"]["filter"]
    assert 'protoPayload.serviceName="privilegedaccessmanager.googleapis.com"' in matched
    assert "ActivateGrant" in matched


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"organisation_id": "example.com"}, "organisation_id must be the organisation's number"),
        ({"approvers": "on-call@example.com"}, "approvers must be another group than requesters"),
        ({"requesters": "group:a@example.com"}, "requesters must be a mail address"),
        ({"max_duration_seconds": 1_799}, "between 1800 and 14400 seconds, got 1799"),
        ({"max_duration_seconds": 14_401}, "between 1800 and 14400 seconds, got 14401"),
    ],
)
def test_fails_when_the_emergency_would_be_no_exception(changes: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        example_args(**changes)
