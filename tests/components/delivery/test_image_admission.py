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


def example_args(**changes: Any) -> ImageAdmissionArgs:
    args = ImageAdmissionArgs(
        project_id="project",
        key_ring="projects/project/locations/europe/keyRings/r",
        attestors={"verified-staging": "verified-key", "promoted-staging": "promoted-key"},
        required="promoted-staging",
        enforced=True,
        labels={"system": "aiprod"},
        admitted_paths=("europe-docker.pkg.dev/project/functions",),
        signers={"deployer": "serviceAccount:d@example.com"},
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


def test_only_the_signers_sign_and_attach(build: Build, recorder: Recorder) -> None:
    made(build, recorder)
    grants = [r for r in recorder.resources if "IamMember" in r.type or "IAMMember" in r.type]
    assert {(r.name, r.inputs["role"], r.inputs["member"]) for r in grants} == {
        (f"admission-{attestor}-{kind}-deployer", role, "serviceAccount:d@example.com")
        for attestor in ("verified-staging", "promoted-staging")
        for kind, role in (
            ("key", "roles/cloudkms.signerVerifier"),
            ("note", "roles/containeranalysis.notes.attacher"),
        )
    }


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"required": "other"}, "required must be one of attestors, verified-staging, promoted-staging"),
        ({"attestors": {}}, "required must be one of attestors, none"),
        ({"attestors": {"x": "key"}}, "attestors must be 6 to 40 lower-case letters"),
        ({"admitted_paths": ("europe-docker.pkg.dev/project",)}, "must be HOST/PROJECT/REPOSITORY"),
        ({"admitted_paths": ("europe-docker.pkg.dev/*/x",)}, "must be HOST/PROJECT/REPOSITORY"),
    ],
)
def test_fails_when_more_would_be_admitted_than_is_said(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        example_args(**changes)
