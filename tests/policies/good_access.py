"""Who gets in from outside, as it should be."""

from __future__ import annotations

from typing import Final

from policies.model import Resource
from tests.policies.builders import resource

__all__ = ["ACCESS", "DEPLOYER", "LIMIT", "STATE_RING"]

DEPLOYER: Final = "serviceAccount:deployer@p.iam.gserviceaccount.com"
STATE_RING: Final = "projects/p/locations/europe-west1/keyRings/state"
LIMIT: Final = (
    "api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly(['roles/logging.logWriter'])"
)

ACCESS: Final[tuple[Resource, ...]] = (
    resource(
        "projects/iAMMember:IAMMember",
        "deployer-grants",
        {
            "role": "roles/resourcemanager.projectIamAdmin",
            "member": DEPLOYER,
            "condition": {"title": "limit", "expression": LIMIT},
        },
    ),
    resource(
        "projects/iAMMember:IAMMember",
        "deployer-keys",
        {
            "role": "roles/cloudkms.admin",
            "member": DEPLOYER,
            "condition": {"title": "apart", "expression": f"!resource.name.startsWith('{STATE_RING}')"},
        },
    ),
    resource(
        "kms/cryptoKeyIAMMember:CryptoKeyIAMMember",
        "deployer-state",
        {
            "cryptoKeyId": f"{STATE_RING}/cryptoKeys/state",
            "role": "roles/cloudkms.cryptoKeyEncrypterDecrypter",
            "member": DEPLOYER,
        },
    ),
    resource(
        "privilegedaccessmanager/entitlement:entitlement",
        "break-glass",
        {
            "entitlementId": "break-glass",
            "location": "global",
            "maxRequestDuration": "3600s",
            "requesterJustificationConfig": {"unstructured": {}},
            "approvalWorkflow": {
                "manualApprovals": {"steps": [{"approvers": {"principals": ["group:a@aiprod.ai"]}}]}
            },
            "privilegedAccess": {"gcpIamAccess": {"roleBindings": [{"role": "roles/run.admin"}]}},
        },
    ),
    resource(
        "projects/defaultServiceAccounts:DefaultServiceAccounts",
        "default-accounts",
        {"action": "DEPRIVILEGE", "restorePolicy": "NONE"},
    ),
)
