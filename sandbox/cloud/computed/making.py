"""One resource in the making, and the table of rules that compute its outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sandbox.cloud.data import Values, at
from sandbox.cloud.scope import Scope
from sandbox.cloud.seeds import Seeds
from sandbox.cloud.world import World

__all__ = ["Making", "computed_values", "computes"]

_HOSTS: Final[dict[str, str]] = {
    "compute": "https://www.googleapis.com/compute/v1/",
    "sql": "https://sqladmin.googleapis.com/sql/v1beta4/",
}
_TIMES: Final = frozenset(
    {
        "createTime",
        "creationTime",
        "creationTimestamp",
        "generateTime",
        "timeCreated",
        "updateTime",
        "updated",
    }
)
_HASHES: Final = frozenset({"etag", "fingerprint", "labelFingerprint", "metadataFingerprint"})
_FIXED: Final[dict[str, str]] = {
    "deletionPolicy": "DELETE",
    "generation": "1",
    "lifecycleState": "ACTIVE",
    "observedGeneration": "1",
    "state": "ACTIVE",
}


@dataclass(frozen=True, slots=True)
class Making:
    """A resource that Google is making: its inputs without secret marks, its id, and where it stands."""

    type: str
    id: str
    inputs: Values
    scope: Scope
    number: str
    seeds: Seeds
    world: World
    default_labels: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def project(self) -> str:
        """The project that the resource belongs to."""
        return str(self.inputs.get("project") or self.scope.project)

    @property
    def region(self) -> str:
        """The region or location that the resource belongs to."""
        return str(self.inputs.get("region") or self.inputs.get("location") or self.scope.region)

    @property
    def name(self) -> str:
        """The short name, as the program gave it."""
        return str(self.inputs.get("name") or self.id.rsplit("/", 1)[-1])

    def get(self, path: str) -> Any:
        """The input at a property path, or None."""
        return at(self.inputs, path)

    def text(self, name: str) -> str:
        """A computed text that follows from its name alone."""
        if name in _FIXED:
            return _FIXED[name]
        if name in _TIMES:
            return self.seeds.time()
        if name in _HASHES:
            return self.seeds.base64(name, 8)
        match name:
            case "project":
                return self.project
            case "region" | "location":
                return self.region
            case "zone":
                return self.scope.zone or f"{self.region}-b"
            case "name":
                return self.id
            case "selfLink":
                return self.link
            case "selfLinkWithId":
                return f"{self.link.rpartition('/')[0]}/{self.seeds.digits('numericId', 19)}"
            case "uniqueId":
                return self.seeds.digits(name, 21)
            case "uid":
                return self.seeds.uuid(name)
            case _:
                return self.seeds.digits(name, 19) if name.endswith("Id") else ""

    @property
    def link(self) -> str:
        """The full link of the resource."""
        area = self.type.split(":")[1].split("/")[0]
        return _HOSTS.get(area, f"https://{area}.googleapis.com/v1/" if area != "storage" else "") + self.id


Rule = Callable[[Making], Values]
_RULES: Final[dict[str, Rule]] = {}


def computes(*types: str) -> Callable[[Rule], Rule]:
    """Register a rule that computes outputs of some types."""

    def register(rule: Rule) -> Rule:
        for type in types:
            if type in _RULES:
                raise ValueError(f"two rules compute {type}")
            _RULES[type] = rule
        return rule

    return register


def computed_values(making: Making) -> Values:
    """What a rule knows about the computed outputs of this resource."""
    rule = _RULES.get(making.type)
    return dict(rule(making)) if rule is not None else {}
