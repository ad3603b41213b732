"""What Cloud Run asks a container: over HTTP, gRPC or TCP, each kind of probe with the handlers that it has.

A startup probe takes all three, a liveness probe no TCP, a readiness probe HTTP and gRPC. Cloud Run gives a
container 240 seconds to start, period and misses together (Cloud Run, Configure container health checks); the
bounds of the other two are this program's: nobody waits longer for an instance that hangs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from components._checks import require_between
from facts.refusal import RefusedError

__all__ = [
    "GrpcProbe",
    "HttpProbe",
    "LivenessProbe",
    "ReadinessProbe",
    "StartupProbe",
    "TcpProbe",
    "check_probes",
    "probe",
]

# From the first question to the verdict; a startup probe's is Google's, and so is its period.
_STARTUP_SECONDS = 240
_LIVENESS_SECONDS = 3600


@dataclass(frozen=True, kw_only=True, slots=True)
class _Timed:
    """How often is asked, and how much silence counts."""

    period_seconds: int = 10
    """Seconds between two questions, 1 to 240 s; of a liveness probe to 3600 s."""
    timeout_seconds: int = 5
    """Seconds to answer, 1 to period_seconds."""
    failure_threshold: int = 3
    """Misses in a row that count, 1 to 100; all of them take 240 s at most, a liveness probe's 3600 s."""

    def __post_init__(self) -> None:
        require_between("period_seconds", self.period_seconds, 1, 3600, "seconds")
        require_between("timeout_seconds", self.timeout_seconds, 1, self.period_seconds, "seconds")
        require_between("failure_threshold", self.failure_threshold, 1, 100, "misses")


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpProbe(_Timed):
    """A GET that must answer 2xx or 3xx in time."""

    path: str
    """Path to ask for, without a query."""

    def __post_init__(self) -> None:
        # slots=True makes a new class, which super() without arguments does not know.
        _Timed.__post_init__(self)
        if re.fullmatch(r"/[^\s?#]*", self.path) is None:
            raise RefusedError(
                f"path must begin with / and hold no space, ? and #, got {self.path!r}; correct it"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class GrpcProbe(_Timed):
    """The standard health check of gRPC, which must answer SERVING in time."""

    service: str = ""
    """Name that is asked for; by default the server as a whole."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TcpProbe(_Timed):
    """A connection that must be taken in time; says nothing of what answers."""


StartupProbe = HttpProbe | GrpcProbe | TcpProbe
LivenessProbe = HttpProbe | GrpcProbe
ReadinessProbe = HttpProbe | GrpcProbe


def check_probes(startup: StartupProbe, liveness: LivenessProbe | None, readiness: ReadinessProbe) -> None:
    """Refuse what waits too long: four minutes, and an hour for a liveness probe."""
    bounds = (
        ("startup_probe", startup, _STARTUP_SECONDS),
        ("liveness_probe", liveness, _LIVENESS_SECONDS),
        ("readiness_probe", readiness, _STARTUP_SECONDS),
    )
    for field, one, most in bounds:
        if one is None:
            continue
        require_between(f"{field}.period_seconds", one.period_seconds, 1, most, "seconds")
        taken = one.period_seconds * one.failure_threshold
        if taken > most:
            raise RefusedError(
                f"{field} must decide within {most} seconds, period_seconds times failure_threshold, got "
                f"{one.period_seconds} times {one.failure_threshold}, which is {taken}; lower one of them"
            )


def probe(one: StartupProbe, port: int) -> Any:
    """The probe as the provider takes it, on the container's port: the same for all three kinds."""
    match one:
        case HttpProbe(path=path):
            handler: Mapping[str, Any] = {"http_get": {"path": path, "port": port}}
        case GrpcProbe(service=service):
            handler = {"grpc": {"port": port, **({"service": service} if service else {})}}
        case TcpProbe():
            handler = {"tcp_socket": {"port": port}}
    return {
        **handler,
        "period_seconds": one.period_seconds,
        "timeout_seconds": one.timeout_seconds,
        "failure_threshold": one.failure_threshold,
    }
