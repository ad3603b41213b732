"""Which revisions of a Cloud Run service answer: shares of the traffic, and tags that the edge asks for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never

import pulumi_gcp as gcp

from components._checks import require_between
from facts.refusal import RefusedError

__all__ = ["Canary", "Latest", "Pinned", "Traffic", "check_tags", "traffics"]

_LATEST = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
_REVISION = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"


@dataclass(frozen=True, kw_only=True, slots=True)
class Latest:
    """All traffic to the newest revision; the only choice for a first deployment."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pinned:
    """All traffic to one existing revision, whatever is deployed: an operator's way back."""

    revision: str
    """Name of the revision."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Canary:
    """An operator's slow release: a share to the newest revision, the rest to one that has proven itself."""

    stable_revision: str
    """Name of the existing revision that keeps the rest."""
    percent: int
    """Share of the newest revision, 1 to 99 %."""

    def __post_init__(self) -> None:
        require_between("percent", self.percent, 1, 99, "%")


Traffic = Latest | Pinned | Canary


def check_tags(service_name: str, tags: Mapping[str, str]) -> None:
    """Refuse a tag that is no label of a host name together with the service's name."""
    longest = 63 - len("---") - len(service_name)
    for tag, revision in tags.items():
        if not re.fullmatch(r"[a-z][a-z0-9-]*", tag) or len(tag) > longest:
            raise RefusedError(
                f"tags must be at most {longest} lower-case letters, digits and hyphens, a letter first, "
                f"got {tag!r}: rename it"
            )
        if not revision.startswith(f"{service_name}-"):
            raise RefusedError(
                f"tags.{tag} must name a revision of {service_name}, got {revision!r}: correct it"
            )


def traffics(traffic: Traffic, tags: Mapping[str, str]) -> list[gcp.cloudrunv2.ServiceTrafficArgsDict]:
    """The shares, which add up to 100, and the tagged revisions, which take none of them."""
    tagged: list[gcp.cloudrunv2.ServiceTrafficArgsDict] = [
        {"type": _REVISION, "revision": revision, "percent": 0, "tag": tag}
        for tag, revision in sorted(tags.items())
    ]
    return [*_shares(traffic), *tagged]


def _shares(traffic: Traffic) -> list[gcp.cloudrunv2.ServiceTrafficArgsDict]:
    match traffic:
        case Latest():
            return [{"type": _LATEST, "percent": 100}]
        case Pinned(revision=revision):
            return [{"type": _REVISION, "revision": revision, "percent": 100}]
        case Canary(stable_revision=stable, percent=percent):
            return [
                {"type": _LATEST, "percent": percent},
                {"type": _REVISION, "revision": stable, "percent": 100 - percent},
            ]
        case _:
            assert_never(traffic)
