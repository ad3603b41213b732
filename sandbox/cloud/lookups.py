"""Look-ups of things: answers from a fixture, then from what exists in the world.

A function ``gcp:<module>/get<Type>:get<Type>`` that no table knows is answered from the outputs of the one
resource of that type which has the arguments' values.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

from facts.provider import facts_for
from sandbox.cloud.data import Values, bare, plain
from sandbox.cloud.package import package_type, result_types
from sandbox.cloud.scope import Scope
from sandbox.cloud.world import Record, World
from sandbox.cloud.world_facts import Lookup
from sandbox.errors import CloudError
from sandbox.values import Secret, redact

__all__ = ["SOURCE", "from_fixture", "from_world", "not_answered"]

SOURCE: Final = "pulumi-gcp 10.2.0, functions of the package"
_GETTER: Final = re.compile(r"gcp:(?P<area>[a-z0-9]+)/get(?P<name>[A-Z]\w*):get(?P=name)")
_SCOPES: Final = frozenset({"project", "region", "zone"})
# Functions whose name is not that of the resource.
_TYPES: Final = {
    "gcp:kms/getKMSCryptoKey:getKMSCryptoKey": "gcp:kms/cryptoKey:CryptoKey",
    "gcp:storage/getBucketObjectContent:getBucketObjectContent": "gcp:storage/bucketObject:BucketObject",
}


def from_fixture(lookups: Sequence[Lookup], token: str, arguments: Mapping[str, Any]) -> Values | None:
    """What a fixture says: of several answers the one that names the most arguments."""
    found = [lookup for lookup in lookups if lookup.answers(token, arguments)]
    if not found:
        return None
    result = max(found, key=lambda lookup: len(lookup.arguments)).result
    if result is None:
        raise CloudError(
            404,
            "NOT_FOUND",
            f"the answer of {token} came from a fixture and holds a secret, which is not kept; give the "
            "fixture again (--fixture FILE).",
            behaviour="INV-003",
            source=SOURCE,
        )
    return dict(result)


def from_world(
    world: World, token: str, arguments: Mapping[str, Any], scope: Scope, read: Callable[[str, str], Any]
) -> Values | None:
    """What exists: None when the function looks up no type that a resource can be of.

    ``read`` completes what a fixture describes only in part.
    """
    type = _type_of(token)
    if type is None:
        return None
    asked: Values = {key: plain(value) for key, value in arguments.items() if value is not None}
    found = [record for record in world.find(type) if _fits(record, asked)]
    if len(found) > 1:
        near = {key: getattr(scope, key) for key in _SCOPES if key not in asked and getattr(scope, key)}
        found = [record for record in found if _fits(record, near)] or found
    if not found:
        raise CloudError(
            404,
            "NOT_FOUND",
            f"{token} finds no {type} with {_shown(arguments)}; create it first, or give a fixture that has "
            f"it under `resources`, or the answer under `lookups`.",
            behaviour="INV-004",
            source=SOURCE,
        )
    id = found[0].id
    read(type, id)
    record = world.get(type, id) or found[0]
    return _as_result(token, {**record.inputs, **record.outputs, "id": id})


def _as_result(token: str, values: Values) -> Values:
    """A resource's values as the function's answer has them: blocks in lists, numbers as text."""
    area, name = token.split("/", 1)[0].removeprefix("gcp:"), token.rsplit(":", 1)[1]
    result: Values = {}
    for key, kind in result_types(area, name).items():
        value = values.get(key)
        secret = isinstance(value, Secret)
        inner: Any = bare(value)
        if kind.startswith("str") and isinstance(inner, int | float) and not isinstance(inner, bool):
            inner = str(inner)
        elif kind.startswith("int") and isinstance(inner, str) and inner.isdigit():
            inner = int(inner)
        elif kind.startswith(("Sequence", "list")) and isinstance(inner, dict):
            inner = [cast("Any", inner)]
        elif not _fits_kind(kind, inner):
            continue
        result[key] = Secret(inner) if secret else inner
    return result or values


def _fits_kind(kind: str, value: Any) -> bool:
    wanted = {"str": str, "bool": bool, "int": int, "Sequence": list, "list": list, "Mapping": dict}
    found = next((type for name, type in wanted.items() if kind.startswith(name)), object)
    return value is None or isinstance(value, found)


def not_answered(token: str, arguments: Mapping[str, Any]) -> CloudError:
    """The refusal of a function that is not answered here, with the fixture key that would answer it."""
    asked = {key: redact(value) for key, value in arguments.items() if value is not None}
    entry = json.dumps({"function": token, "arguments": asked, "result": {}}, default=repr)
    return CloudError(
        501,
        "NOT_IMPLEMENTED",
        f"the sandbox does not answer the provider function {token} with {_shown(arguments)}; give its "
        f"result in a fixture (--fixture FILE) under `lookups`: [{entry}].",
        behaviour="INV-003",
        source=SOURCE,
    )


def _type_of(token: str) -> str | None:
    if token in _TYPES:
        return _TYPES[token]
    match = _GETTER.fullmatch(token)
    if match is None:
        return None
    name = match["name"]
    type = f"gcp:{match['area']}/{name[:1].lower()}{name[1:]}:{name}"
    return type if facts_for(type) is not None or package_type(type) is not None else None


def _fits(record: Record, arguments: Mapping[str, Any]) -> bool:
    known = {**record.inputs, **record.outputs, "id": record.id}
    return all(_same(known, key, plain(value), record) for key, value in arguments.items())


def _same(known: Mapping[str, Any], key: str, value: Any, record: Record) -> bool:
    if key not in known:
        # A scope that the resource does not record stands in its id; whatever else is asked does not matter
        # to which resource it is.
        return key not in _SCOPES or f"/{value}/" in f"/{record.id}/"
    found = plain(known[key])
    if found == value:
        return True
    if isinstance(found, str) and isinstance(value, str):
        # Short names, ids, e-mail addresses and links of the same thing.
        return _last(found) == _last(value) or (key == "accountId" and value == bare(known.get("email")))
    return False


def _last(text: str) -> str:
    return text.rstrip("/").rsplit("/", 1)[-1]


def _shown(arguments: Mapping[str, Any]) -> str:
    parts = [
        f"{key} = {value if isinstance(value, str) else json.dumps(value, default=repr)}"
        for key, value in sorted(redact(arguments).items())
        if value is not None
    ]
    return ", ".join(parts) or "no arguments"
