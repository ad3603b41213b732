from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.delivery.image_admission import ImageAdmission, ImageAdmissionArgs
from tests.recording import Build, Recorder

VERSION = (
    "//cloudkms.googleapis.com/v1/projects/p/locations/europe/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1"
)
LOOKUPS: dict[str, dict[str, Any]] = {
    "gcp:kms/getKMSCryptoKeyVersion:getKMSCryptoKeyVersion": {
        "id": VERSION,
        "publicKeys": [{"algorithm": "EC_SIGN_P256_SHA256", "pem": "PEM"}],
    }
}

ATTESTORS = ("verified-staging", "promoted-staging")


def example_args(**changes: Any) -> ImageAdmissionArgs:
    args = ImageAdmissionArgs(
        project_id="project",
        key_ring="projects/project/locations/europe/keyRings/r",
        attestors={"verified-staging": "verified-key", "promoted-staging": "promoted-key"},
        required="promoted-staging",
        enforced=True,
        labels={"system": "aiprod"},
        admitted_paths=("europe-docker.pkg.dev/project/functions",),
        promoters={"promoters": "group:p@example.com"},
        readers={"verified-staging": {"above": "group:a@example.com"}},
        role_id="aiprod_promotion",
    )
    return replace(args, **changes)


def made(build: Build, recorder: Recorder, **changes: Any) -> ImageAdmission:
    recorder.invokes.update(LOOKUPS)
    return build(lambda: ImageAdmission("admission", example_args(**changes)))


@pytest.mark.parametrize(
    ("enforced", "mode"), [(True, "ENFORCED_BLOCK_AND_AUDIT_LOG"), (False, "DRYRUN_AUDIT_LOG_ONLY")]
)
def test_one_attestor_admits_and_the_rest_is_blocked_or_logged(
    build: Build, recorder: Recorder, enforced: bool, mode: str
) -> None:
    made(build, recorder, enforced=enforced)
    policy = recorder.one("Policy")
    assert policy.inputs["defaultAdmissionRule"] == {
        "evaluationMode": "REQUIRE_ATTESTATION",
        "enforcementMode": mode,
        "requireAttestationsBies": ["admission-promoted-staging-id"],
    }
    assert policy.inputs["admissionWhitelistPatterns"] == [
        {"namePattern": "europe-docker.pkg.dev/project/functions/**"}
    ]


def test_an_attestor_is_known_by_the_key_version_that_signs(build: Build, recorder: Recorder) -> None:
    made(build, recorder)
    attestor = recorder.one("attestor:Attestor", "admission-verified-staging")
    assert attestor.inputs["attestationAuthorityNote"]["noteReference"] == "verified-staging"
    assert attestor.inputs["attestationAuthorityNote"]["publicKeys"] == [
        {"id": VERSION, "pkixPublicKey": {"publicKeyPem": "PEM", "signatureAlgorithm": "ECDSA_P256_SHA256"}}
    ]


def test_keys_sign_only_and_are_never_lost(build: Build, recorder: Recorder) -> None:
    made(build, recorder)
    keys = recorder.of_type("cryptoKey:CryptoKey")
    assert [key.inputs["name"] for key in keys] == ["verified-key", "promoted-key"]
    for key in keys:
        assert (key.inputs["purpose"], key.protect) == ("ASYMMETRIC_SIGN", True)
        assert "rotationPeriod" not in key.inputs


def granted(recorder: Recorder) -> set[tuple[str, str, str]]:
    """Role, what it is on and who holds it."""
    grants = [r for r in recorder.resources if "IamMember" in r.type or "IAMMember" in r.type]
    found = [
        (
            r.inputs["role"],
            r.inputs.get("cryptoKeyId") or r.inputs.get("note") or r.inputs.get("attestor") or "project",
            r.inputs["member"],
        )
        for r in grants
    ]
    assert len(set(found)) == len(found)
    return set(found)


def signing(attestor: str) -> set[tuple[str, str]]:
    return {
        ("roles/cloudkms.signerVerifier", f"admission-{attestor}-key-id"),
        ("roles/containeranalysis.notes.attacher", attestor),
    }


def reads(attestor: str, member: str) -> set[tuple[str, str, str]]:
    return {
        ("roles/binaryauthorization.attestorsViewer", attestor, member),
        ("roles/containeranalysis.notes.occurrences.viewer", attestor, member),
    }


def test_promoters_sign_and_who_promotes_from_here_reads(build: Build, recorder: Recorder) -> None:
    made(build, recorder, role="projects/project/roles/aiprod_promotion")
    promoters, above = "group:p@example.com", "group:a@example.com"
    assert granted(recorder) == {
        *((role, on, promoters) for attestor in ATTESTORS for role, on in signing(attestor)),
        *(line for attestor in ATTESTORS for line in reads(attestor, promoters)),
        *reads("verified-staging", above),
        ("projects/project/roles/aiprod_promotion", "project", promoters),
    }
    assert recorder.of_type("IAMCustomRole") == []


def test_who_promotes_and_reads_is_granted_once(build: Build, recorder: Recorder) -> None:
    made(build, recorder, readers={"verified-staging": {"promoters": "group:p@example.com"}})
    assert reads("verified-staging", "group:p@example.com") <= granted(recorder)


def test_a_role_of_its_own_creates_attestations_and_sees_what_runs(build: Build, recorder: Recorder) -> None:
    made(build, recorder)
    role = recorder.one("IAMCustomRole")
    assert role.inputs["roleId"] == "aiprod_promotion"
    assert role.inputs["permissions"] == [
        "containeranalysis.occurrences.create",
        "run.jobs.list",
        "run.services.list",
        "run.workerpools.list",
    ]


def test_nobody_is_granted_anything_without_promoters(build: Build, recorder: Recorder) -> None:
    made(build, recorder, promoters={}, readers={})
    assert granted(recorder) == set()
    assert recorder.of_type("IAMCustomRole") == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"required": "other"}, "required must be one of attestors, verified-staging, promoted-staging"),
        (
            {"readers": {"verified-dev": {}}},
            "readers must name one of attestors, verified-staging, promoted-",
        ),
        ({"attestors": {}}, "required must be one of attestors, none"),
        ({"attestors": {"x": "key"}}, "attestors must be 6 to 40 lower-case letters"),
        ({"admitted_paths": ("europe-docker.pkg.dev/project",)}, "must be HOST/PROJECT/REPOSITORY"),
        ({"admitted_paths": ("europe-docker.pkg.dev/*/x",)}, "must be HOST/PROJECT/REPOSITORY"),
    ],
)
def test_fails_when_more_would_be_admitted_than_is_said(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        example_args(**changes)
