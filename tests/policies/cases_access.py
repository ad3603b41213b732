"""For every rule about who gets in from outside, what violates it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from tests.policies.changes import Case, each, one
from tests.policies.good import absent
from tests.policies.good_access import LIMIT

__all__ = ["ACCESS"]

_IDS: Final = "assertion.repository_id == '1' && assertion.repository_owner_id == '2'"
_POOL: Final = "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/g"
_ELEVEN: Final = ", ".join(f"'roles/a.r{number}'" for number in range(11))

ACCESS: Mapping[str, Sequence[Case]] = {
    "iam-federation-environment": each(
        "github",
        "attributeCondition",
        _IDS,
        f"{_IDS} && assertion.event_name == 'pull_request'",
        f"{_IDS} && assertion.environment == 'prod' || assertion.event_name == 'push'",
        "assertion.repository_owner_id == '2' && assertion.environment == 'prod'",
        "assertion.repository_id == '1' && assertion.environment == 'prod'",
    ),
    "iam-federation-one-login": each(
        "deployer-login", "member", f"{_POOL}/*", f"{_POOL}/attribute.event_name/push"
    ),
    "iam-granting-limited": [
        one("deployer-grants", {"condition": absent}),
        *each(
            "deployer-grants",
            "condition.expression",
            "true",
            f"{LIMIT} || true",
            LIMIT.replace("'roles/logging.logWriter'", _ELEVEN),
            LIMIT.replace("'roles/logging.logWriter'", ""),
            LIMIT.replace("logging.logWriter", "run.admin"),
            LIMIT.replace("logging.logWriter", "owner"),
        ),
    ],
    "iam-break-glass": [
        *each("break-glass", "approvalWorkflow", absent),
        *each("break-glass", "approvalWorkflow.manualApprovals.steps", []),
        *each("break-glass", "requesterJustificationConfig", {"notMandatory": {}}),
        *each("break-glass", "maxRequestDuration", "14401s"),
        *each("break-glass", "privilegedAccess.gcpIamAccess.roleBindings.0.role", "roles/owner"),
    ],
    "iam-default-accounts-stripped": each("default-accounts", "restorePolicy", absent, "REVERT"),
}
