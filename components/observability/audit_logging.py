"""Data-access audit logs for the services that hold secrets, keys and data.

Makes one `projects.IAMAuditConfig` per service. It is authoritative for its service: entries made elsewhere
are overwritten, other services are not touched. Nobody is exempted.

Does not make: data access for all services, whose volume and cost would hide what matters. Administrative
activity is always logged by Google. Cost: ingestion by volume; reads of keys are the most frequent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_gcp as gcp

from facts.refusal import RefusedError

__all__ = ["AuditLogging", "AuditLoggingArgs", "LogType"]

LogType = Literal["ADMIN_READ", "DATA_READ", "DATA_WRITE"]


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditLoggingArgs:
    """Which services, which kinds of access."""

    project: pulumi.Input[str]
    services: Mapping[str, Sequence[LogType]]
    """Service host such as `secretmanager.googleapis.com` to kinds of access, each at least one."""

    def __post_init__(self) -> None:
        for service, kinds in self.services.items():
            if not service.endswith(".googleapis.com"):
                raise RefusedError(
                    f"services must name hosts that end in .googleapis.com, got {service!r}: correct it "
                    "(allServices is not offered, its volume hides what matters)"
                )
            if not kinds or len(set(kinds)) != len(kinds):
                raise RefusedError(
                    f"services.{service} must list at least one kind, each once, got {list(kinds)}"
                )


class AuditLogging(pulumi.ComponentResource):
    """Audit configuration of some services."""

    def __init__(self, name: str, args: AuditLoggingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aiprod:observability:AuditLogging", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        for service, kinds in args.services.items():
            gcp.projects.IAMAuditConfig(
                f"{name}-{service.removesuffix('.googleapis.com')}",
                project=args.project,
                service=service,
                audit_log_configs=[{"log_type": kind} for kind in kinds],
                opts=child,
            )
        self.register_outputs({})
