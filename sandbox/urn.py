"""URNs as the engine writes them: ``urn:pulumi:<stack>::<project>::<type chain>::<name>``."""

from __future__ import annotations

from typing import Final

__all__ = [
    "PROVIDER_PREFIX",
    "STACK_TYPE",
    "is_provider",
    "make_urn",
    "package_of",
    "provider_id",
    "provider_urn",
    "qualified_type",
    "type_of",
]

STACK_TYPE: Final = "pulumi:pulumi:Stack"
PROVIDER_PREFIX: Final = "pulumi:providers:"


def make_urn(stack: str, project: str, parent: str, type: str, name: str) -> str:
    """The URN of a resource: the types of its parents joined by ``$``, the root stack left out."""
    chain = qualified_type(parent) if parent else ""
    if chain and chain != STACK_TYPE:
        type = f"{chain}${type}"
    return f"urn:pulumi:{stack}::{project}::{type}::{name}"


def qualified_type(urn: str) -> str:
    """The chain of types in a URN."""
    return urn.split("::", 3)[2]


def type_of(urn: str) -> str:
    """The resource's own type: the last of the chain."""
    return qualified_type(urn).rsplit("$", 1)[-1]


def provider_urn(reference: str) -> str:
    """The URN in a provider reference ``<urn>::<id>``."""
    return reference.rsplit("::", 1)[0]


def provider_id(reference: str) -> str:
    """The id in a provider reference ``<urn>::<id>``."""
    return reference.rsplit("::", 1)[1]


def is_provider(type: str) -> bool:
    """Whether a type is a provider's."""
    return type.startswith(PROVIDER_PREFIX)


def package_of(type: str) -> str:
    """The package that serves a type or a function: ``gcp`` of ``gcp:pubsub/topic:Topic``."""
    return type.removeprefix(PROVIDER_PREFIX) if is_provider(type) else type.split(":", 1)[0]
