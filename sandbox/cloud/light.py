"""The check of a type without facts: names, required inputs, kinds and words, as the package has them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from sandbox.cloud.check import KINDS, described, fits, unknown_name
from sandbox.cloud.data import DEFAULTS, as_list, as_map, bare, join
from sandbox.cloud.documented import documented_words
from sandbox.cloud.package import Leaf, PackageType, package_type
from sandbox.cloud.results import CheckFailure
from sandbox.values import UNKNOWN, Opaque, ResourceReference

__all__ = ["check_lightly"]


def check_lightly(type: str, news: Mapping[str, Any]) -> list[CheckFailure]:
    """Everything that the package's classes and their documentation refuse; nothing for a type it lacks."""
    known = package_type(type)
    if known is None:
        return []
    failures: list[CheckFailure] = []
    _block(known, [], "", news, failures)
    return failures


def _block(
    known: PackageType, names: list[str], path: str, values: Mapping[str, Any], failures: list[CheckFailure]
) -> None:
    allowed = known.nested(names)
    if allowed is None:
        return
    for name, value in values.items():
        if name == DEFAULTS:
            continue
        if name not in allowed:
            failures.append(unknown_name(name, path, allowed))
            continue
        inside = [*names, name]
        _value(known, inside, known.leaf(inside), bare(value), join(path, name), failures)
    for name in sorted(known.required(names)):
        if bare(values.get(name)) is None:
            where = join(path, name)
            failures.append(CheckFailure(where, f"`{where}` is required and missing; set it."))


def _value(
    known: PackageType,
    names: list[str],
    leaf: Leaf,
    value: Any,
    path: str,
    failures: list[CheckFailure],
) -> None:
    if not leaf.kinds or value is None or value is UNKNOWN or isinstance(value, Opaque | ResourceReference):
        return
    kind, *held = leaf.kinds
    if not fits(kind, value):
        failures.append(CheckFailure(path, f"`{path}` must be {KINDS[kind]}, not {described(value)}."))
        return
    inner = Leaf(tuple(held), leaf.document)
    if kind == "object":
        _block(known, names, path, as_map(value) or {}, failures)
    elif kind == "list":
        for index, item in enumerate(as_list(value) or []):
            _value(known, names, inner, bare(item), join(path, index), failures)
    elif kind == "map":
        # The words of a map's documentation may be those of its keys.
        for key, item in (as_map(value) or {}).items():
            if key != DEFAULTS:
                _value(known, names, Leaf(tuple(held), ""), bare(item), join(path, key), failures)
    elif kind == "string" and isinstance(value, str) and value:
        _word(leaf.document, value, path, failures)


def _word(document: str, value: str, path: str, failures: list[CheckFailure]) -> None:
    words = documented_words(document)
    # Google's own enumerations are in capitals; of other words no documentation says whether case counts.
    exact = all(word == word.upper() for word in words)
    if not words or value in words or (not exact and value.lower() in {word.lower() for word in words}):
        return
    near = difflib.get_close_matches(value, words, n=1) or difflib.get_close_matches(
        value.upper(), words, n=1
    )
    hint = f" (did you mean {near[0]}?)" if near else ""
    failures.append(CheckFailure(path, f"`{path}` must be one of {', '.join(words)}{hint}, not {value!r}."))
