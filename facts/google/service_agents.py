"""Service agents: the account with which a Google product works inside a project.

Only those are listed that this platform can meet. Primary ones come into being when somebody asks for them
with ``projects.ServiceIdentity``; a grant to one that does not exist yet is refused.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["PRIMARY", "agent_email", "service_of"]

_OWN_DOMAIN: Final[dict[str, str]] = {
    "cloudfunctions": "gcf-admin-robot",
    "cloudkms": "gcp-sa-ekms",
    "cloudtrace": "gcp-sa-cloud-trace",
    "containeranalysis": "container-analysis",
    "monitoring": "gcp-sa-monitoring-notification",
    "parametermanager": "gcp-sa-pm",
    "redis": "cloud-redis",
    "run": "serverless-robot-prod",
    "servicenetworking": "service-networking",
    "sqladmin": "gcp-sa-cloud-sql",
}
_USUAL_DOMAIN: Final = [
    "apikeys",
    "artifactregistry",
    "backupdr",
    "bigqueryconnection",
    "bigquerydatatransfer",
    "binaryauthorization",
    "certificatemanager",
    "cloudasset",
    "clouddeploy",
    "cloudscheduler",
    "cloudtasks",
    "config",
    "containerscanning",
    "dns",
    "eventarc",
    "iap",
    "memorystore",
    "networkconnectivity",
    "networksecurity",
    "observability",
    "ondemandscanning",
    "privateca",
    "pubsub",
    "secretmanager",
    "servicedirectory",
    "vpcaccess",
    "workflows",
]

PRIMARY: Final[dict[str, str]] = {
    **{service: f"gcp-sa-{service}" for service in _USUAL_DOMAIN},
    **_OWN_DOMAIN,
}
"""Short service name to the domain of its primary agent."""

_SERVICE_BY_DOMAIN: Final = {domain: service for service, domain in PRIMARY.items()}
_AGENT: Final = re.compile(r"service-(?P<number>\d+)@(?P<domain>[a-z0-9-]+)\.iam\.gserviceaccount\.com")


def agent_email(service: str, number: str) -> str | None:
    """The address of a service's primary agent in the project with that number."""
    short = service.removesuffix(".googleapis.com")
    if short == "storagetransfer":
        return f"project-{number}@storage-transfer-service.iam.gserviceaccount.com"
    domain = PRIMARY.get(short)
    return None if domain is None else f"service-{number}@{domain}.iam.gserviceaccount.com"


def service_of(email: str) -> str | None:
    """The short service name of a primary agent's address, or None for any other address."""
    match = _AGENT.fullmatch(email)
    return None if match is None else _SERVICE_BY_DOMAIN.get(match["domain"])
