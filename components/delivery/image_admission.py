"""What may run: images that an attestor of this project vouches for, and paths that need nobody's word.

Makes the project's one policy of Binary Authorization and its attestors, each with a note and a signing key
that never leaves Cloud KMS, in a ring that stands. Signs nothing and verifies nothing. A workload asks the
policy only where it says so. Who promotes signs as every attestor; who promotes from here into the next
environment reads what `verified` vouches for. Deleting this puts Google's own policy back, which admits
everything; a key stays, since Google never deletes one. Another signing key is another version by hand and a
change here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_gcp as gcp

from components.foundation.own_roles import OwnRole, make_role
from facts.names import check_name
from facts.refusal import RefusedError

__all__ = ["PROMOTION_ROLE", "ImageAdmission", "ImageAdmissionArgs"]

PROMOTION_ROLE = OwnRole(
    title="Promotion: attestations",
    description="Creates an attestation, which a note and a key admit, and sees what runs; on projects only",
    permissions=(
        "containeranalysis.occurrences.create",
        "run.jobs.list",
        "run.services.list",
        "run.workerpools.list",
    ),
)

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
    # Id of the role like PROMOTION_ROLE that it makes for promoters, where `role` names none.
    role_id: str
    # HOST/PROJECT/REPOSITORY: everything below is admitted.
    admitted_paths: tuple[str, ...] = ()
    # Who may sign as every attestor and read what it vouches for. Key -> IAM member; the key names grants.
    promoters: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    # Who may read alone. Attestor -> such members.
    readers: Mapping[str, Mapping[str, pulumi.Input[str]]] = field(
        default_factory=dict[str, Mapping[str, pulumi.Input[str]]]
    )
    # Full name of a role like PROMOTION_ROLE that stands.
    role: pulumi.Input[str] | None = None

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
        for attestor in self.readers:
            if attestor not in self.attestors:
                raise RefusedError(
                    f"readers must name one of attestors, {', '.join(self.attestors)}, got {attestor!r}; "
                    "correct it"
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
        if args.promoters:
            self._let_attest(name, args)
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
        for promoter, member in args.promoters.items():
            gcp.kms.CryptoKeyIAMMember(
                f"{name}-key-{promoter}",
                crypto_key_id=key.id,
                role="roles/cloudkms.signerVerifier",
                member=member,
                opts=own,
            )
            gcp.containeranalysis.NoteIamMember(
                f"{name}-note-{promoter}",
                project=args.project_id,
                note=note.name,
                role="roles/containeranalysis.notes.attacher",
                member=member,
                opts=own,
            )
        for reader, member in {**args.readers.get(attestor, {}), **args.promoters}.items():
            gcp.binaryauthorization.AttestorIamMember(
                f"{name}-reads-{reader}",
                project=args.project_id,
                attestor=made.name,
                role="roles/binaryauthorization.attestorsViewer",
                member=member,
                opts=own,
            )
            gcp.containeranalysis.NoteIamMember(
                f"{name}-lists-{reader}",
                project=args.project_id,
                note=note.name,
                role="roles/containeranalysis.notes.occurrences.viewer",
                member=member,
                opts=own,
            )
        return made.id

    def _let_attest(self, name: str, args: ImageAdmissionArgs) -> None:
        own = pulumi.ResourceOptions(parent=self)
        role = args.role or make_role(f"{name}-attests", args.project_id, args.role_id, PROMOTION_ROLE, own)
        for promoter, member in args.promoters.items():
            gcp.projects.IAMMember(
                f"{name}-attests-{promoter}", project=args.project_id, role=role, member=member, opts=own
            )
