"""Where a call happens: project, region and zone from the inputs, else from the provider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from facts.provider import TypeFacts
from sandbox.cloud.data import Values, bare

__all__ = ["Scope", "with_scope"]


@dataclass(frozen=True, slots=True)
class Scope:
    """The provider's own project, region and zone; empty when it has none."""

    project: str = ""
    region: str = ""
    zone: str = ""

    @classmethod
    def of(cls, provider: Mapping[str, Any]) -> Scope:
        """The scope of a configured provider."""

        def text(name: str) -> str:
            value = bare(provider.get(name))
            return value if isinstance(value, str) else ""

        return cls(project=text("project"), region=text("region"), zone=text("zone"))


def with_scope(facts: TypeFacts | None, inputs: Mapping[str, Any], scope: Scope) -> Values:
    """The inputs, completed with what the type takes from the provider."""
    result = dict(inputs)
    if facts is None:
        return result
    properties = facts.properties
    for name, value in (("project", scope.project), ("region", scope.region), ("zone", scope.zone)):
        wanted = name in properties and properties[name].is_input
        if wanted and value and result.get(name) in (None, ""):
            result[name] = value
    location = properties.get("location")
    if location is not None and location.optional and result.get("location") in (None, ""):
        given = location.default or scope.region
        if given:
            result["location"] = given
    return result
