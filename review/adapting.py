"""The engine's resources as policy rules read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from policies.model import SECRET, UNKNOWN, Resource
from sandbox import values
from sandbox.model import AnalyzedResource, ResourceState

__all__ = ["adapt"]


def adapt(resource: AnalyzedResource | ResourceState, *, ended: bool = False) -> Resource:
    """A resource as the rules read it; `ended`: a state by its outputs, as rules over a stack see it."""
    if isinstance(resource, AnalyzedResource):
        properties = resource.properties
    else:
        properties = resource.outputs if ended and resource.outputs else resource.inputs
    return Resource(
        urn=resource.urn,
        type=resource.type,
        name=resource.name,
        props=cast("Mapping[str, Any]", _plain(dict(properties))),
        parent=resource.parent or None,
        dependencies=tuple(resource.dependencies),
        property_dependencies={name: tuple(urns) for name, urns in resource.property_dependencies.items()},
        protect=resource.protect,
        provider=resource.provider,
    )


def _plain(value: Any) -> Any:
    """A value of the sandbox as rules read it: secrets hidden, unknown ones marked."""
    if isinstance(value, values.Secret):
        return SECRET
    if value is values.UNKNOWN:
        return UNKNOWN
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list):
        return [_plain(item) for item in cast("list[Any]", value)]
    if isinstance(value, values.Asset | values.Archive | values.ResourceReference):
        return values.redact(value)
    return value
