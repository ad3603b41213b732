"""Which attestors each environment has, whose word admits there, and who asks."""

from __future__ import annotations

from typing import Any

import pytest

from config import parse
from naming import Names
from stacks.delivery import admission
from stacks.foundation import foundation
from stacks.providers import make_providers
from tests.recording import Build, Recorder
from tests.stack_files import values
from tests.stacks.test_foundation import LOOKUPS

VERSION = "gcp:kms/getKMSCryptoKeyVersion:getKMSCryptoKeyVersion"


def made(build: Build, recorder: Recorder, stack: str, **changes: Any) -> None:
    recorder.invokes.update(LOOKUPS)
    recorder.invokes[VERSION] = {"id": "//cloudkms.googleapis.com/v1/k", "publicKeys": [{"pem": "PEM"}]}
    found = parse(values(stack) | {"admission": {"mode": "enforced"}} | changes)
    names = Names(system="aiprod", environment=found.environment, project_id=found.project_id)

    def layers() -> None:
        providers = make_providers(found)
        admission(found, names, providers, foundation(found, names, providers))

    build(layers)


@pytest.mark.parametrize(
    ("stack", "attestors", "admits"),
    [
        ("dev", {"verified-dev"}, "verified-dev"),
        ("staging", {"verified-staging", "promoted-staging"}, "promoted-staging"),
        ("prod", {"promoted-prod"}, "promoted-prod"),
    ],
)
def test_each_environment_admits_what_was_promoted_into_it(
    build: Build, recorder: Recorder, stack: str, attestors: set[str], admits: str
) -> None:
    made(build, recorder, stack)
    assert {r.inputs["name"] for r in recorder.of_type("attestor:Attestor")} == attestors
    (policy,) = recorder.of_type("binaryauthorization/policy:Policy")
    assert policy.inputs["defaultAdmissionRule"]["requireAttestationsBies"] == [
        f"image-admission-{admits}-id"
    ]
    project = policy.inputs["project"]
    assert policy.inputs["admissionWhitelistPatterns"] == [
        {"namePattern": f"europe-docker.pkg.dev/{project}/aiprod-functions/**"}
    ]
    signers = {r.inputs["member"] for r in recorder.of_type("noteIamMember:NoteIamMember")}
    assert signers == {f"serviceAccount:aiprod-deployer@{project}.iam.gserviceaccount.com"}


def test_nobody_signs_by_the_stack_where_people_deploy(build: Build, recorder: Recorder) -> None:
    made(build, recorder, "staging", deployed_by="people")
    assert recorder.of_type("noteIamMember:NoteIamMember") == []
