"""Which attestors each environment has, whose word admits there, and who asks."""

from __future__ import annotations

from typing import Any

import pytest

from config import parse
from naming import Names
from review.attestations import promoted, verified
from stacks.delivery import admission
from stacks.foundation import foundation
from stacks.providers import make_providers
from tests.recording import Build, Recorder
from tests.stack_files import STACKS, lookups, settings, values


def made(build: Build, recorder: Recorder, stack: str, **changes: Any) -> None:
    recorder.invokes.update(lookups())
    found = parse(values(stack) | changes)
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


SIGN = (
    "roles/binaryauthorization.attestorsViewer",
    "roles/cloudkms.signerVerifier",
    "roles/containeranalysis.notes.attacher",
    "roles/containeranalysis.notes.occurrences.viewer",
)
READ = (SIGN[0], SIGN[3])
OURS, ABOVE = "group:promoters@example.com", "group:promoters-above@example.com"


@pytest.mark.parametrize(
    ("stack", "sign", "read"),
    [("dev", "verified", "verified"), ("staging", "verified promoted", "verified"), ("prod", "promoted", "")],
)
@pytest.mark.parametrize("deployed_by", ["github", "people"])
def test_promoters_sign_here_and_those_of_the_environment_above_read(
    build: Build, recorder: Recorder, stack: str, sign: str, read: str, deployed_by: str
) -> None:
    made(build, recorder, stack, deployed_by=deployed_by)
    grants = {
        (r.name.removeprefix("image-admission-").partition("-")[0], r.inputs["role"], r.inputs["member"])
        for r in recorder.resources
        if r.name.startswith("image-admission-") and r.type.endswith(("IamMember", "IAMMember"))
    }
    role = f"projects/{settings(stack).project_id}/roles/aiprod_promotion"
    assert {grant for grant in grants if grant[0] != "attests"} == {
        *((purpose, role, OURS) for purpose in sign.split() for role in SIGN),
        *((purpose, role, ABOVE) for purpose in read.split() for role in READ),
    }
    # Nobody but people signs: whatever deploys, also where there is a deployer.
    ((_, held, member),) = [grant for grant in grants if grant[0] == "attests"]
    assert member == OURS
    assert (held == role) is (deployed_by == "github")


@pytest.mark.parametrize(("source", "target"), [("dev", "staging"), ("staging", "prod")])
def test_promotion_finds_whom_it_asks_and_signs_as_in_the_stacks_as_they_are_declared(
    build: Build, recorder: Recorder, source: str, target: str
) -> None:
    lower, upper = (settings(stack).project_id for stack in (source, target))
    for stack in (source, target):
        made(build, recorder, stack)
    standing = {
        f"projects/{one.inputs['project']}/attestors/{one.inputs['name']}": one.inputs
        for one in recorder.of_type("attestor:Attestor")
    }
    for attestor in (verified(lower, source), promoted(upper, target)):
        # What `sign` reads: a key of Cloud KMS, named as it takes it.
        (key,) = standing[attestor.path]["attestationAuthorityNote"]["publicKeys"]
        assert key["id"].startswith("//cloudkms.googleapis.com/v1/")


@pytest.mark.parametrize("stack", STACKS)
def test_a_dry_run_blocks_nothing(build: Build, recorder: Recorder, stack: str) -> None:
    made(build, recorder, stack)
    (policy,) = recorder.of_type("binaryauthorization/policy:Policy")
    assert policy.inputs["defaultAdmissionRule"]["enforcementMode"] == "DRYRUN_AUDIT_LOG_ONLY"


@pytest.mark.parametrize(
    ("readers", "read"),
    [
        # A promoter reads anyway, and a grant stands once.
        (["promoters@example.com"], {OURS}),
        # Two groups of one name.
        (["promoters@example.org"], {OURS, "group:promoters@example.org"}),
    ],
)
def test_each_group_reads_once(build: Build, recorder: Recorder, readers: list[str], read: set[str]) -> None:
    chosen = {"mode": "dryrun", "promoters": ["promoters@example.com"], "readers": readers}
    made(build, recorder, "dev", admission=chosen)
    found = [r.inputs["member"] for r in recorder.of_type("attestorIamMember:AttestorIamMember")]
    assert (set(found), len(found)) == (read, len(read))


def test_nobody_signs_where_no_promoters_are_named(build: Build, recorder: Recorder) -> None:
    made(build, recorder, "staging", admission={"mode": "dryrun"})
    assert recorder.of_type("noteIamMember:NoteIamMember") == []
    signers = [r for r in recorder.resources if r.inputs.get("role") == "roles/cloudkms.signerVerifier"]
    assert signers == []
