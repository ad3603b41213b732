from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.delivery.drift_reader import PERMISSIONS, DriftReader, DriftReaderArgs
from tests.recording import Build, Recorder

SUBJECT = (
    "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/github/subject/1::d"
)


def example_args(**changes: Any) -> DriftReaderArgs:
    args = DriftReaderArgs(project_id="project", account_id="aiprod-drift-reader", subject=SUBJECT)
    return replace(args, **changes)


def test_it_reads_and_changes_nothing(build: Build, recorder: Recorder) -> None:
    build(lambda: DriftReader("drift", example_args()))
    role = recorder.one("gcp:projects/iAMCustomRole:IAMCustomRole").inputs
    verbs = {permission.rsplit(".", 1)[-1] for permission in role["permissions"]}
    assert verbs == {"get", "list", "getIamPolicy", "getAuthString", "use", "viewPublicKey"}
    assert [each for each in PERMISSIONS if each.endswith(".use")] == ["serviceusage.services.use"]
    assert "secretmanager.versions.access" not in PERMISSIONS
    assert len(recorder.of_type("gcp:projects/iAMMember:IAMMember")) == 1


def test_one_subject_logs_in(build: Build, recorder: Recorder) -> None:
    build(lambda: DriftReader("drift", example_args()))
    login = recorder.one("gcp:serviceaccount/iAMMember:IAMMember").inputs
    assert (login["role"], login["member"]) == ("roles/iam.workloadIdentityUser", SUBJECT)


def test_fails_when_the_account_id_is_not_what_google_accepts() -> None:
    with pytest.raises(ValueError, match="service account id name must"):
        example_args(account_id="d")
