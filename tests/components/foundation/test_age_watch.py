"""The age watch: its clock, its rights, whom it spares."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from components.compute.source_function import DirectVpc
from components.foundation.age_watch import AgeWatch, AgeWatchArgs
from facts.refusal import RefusedError
from tests.components.compute.test_source_function import example_build
from tests.recording import Build, Recorder

ROOT = Path(__file__).parents[3]


def example_args() -> AgeWatchArgs:
    return AgeWatchArgs(
        project="p",
        location="europe-west1",
        service_name="age-watch",
        source=ROOT / "operations" / "age_watch",
        build=example_build(),
        service_account="watch@p.iam.gserviceaccount.com",
        member="serviceAccount:watch@p.iam.gserviceaccount.com",
        scheduler="clock@p.iam.gserviceaccount.com",
        scheduler_member="serviceAccount:clock@p.iam.gserviceaccount.com",
        role_id="age_watch",
        kms_key="projects/p/locations/europe-west1/keyRings/k/cryptoKeys/run",
        vpc=DirectVpc(network="n", subnetwork="s"),
        labels={"component": "age-watch"},
        exceptions={"cache-auth": "2027-05-31"},
    )


def test_lists_secrets_and_versions_and_reads_no_value(build: Build, recorder: Recorder) -> None:
    build(lambda: AgeWatch("age-watch", example_args()))
    role = recorder.one("gcp:projects/iAMCustomRole:IAMCustomRole")
    assert role.inputs["permissions"] == ["secretmanager.secrets.list", "secretmanager.versions.list"]
    grant = recorder.one("gcp:projects/iAMMember:IAMMember")
    assert grant.inputs["member"] == "serviceAccount:watch@p.iam.gserviceaccount.com"


def test_is_called_once_a_day_as_the_scheduler(build: Build, recorder: Recorder) -> None:
    build(lambda: AgeWatch("age-watch", example_args()))
    job = recorder.one("gcp:cloudscheduler/job:Job").inputs
    assert job["schedule"] == "17 5 * * *"
    target = job["httpTarget"]
    assert target["oidcToken"] == {
        "serviceAccountEmail": "clock@p.iam.gserviceaccount.com",
        "audience": target["uri"],
    }
    invoker = recorder.one("gcp:cloudrunv2/serviceIamMember:ServiceIamMember")
    assert invoker.inputs["member"] == "serviceAccount:clock@p.iam.gserviceaccount.com"


def test_hands_its_exceptions_to_the_function(build: Build, recorder: Recorder) -> None:
    build(lambda: AgeWatch("age-watch", example_args()))
    container = recorder.one("gcp:cloudrunv2/service:Service").inputs["template"]["containers"][0]
    variables = {one["name"]: one["value"] for one in container["envs"]}
    assert variables["AGE_WATCH_PROJECT"] == "p"
    assert json.loads(variables["AGE_WATCH_EXCEPTIONS"]) == {"cache-auth": "2027-05-31"}


@pytest.mark.parametrize("until", ["31.05.2027", "2027-02-30", "forever", ""])
def test_fails_when_an_exception_has_no_end(until: str) -> None:
    with pytest.raises(RefusedError, match=r"exceptions\.cache-auth must be a day such as 2027-01-31"):
        replace(example_args(), exceptions={"cache-auth": until})
