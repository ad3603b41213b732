"""Who runs: one account per runtime, what each needs, and which of them this configuration runs.

Every account exists in every environment: its address is a contract, and a deleted account's id stays
blocked for 30 days. Only a runtime that stands holds grants, so nothing is granted ahead of its use: a layer
that builds a runtime adds it to `standing`. An account is not declared disabled until then, because Google
ignores that at creation; without a grant and a key it can do nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from components.foundation.service_identity import ProjectRole
from config import Settings

__all__ = ["RUNTIMES", "Role", "Runtime", "standing"]

Role: TypeAlias = Literal[
    "api",
    "worker",
    "batch",
    "migration",
    "rotator",
    "age-watch",
    "scaler",
    "replay",
    "verifier",
    "healer",
    "notifier",
    "drill",
    "grafana",
    "scheduler",
    "pubsub-push",
    "function-builder",
]

# Google offers these on the project only.
_TELEMETRY: frozenset[ProjectRole] = frozenset(
    {"roles/cloudtrace.agent", "roles/logging.logWriter", "roles/monitoring.metricWriter"}
)
_LOGS: frozenset[ProjectRole] = frozenset({"roles/logging.logWriter"})
_NONE: frozenset[ProjectRole] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class Runtime:
    """One runtime: what the console calls its account, and what its program does once it stands."""

    title: str
    # Logs, metrics and traces that its program writes itself; Cloud Run collects what it prints without any.
    project_roles: frozenset[ProjectRole] = _TELEMETRY
    # Logs in to the database as itself.
    database: bool = False
    # Hands out URLs for uploads and results, signed as itself.
    signs_urls: bool = False


RUNTIMES: Mapping[Role, Runtime] = {
    "api": Runtime(title="API service", database=True, signs_urls=True),
    "worker": Runtime(title="Pipeline worker", database=True),
    "batch": Runtime(title="Batch worker", database=True),
    "migration": Runtime(title="Schema migration", database=True),
    "rotator": Runtime(title="Secret rotation", project_roles=_NONE),
    "age-watch": Runtime(title="Secret age watch", project_roles=_NONE),
    "scaler": Runtime(title="Worker scaler", project_roles=_NONE),
    "replay": Runtime(title="Dead letter replay"),
    "verifier": Runtime(title="Verification after a deployment"),
    "healer": Runtime(title="Healer of stuck jobs"),
    "notifier": Runtime(title="Alert notifier"),
    "drill": Runtime(title="Restore drill", project_roles=_LOGS, database=True),
    "grafana": Runtime(title="Grafana"),
    "scheduler": Runtime(title="Caller of scheduled jobs", project_roles=_NONE),
    "pubsub-push": Runtime(title="Caller of pushed messages", project_roles=_NONE),
    "function-builder": Runtime(title="Builder of functions", project_roles=_LOGS),
}


def standing(settings: Settings) -> frozenset[Role]:
    """The runtimes that this configuration runs, a first deployment without a release included."""
    runs: set[Role] = {
        "api",
        "worker",
        "migration",
        "rotator",
        "age-watch",
        "scheduler",
        "pubsub-push",
        "function-builder",
    }
    if settings.release is not None:
        runs.add("scaler")
    if settings.workers.batch_scaling is not None:
        runs.add("batch")
    if settings.drill is not None:
        runs.add("drill")
    return frozenset(runs)
