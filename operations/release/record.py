"""The record of a walk: what a service's shares alone do not say, kept in an annotation of the service.

Written in the same call as the shares, so neither is ever without the other. It names the revision to go
back to, the one that was walked, and whether the walk has ended: without it a walk that was killed at 100 %
looks like one that was watched to its end, and the revision before may be one that was given back. Each
region keeps its own; those of one walk carry the same id.

Google refuses annotations in its own namespaces (run.googleapis.com, cloud.googleapis.com,
serving.knative.dev, autoscaling.knative.dev) and keeps every other one. Source: Cloud Run Admin API v2,
Service.annotations.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, cast

__all__ = ["ANNOTATION", "Record", "State", "record_of"]

State = Literal["walking", "released", "given-back"]

ANNOTATION: Final = "release-walk"
_STATES: Final = frozenset({"walking", "released", "given-back"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """One walk in one region."""

    stable: str
    """Revision that everything goes back to."""
    walked: str
    """Revision that gets more."""
    state: State
    """`walking` until the last step was watched, or everything was given back."""
    walk: str
    """The walk that it belongs to, the same in each region and after a restart."""
    by: str
    """The process that moved it on last: a second one is noticed by it."""

    def text(self) -> str:
        """As the annotation holds it."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))


def record_of(annotations: Mapping[str, str]) -> Record | None:
    """The record among a service's annotations; None where there is none, or what is there is none."""
    try:
        found: Any = json.loads(annotations.get(ANNOTATION, ""))
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    values = cast("dict[str, Any]", found)
    if set(values) != set(Record.__slots__) or not all(isinstance(value, str) for value in values.values()):
        return None
    return Record(**values) if values["state"] in _STATES else None
