"""What may run: images that an attestor of this project vouches for, and paths that need nobody's word.

Makes the project's one policy of Binary Authorization and its attestors, each with a note and a signing key
that never leaves Cloud KMS, in a ring that stands. Signs nothing and verifies nothing. A workload asks the
policy only where it says so. Deleting this puts Google's own policy back, which admits everything; a key
stays, since Google never deletes one. Another signing key is another version by hand and a change here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_gcp as gcp

from facts.names import check_name
from facts.refusal import RefusedError

__all__ = ["ImageAdmission", "ImageAdmissionArgs"]

_NAME = re.compile(r"[a-z][a-z0-9-]{4,38}[a-z0-9]")
# HOST/PROJECT/REPOSITORY, with more parts where there are some.
_PATH = re.compile(r"[a-z0-9.-]+(/[a-z0-9][a-z0-9._-]*){2,}")


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageAdmissionArgs:
    """One project's admission."""

    project_id: str
    # Full name of the key ring of the signing keys.
    key_ring: pulumi.Input[str]
    # Attestor -> name of its signing key. Names are part of what commands ask for, so a contract.
    attestors: Mapping[str, str]
    # The attestor whose word admits.
    required: str
    # False: what would be blocked runs, and is written to the audit log.
    enforced: bool
    labels: Mapping[str, str]
    # HOST/PROJECT/REPOSITORY: everything below is admitted.
    admitted_paths: tuple[str, ...] = ()
    # Who may sign as every attestor. Key -> IAM member; the key names the grants.
    signers: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])

    def __post_init__(self) -> None:
        for attestor, key in self.attestors.items():
            if _NAME.fullmatch(attestor) is None:
                raise RefusedError(
                    "attestors must be 6 to 40 lower-case letters, digits and hyphens, a letter first, got "
                    f"{attestor!r}; rename it"
                )
            check_name("key", key)
        if self.required not in self.attestors:
            raise RefusedError(
                f"required must be one of attestors, {', '.join(self.attestors) or 'none'}, got "
                f"{self.required!r}; correct it"
            )
        for path in self.admitted_paths:
            if _PATH.fullmatch(path) is None:
                raise RefusedError(
                    f"admitted_paths must be HOST/PROJECT/REPOSITORY without a wildcard, got {path!r}; a "
                    "wider one would admit what nobody attested"
                )


class ImageAdmission(pulumi.ComponentResource):
    """The policy and the attestors of one project."""

    # Full names, by attestor.
    attestor_ids: Mapping[str, pulumi.Output[str]]

    def __init__(
        self, name: str, args: ImageAdmissionArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("aiprod:delivery:ImageAdmission", name, None, opts)
        self.attestor_ids = {
            attestor: self._attestor(f"{name}-{attestor}", attestor, key, args)
            for attestor, key in args.attestors.items()
        }
        gcp.binaryauthorization.Policy(
            name,
            project=args.project_id,
            # Google's own system images, which no attestor of ours could know.
            global_policy_evaluation_mode="ENABLE",
            admission_whitelist_patterns=[{"name_pattern": f"{path}/**"} for path in args.admitted_paths],
            default_admission_rule={
                "evaluation_mode": "REQUIRE_ATTESTATION",
                "enforcement_mode": (
                    "ENFORCED_BLOCK_AND_AUDIT_LOG" if args.enforced else "DRYRUN_AUDIT_LOG_ONLY"
                ),
                "require_attestations_bies": [self.attestor_ids[args.required]],
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({"attestor_ids": self.attestor_ids})

    def _attestor(
        self, name: str, attestor: str, key_name: str, args: ImageAdmissionArgs
    ) -> pulumi.Output[str]:
        own = pulumi.ResourceOptions(parent=self)
        key = gcp.kms.CryptoKey(
            f"{name}-key",
            name=key_name,
            key_ring=args.key_ring,
            purpose="ASYMMETRIC_SIGN",
            version_template={"algorithm": "EC_SIGN_P256_SHA256", "protection_level": "SOFTWARE"},
            deletion_policy="PREVENT",
            labels=dict(args.labels),
            opts=pulumi.ResourceOptions(parent=self, protect=True),
        )
        version = gcp.kms.get_kms_crypto_key_version_output(
            crypto_key=key.id, version=1, opts=pulumi.InvokeOutputOptions(parent=self)
        )
        note = gcp.containeranalysis.Note(
            f"{name}-note",
            project=args.project_id,
            name=attestor,
            attestation_authority={"hint": {"human_readable_name": attestor}},
            opts=own,
        )
        made = gcp.binaryauthorization.Attestor(
            name,
            project=args.project_id,
            name=attestor,
            attestation_authority_note={
                "note_reference": note.name,
                "public_keys": [
                    {
                        "id": version.id,
                        "pkix_public_key": {
                            "public_key_pem": version.public_keys[0].pem,
                            "signature_algorithm": "ECDSA_P256_SHA256",
                        },
                    }
                ],
            },
            opts=own,
        )
        for signer, member in args.signers.items():
            gcp.kms.CryptoKeyIAMMember(
                f"{name}-key-{signer}",
                crypto_key_id=key.id,
                role="roles/cloudkms.signerVerifier",
                member=member,
                opts=own,
            )
            gcp.containeranalysis.NoteIamMember(
                f"{name}-note-{signer}",
                project=args.project_id,
                note=note.name,
                role="roles/containeranalysis.notes.attacher",
                member=member,
                opts=own,
            )
        return made.id
