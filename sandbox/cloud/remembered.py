"""What Google remembers of deleted resources, and for how long.

The cloud has no clock: within one world nothing of it runs out.
"""

from __future__ import annotations

from typing import Final

__all__ = ["REMEMBERED"]

REMEMBERED: Final[dict[str, str]] = {
    "gcp:cloudtasks/queue:Queue": "the name of a deleted queue is blocked for about 7 days",
    "gcp:iam/workloadIdentityPool:WorkloadIdentityPool": "a deleted pool keeps its id for 30 days",
    "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider": (
        "a deleted provider keeps its id for 30 days"
    ),
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": "a deleted log bucket is kept for 7 days",
    "gcp:organizations/project:Project": "a project id is never given twice",
    "gcp:projects/apiKey:ApiKey": "a deleted key keeps its id for 30 days",
    "gcp:serviceaccount/account:Account": "a deleted account can be brought back for 30 days",
}
"""An account's address may be used again at once: it is remembered, and refuses nothing.

Not here: Cloud SQL instances, whose names can be reused at once (Google Cloud documentation: delete
instances), and custom roles, which the provider brings back within seven days (its documentation of
``google_project_iam_custom_role``).
"""
