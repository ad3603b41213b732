"""From what Pulumi hands a policy to the plain resources that rules read.

Pulumi decodes a request again for every policy. Rules of other types turn a request away before anything is
converted, and what one policy has converted the next ones of the same request share.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar, cast

from policies.model import UNKNOWN, Resource

__all__ = ["Options", "Requests", "Source", "Unreadable", "plain", "resource"]

_Converted = TypeVar("_Converted")

# How an item that is not known yet answers when it is read.
Unreadable = type[Exception]


class Options(Protocol):
    """The options of a resource that rules know."""

    @property
    def protect(self) -> bool:
        """Whether the engine refuses to delete it."""
        ...


class Source(Protocol):
    """What a resource offers, whichever of Pulumi's classes it comes in."""

    @property
    def urn(self) -> str:
        """The full name."""
        ...

    @property
    def name(self) -> str:
        """The logical name."""
        ...

    @property
    def resource_type(self) -> str:
        """The type token."""
        ...

    @property
    def props(self) -> Mapping[str, Any]:
        """The properties behind proxies that raise for what is not known."""
        ...

    @property
    def opts(self) -> Options:
        """The options."""
        ...

    @property
    def provider(self) -> Any:
        """The provider resource, if any."""
        ...


class Requests:
    """Keeps what was converted for the request at hand, per thread.

    A request runs through the policies in their order. A policy that does not come later than the one before
    it, or that asks about something else, has therefore begun another request.
    """

    def __init__(self) -> None:
        self._local = threading.local()

    def enter(self, index: int, subject: str) -> None:
        """The policy at `index` is being run on `subject`."""
        if index <= getattr(self._local, "index", -1) or subject != getattr(self._local, "subject", None):
            self._local.value = None
        self._local.index, self._local.subject = index, subject

    def once(self, convert: Callable[[], _Converted]) -> _Converted:
        """The converted request, made by the first policy that needs it."""
        value = getattr(self._local, "value", None)
        if value is None:
            value = self._local.value = (convert(),)
        return cast("tuple[_Converted]", value)[0]


def plain(value: Any, unreadable: Unreadable) -> Any:
    """Plain data from Pulumi's proxies; items that raise `unreadable` become UNKNOWN.

    Keys with two leading underscores are the provider's own book-keeping and are left out.
    """
    if isinstance(value, Mapping):
        mapping = cast("Mapping[str, Any]", value)
        keys = [key for key in mapping if not key.startswith("__")]
        return {key: _item(mapping, key, unreadable) for key in keys}
    if isinstance(value, Sequence) and not isinstance(value, str):
        items = cast("Sequence[Any]", value)
        return [_item(items, index, unreadable) for index in range(len(items))]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if value is None or isinstance(value, bool | int | float | str) else "[asset]"


def _item(container: Any, key: str | int, unreadable: Unreadable) -> Any:
    try:
        value = container[key]
    except unreadable:
        return UNKNOWN
    return plain(value, unreadable)


def resource(
    source: Source,
    unreadable: Unreadable,
    *,
    parent: str | None = None,
    dependencies: tuple[str, ...] = (),
    property_dependencies: Mapping[str, tuple[str, ...]] | None = None,
) -> Resource:
    """One resource as rules read it."""
    return Resource(
        urn=source.urn,
        type=source.resource_type,
        name=source.name,
        props=plain(source.props, unreadable),
        parent=parent,
        dependencies=dependencies,
        property_dependencies=property_dependencies or {},
        protect=bool(source.opts.protect),
        provider="" if source.provider is None else str(source.provider.urn),
    )
