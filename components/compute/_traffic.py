"""Which revisions answer: shares of a service's traffic or of a pool's instances, tags, and who decides it.

`OWNED` of `components/ownership.py` says what is left to a workflow. What a workflow owns counts at creation
only; a later `up` sends the whole service as the state knows it, so it must follow a refresh.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, assert_never

import pulumi_gcp as gcp

from components._checks import require_between
from facts.refusal import RefusedError

__all__ = [
    "CANARY_STEPS",
    "Canary",
    "Latest",
    "Pinned",
    "Share",
    "Split",
    "Splits",
    "Traffic",
    "Walked",
    "WorkflowOwned",
    "check_pool_revisions",
    "check_revisions",
    "instance_splits",
    "left_to_release",
    "traffics",
]

CANARY_STEPS = (1, 10, 50, 100)
"""Shares of a new revision in %, one after the other."""

# Numbered by hand or by Cloud Run; the service's name stands before it.
_REVISION_NAME = re.compile(r"[a-z][-a-z0-9]{0,61}[a-z0-9]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Latest:
    """Everything to the newest revision; the only choice of the program's for a first deployment."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pinned:
    """Everything to one existing revision, whatever is deployed: the way back, and where a release starts."""

    revision: str
    """Name of the revision."""

    def __post_init__(self) -> None:
        _check_revision("revision", self.revision)


@dataclass(frozen=True, kw_only=True, slots=True)
class Canary:
    """One step of a slow release: a share to the newest revision, the rest to one that has proven itself."""

    stable_revision: str
    """Name of the existing revision that keeps the rest, and stays when it has none."""
    percent: int
    """Share of the newest revision, one of the steps."""
    steps: tuple[int, ...] = CANARY_STEPS
    """Shares in %, rising, the last one 100."""

    def __post_init__(self) -> None:
        if not self.stable_revision:
            raise RefusedError(
                "stable_revision must name the revision that keeps the rest, got nothing; a first deployment "
                "has none: use Latest"
            )
        _check_revision("stable_revision", self.stable_revision)
        rising = all(low < high for low, high in zip((0, *self.steps), self.steps, strict=False))
        if not rising or not self.steps or self.steps[-1] != 100:
            raise RefusedError(
                f"steps must rise from 1 to 100 %, got {', '.join(map(str, self.steps)) or 'none'}; "
                "correct them"
            )
        if self.percent not in self.steps:
            raise RefusedError(
                f"percent must be one of the steps {', '.join(map(str, self.steps))}, got {self.percent}; "
                "choose one"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """What one revision takes of a split."""

    revision: str
    """Name of the revision."""
    percent: int
    """Share, 0 to 100 %."""

    def __post_init__(self) -> None:
        _check_revision("revision", self.revision)
        require_between("percent", self.percent, 0, 100, "%")


@dataclass(frozen=True, kw_only=True, slots=True)
class Split:
    """Shares of existing revisions, each reached by its tag as well: an experiment that lasts."""

    shares: Mapping[str, Share]
    """Tag to share; together 100 %."""

    def __post_init__(self) -> None:
        total = sum(share.percent for share in self.shares.values())
        if total != 100:
            raise RefusedError(f"shares must add up to 100 %, got {total} %; correct them")
        tags: dict[str, str] = {}
        for tag, share in self.shares.items():
            if share.revision in tags:
                raise RefusedError(
                    f"shares must name each revision once, got {share.revision!r} for {tags[share.revision]} "
                    f"and {tag}; give it one share"
                )
            tags[share.revision] = tag


@dataclass(frozen=True, kw_only=True, slots=True)
class Walked:
    """This program decides the image, `make release` the shares; those here count at creation only."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkflowOwned:
    """A workflow decides image and shares: those given here, all to the newest, count at creation only."""


Traffic = Latest | Pinned | Canary | Split | Walked | WorkflowOwned
"""Which revisions of a service answer. All but the last two: this program owns image and shares."""
Splits = Latest | Pinned | Canary | WorkflowOwned
"""Which revisions of a pool run, in the same words; a pool has no tags."""


def check_revisions(service_name: str, traffic: Traffic, tags: Mapping[str, str]) -> None:
    """Refuse what belongs to another service, tags given twice, and tags of what a workflow owns."""
    if left_to_release(traffic) and tags:
        raise RefusedError(
            f"tags must be empty while a release owns the traffic, got {', '.join(sorted(tags))}; "
            "let the release keep them, or own the traffic here"
        )
    for field, revision in _named("traffic", traffic):
        _check_of(field, service_name, revision)
    split: Mapping[str, Share] = traffic.shares if isinstance(traffic, Split) else {}
    longest = 63 - len("---") - len(service_name)
    for tag in (*split, *tags):
        if not re.fullmatch(r"[a-z][a-z0-9-]*", tag) or len(tag) > longest:
            raise RefusedError(
                f"tags must be at most {longest} lower-case letters, digits and hyphens, a letter first, "
                f"got {tag!r}: rename it"
            )
    for tag, revision in tags.items():
        if tag in split:
            raise RefusedError(f"tags must differ from those of the split, got {tag!r} in both: rename one")
        _check_of(f"tags.{tag}", service_name, revision)


def left_to_release(traffic: Traffic) -> tuple[Literal["image", "shares"], ...]:
    """What this program sets at creation only."""
    match traffic:
        case Walked():
            return ("shares",)
        case WorkflowOwned():
            return ("image", "shares")
        case _:
            return ()


def check_pool_revisions(pool_name: str, splits: Splits) -> None:
    """Refuse a revision of another pool."""
    for field, revision in _named("splits", splits):
        _check_of(field, pool_name, revision)


def traffics(traffic: Traffic, tags: Mapping[str, str]) -> list[gcp.cloudrunv2.ServiceTrafficArgsDict]:
    """The shares, which add up to 100, and the tagged revisions, which take none of them."""
    kind = "TRAFFIC_TARGET_ALLOCATION_TYPE"
    latest, named = f"{kind}_LATEST", f"{kind}_REVISION"
    tagged: list[gcp.cloudrunv2.ServiceTrafficArgsDict] = [
        {"type": named, "revision": revision, "percent": 0, "tag": tag}
        for tag, revision in sorted(tags.items())
    ]
    if isinstance(traffic, Split):
        split: list[gcp.cloudrunv2.ServiceTrafficArgsDict] = [
            {"type": named, "revision": share.revision, "percent": share.percent, "tag": tag}
            for tag, share in sorted(traffic.shares.items())
        ]
        return [*split, *tagged]
    shares: list[gcp.cloudrunv2.ServiceTrafficArgsDict] = [
        {"type": latest, "percent": percent}
        if revision is None
        else {"type": named, "revision": revision, "percent": percent}
        for revision, percent in _shares(traffic)
    ]
    return [*shares, *tagged]


def instance_splits(splits: Splits) -> list[gcp.cloudrunv2.WorkerPoolInstanceSplitArgsDict]:
    """The shares of a pool's instances; stated always, for the provider keeps what is left out."""
    kind = "INSTANCE_SPLIT_ALLOCATION_TYPE"
    return [
        {"type": f"{kind}_LATEST", "percent": percent}
        if revision is None
        else {"type": f"{kind}_REVISION", "revision": revision, "percent": percent}
        for revision, percent in _shares(splits)
    ]


def _shares(traffic: Splits | Walked) -> list[tuple[str | None, int]]:
    """Revision, or None for the newest one, and its share."""
    match traffic:
        case Latest() | Walked() | WorkflowOwned():
            return [(None, 100)]
        case Pinned(revision=revision):
            return [(revision, 100)]
        case Canary(percent=100):
            return [(None, 100)]
        case Canary(stable_revision=stable, percent=percent):
            return [(None, percent), (stable, 100 - percent)]
        case _:
            assert_never(traffic)


def _named(field: str, traffic: Traffic) -> list[tuple[str, str]]:
    """Each revision that is named, with its field."""
    match traffic:
        case Latest() | Walked() | WorkflowOwned():
            return []
        case Pinned(revision=revision):
            return [(f"{field}.revision", revision)]
        case Canary(stable_revision=revision):
            return [(f"{field}.stable_revision", revision)]
        case Split(shares=shares):
            return [(f"{field}.shares.{tag}", share.revision) for tag, share in shares.items()]
        case _:
            assert_never(traffic)


def _check_of(field: str, name: str, revision: str) -> None:
    if not revision.startswith(f"{name}-"):
        raise RefusedError(f"{field} must name a revision of {name}, got {revision!r}: correct it")


def _check_revision(field: str, revision: str) -> None:
    if _REVISION_NAME.fullmatch(revision) is None:
        raise RefusedError(
            f"{field} must be the name of a revision, 2 to 63 lower-case letters, digits and hyphens, "
            f"got {revision!r}; take it from `gcloud run revisions list`"
        )
