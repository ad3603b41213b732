"""Google's own accounts that act for a service: asked for, so that they exist before anything is granted
to them.

Makes one service identity per service that must be asked. Cloud Storage and Cloud Logging cannot be asked
this way: their addresses are looked up by the stack and passed in `looked_up`. Grants nothing: an agent's
grant stands in the component that owns the target. Free of charge. A fresh agent may be unknown to IAM
for a minute. Not modelled: addresses of sovereign clouds, and a catalogue of every agent: only those are
listed that something here is granted to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import pulumi
import pulumi_gcp as gcp

from facts.refusal import RefusedError

__all__ = ["Service", "ServiceAgents", "ServiceAgentsArgs"]

Service: TypeAlias = Literal[
    "sql", "redis", "pubsub", "secretmanager", "artifactregistry", "run", "monitoring", "workflows"
]

_APIS: Mapping[Service, str] = {
    "sql": "sqladmin.googleapis.com",
    "redis": "redis.googleapis.com",
    "pubsub": "pubsub.googleapis.com",
    "secretmanager": "secretmanager.googleapis.com",
    "artifactregistry": "artifactregistry.googleapis.com",
    "run": "run.googleapis.com",
    "monitoring": "monitoring.googleapis.com",
    "workflows": "workflows.googleapis.com",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceAgentsArgs:
    """What to ask for."""

    project_id: pulumi.Input[str]
    # Services whose agent is asked for. Only those that something is granted to.
    services: frozenset[Service]
    # Addresses that only a look-up can tell, by short name such as "storage" or "logging".
    looked_up: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])

    def __post_init__(self) -> None:
        unknown = sorted(set(self.services) - set(_APIS))
        if unknown:
            raise RefusedError(
                f"services must be among {', '.join(sorted(_APIS))}, got {', '.join(unknown)}; correct it"
            )
        twice = sorted(set(self.services) & set(self.looked_up))
        if twice:
            raise RefusedError(
                f"looked_up must not name a service that is asked for, got {', '.join(twice)}; remove it"
            )


class ServiceAgents(pulumi.ComponentResource):
    """The agents of one project."""

    # IAM members ("serviceAccount:..."), by short name.
    members: Mapping[str, pulumi.Output[str]]

    def __init__(
        self, name: str, args: ServiceAgentsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("aiprod:foundation:ServiceAgents", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        members: dict[str, pulumi.Output[str]] = {}
        for service in sorted(args.services):
            identity = gcp.projects.ServiceIdentity(
                f"{name}-{service}", project=args.project_id, service=_APIS[service], opts=child
            )
            members[service] = identity.member
        for service, email in sorted(args.looked_up.items()):
            members[service] = pulumi.Output.concat("serviceAccount:", email)
        self.members = members
        self.register_outputs({"members": members})
