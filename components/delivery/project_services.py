"""The Google services that a project needs switched on.

Makes one switch per service. None is switched off on a destroy: what runs on it would break first; so neither
dependent services nor present use are asked about.
Switching on takes up to a minute and the first use may fail for a few more, so whatever needs a service
writes `depends_on=[this]`. Free of charge. In an empty project a person first enables
serviceusage.googleapis.com and cloudresourcemanager.googleapis.com, without which nothing here can be
asked for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from facts.refusal import RefusedError

__all__ = ["ProjectServices", "ProjectServicesArgs"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectServicesArgs:
    """What to switch on."""

    project_id: pulumi.Input[str]
    # Short names, such as "run" for run.googleapis.com.
    services: frozenset[str]

    def __post_init__(self) -> None:
        if not self.services:
            raise RefusedError("services must name at least one service, got none")
        for service in sorted(self.services):
            if not re.fullmatch(r"[a-z][a-z0-9]*", service):
                raise RefusedError(
                    f"services must be short names such as run, without .googleapis.com, got {service!r}"
                )


class ProjectServices(pulumi.ComponentResource):
    """The switches of one project."""

    # Full names of the services, sorted.
    enabled: pulumi.Output[list[str]]

    def __init__(
        self, name: str, args: ProjectServicesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("aiprod:delivery:ProjectServices", name, None, opts)
        services = [
            gcp.projects.Service(
                f"{name}-{service}",
                project=args.project_id,
                service=f"{service}.googleapis.com",
                disable_on_destroy=False,
                opts=pulumi.ResourceOptions(parent=self),
            )
            for service in sorted(args.services)
        ]
        self.enabled = pulumi.Output.all(*[service.service for service in services]).apply(list)
        self.register_outputs({"enabled": self.enabled})
