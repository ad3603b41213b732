"""Values on the wire: protobuf structs with the engine's sentinels, and back.

The sentinels are those of Pulumi's protocol (``sdk/go/common/resource/plugin/rpc.go``): an unknown is a
reserved string; secrets, assets, archives, resource references and output values are objects with a
signature key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from google.protobuf import struct_pb2

from sandbox.values import UNKNOWN, UNKNOWN_SENTINEL, Archive, Asset, Opaque, ResourceReference, Secret

__all__ = [
    "OUTPUT_SIGNATURE",
    "SECRET_SIGNATURE",
    "SIGNATURE_KEY",
    "from_struct",
    "from_value",
    "is_unknown",
    "to_struct",
]

SIGNATURE_KEY: Final = "4dabf18193072939515e22adb298388d"
SECRET_SIGNATURE: Final = "1b47061264138c4ac30d75fd1eb44270"
_ASSET: Final = "c44067f5952c0a294b673a41bacd8c17"
_ARCHIVE: Final = "0def7320c3a5731c473e5ecbe6d01bc7"
_REFERENCE: Final = "5cf8f73096256a8f31e491e813e4eb8e"
OUTPUT_SIGNATURE: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
_UNKNOWN_SENTINELS: Final = frozenset(
    {
        UNKNOWN_SENTINEL,  # string
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # bool
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # number
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # array
        "030794c1-ac77-496b-92df-f27374a8bd58",  # asset
        "e48ece36-62e2-4504-bad9-02848725956a",  # archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # object
    }
)


def is_unknown(text: str) -> bool:
    """Whether a string on the wire stands for a value that is not known yet."""
    return text in _UNKNOWN_SENTINELS


def from_struct(struct: struct_pb2.Struct) -> dict[str, Any]:
    """The values of a struct."""
    return {key: from_value(value) for key, value in struct.fields.items()}


def from_value(value: struct_pb2.Value) -> Any:
    """One value of a struct; whole numbers become ``int``."""
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        text = value.string_value
        return UNKNOWN if text in _UNKNOWN_SENTINELS else text
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "bool_value":
        return value.bool_value
    if kind == "list_value":
        return [from_value(item) for item in value.list_value.values]
    if kind == "struct_value":
        fields = value.struct_value.fields
        if SIGNATURE_KEY in fields:
            return _special(fields[SIGNATURE_KEY].string_value, from_struct_plain(value.struct_value))
        return {key: from_value(item) for key, item in fields.items()}
    return None


def from_struct_plain(struct: struct_pb2.Struct) -> dict[str, Any]:
    """The members of a special object without its signature."""
    return {key: from_value(item) for key, item in struct.fields.items() if key != SIGNATURE_KEY}


def _special(signature: str, members: dict[str, Any]) -> Any:
    if signature == SECRET_SIGNATURE:
        return Secret(members.get("value"))
    if signature == OUTPUT_SIGNATURE:
        value = members.get("value", UNKNOWN)
        return Secret(value) if members.get("secret") else value
    if signature == _REFERENCE:
        identifier = members.get("id")
        return ResourceReference(
            urn=str(members["urn"]),
            id=UNKNOWN if identifier == "" else identifier,
            package_version=str(members.get("packageVersion", "")),
        )
    if signature == _ASSET:
        return Asset(
            hash=str(members.get("hash", "")),
            path=str(members.get("path", "")),
            text=str(members.get("text", "")),
            uri=str(members.get("uri", "")),
        )
    if signature == _ARCHIVE:
        return Archive(
            hash=str(members.get("hash", "")),
            path=str(members.get("path", "")),
            uri=str(members.get("uri", "")),
            assets=cast("Mapping[str, Any]", members.get("assets") or {}),
        )
    raise ValueError(f"the engine's protocol has no special object with signature {signature}")


def to_struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    """A struct of values; secrets and unknowns as the protocol marks them."""
    struct = struct_pb2.Struct()
    fields = struct.fields
    for key, value in values.items():
        _set(fields[key], value)
    return struct


def _set(target: struct_pb2.Value, value: Any) -> None:
    if value is None:
        target.null_value = struct_pb2.NULL_VALUE
    elif value is UNKNOWN:
        target.string_value = UNKNOWN_SENTINEL
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, int | float):
        target.number_value = value
    elif isinstance(value, str):
        target.string_value = value
    elif isinstance(value, Mapping):
        fields = target.struct_value.fields
        target.struct_value.SetInParent()
        for key, item in cast("Mapping[str, Any]", value).items():
            _set(fields[key], item)
    elif isinstance(value, list | tuple):
        target.list_value.SetInParent()
        for item in cast("list[Any]", value):
            _set(target.list_value.values.add(), item)
    else:
        _set(target, _special_members(value))


def _special_members(value: Any) -> dict[str, Any]:
    if isinstance(value, Secret):
        inner = value.value
        shown = inner.stand_in if isinstance(inner, Opaque) else inner
        return {SIGNATURE_KEY: SECRET_SIGNATURE, "value": shown}
    if isinstance(value, ResourceReference):
        members: dict[str, Any] = {SIGNATURE_KEY: _REFERENCE, "urn": value.urn}
        if value.id is not None:
            members["id"] = "" if value.id is UNKNOWN else value.id
        if value.package_version:
            members["packageVersion"] = value.package_version
        return members
    if isinstance(value, Asset):
        parts = {"hash": value.hash, "path": value.path, "text": value.text, "uri": value.uri}
        return {SIGNATURE_KEY: _ASSET, **{key: part for key, part in parts.items() if part}}
    if isinstance(value, Archive):
        plain = {"hash": value.hash, "path": value.path, "uri": value.uri}
        members = {SIGNATURE_KEY: _ARCHIVE, **{key: part for key, part in plain.items() if part}}
        return {**members, "assets": dict(value.assets)} if value.assets else members
    raise TypeError(f"a value of type {type(value).__name__} has no form on the wire")
