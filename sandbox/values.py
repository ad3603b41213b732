"""Property values as the sandbox holds them: plain Python data plus five marks.

A value is ``None``, ``bool``, ``int``, ``float``, ``str``, a list or a dict of values, or one of the marks
defined here. The marks stand for what plain data cannot say: not known yet, secret, encrypted and
unreadable here, a file, a reference to another resource.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, cast

__all__ = [
    "UNKNOWN",
    "UNKNOWN_SENTINEL",
    "Archive",
    "Asset",
    "DiffKind",
    "Opaque",
    "ResourceReference",
    "Secret",
    "Unknown",
    "contains_secret",
    "contains_unknown",
    "redact",
    "unwrap",
]


UNKNOWN_SENTINEL: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""The reserved text that stands for an unknown where only text can stand: on the wire and in ids."""


class DiffKind(StrEnum):
    """How one property differs; the words of the engine's own detailed diff."""

    ADD = "add"
    ADD_REPLACE = "add-replace"
    DELETE = "delete"
    DELETE_REPLACE = "delete-replace"
    UPDATE = "update"
    UPDATE_REPLACE = "update-replace"

    @property
    def replaces(self) -> bool:
        """Whether this difference forces a replacement."""
        return self.value.endswith("-replace")

    def as_replace(self) -> DiffKind:
        """The same difference, forcing a replacement."""
        return self if self.replaces else DiffKind(f"{self.value}-replace")

    def as_plain(self) -> DiffKind:
        """The same difference, applied in place."""
        return DiffKind(self.value.removesuffix("-replace"))


class Unknown:
    """The type of ``UNKNOWN``: a value that exists only after a deployment."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __bool__(self) -> bool:
        raise TypeError("an unknown value has no truth value: test `is UNKNOWN` first")

    def __copy__(self) -> Unknown:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Unknown:
        return self


UNKNOWN: Final = Unknown()


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that is never printed and never stored readable."""

    value: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class Opaque:
    """A secret whose key is not here: compared by its ciphertext, never read. Always inside ``Secret``."""

    ciphertext: str = field(repr=False)

    @property
    def stand_in(self) -> str:
        """What a program gets in its place: equal for equal ciphertexts, and of no use to anyone."""
        return f"encrypted-{hashlib.sha256(self.ciphertext.encode()).hexdigest()[:32]}"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file given by path, text or URI. Its hash decides equality, as in Pulumi: where it lies does not."""

    hash: str
    path: str = field(default="", compare=False)
    text: str = field(default="", compare=False)
    uri: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Archive:
    """A set of files given by path, URI or named members; equal by its hash."""

    hash: str
    path: str = field(default="", compare=False)
    uri: str = field(default="", compare=False)
    assets: Mapping[str, Any] = field(default_factory=dict[str, Any], compare=False)


@dataclass(frozen=True, slots=True)
class ResourceReference:
    """A resource passed as a value; ``id`` is None for a component."""

    urn: str
    id: Any = None
    package_version: str = ""


def contains_unknown(value: Any) -> bool:
    """Whether any part of ``value`` is unknown."""
    if value is UNKNOWN:
        return True
    if isinstance(value, Secret):
        return contains_unknown(value.value)
    if isinstance(value, Mapping):
        return any(contains_unknown(item) for item in cast("Mapping[str, Any]", value).values())
    if isinstance(value, list):
        return any(contains_unknown(item) for item in cast("list[Any]", value))
    if isinstance(value, ResourceReference):
        return value.id is UNKNOWN
    return False


def contains_secret(value: Any) -> bool:
    """Whether any part of ``value`` is secret."""
    if isinstance(value, Secret):
        return True
    if isinstance(value, Mapping):
        return any(contains_secret(item) for item in cast("Mapping[str, Any]", value).values())
    if isinstance(value, list):
        return any(contains_secret(item) for item in cast("list[Any]", value))
    return False


def unwrap(value: Any) -> Any:
    """``value`` without its secret marks; for logic, never for output."""
    if isinstance(value, Secret):
        return unwrap(value.value)
    if isinstance(value, Mapping):
        return {key: unwrap(item) for key, item in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list):
        return [unwrap(item) for item in cast("list[Any]", value)]
    return value


def redact(value: Any) -> Any:
    """``value`` as it may be shown: secrets as ``[secret]``, unknowns as ``[unknown]``, files by hash."""
    if isinstance(value, Secret):
        return "[secret]"
    if value is UNKNOWN:
        return "[unknown]"
    if isinstance(value, Mapping):
        return {key: redact(item) for key, item in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list):
        return [redact(item) for item in cast("list[Any]", value)]
    if isinstance(value, Asset | Archive):
        return f"[{type(value).__name__.lower()} {value.hash[:12]}]"
    if isinstance(value, ResourceReference):
        return value.urn if value.id is None else redact(value.id)
    return value
