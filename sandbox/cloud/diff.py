"""What differs between a resource's inputs and new ones, and what that forces."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from facts.provider import PropertyFacts, TypeFacts
from sandbox.cloud.data import (
    DEFAULTS,
    Values,
    as_list,
    as_map,
    at,
    bare,
    is_known,
    join,
    names_by_default,
    plain,
)
from sandbox.cloud.naming import name_property
from sandbox.cloud.paths import same_reference
from sandbox.cloud.results import DiffResult
from sandbox.values import UNKNOWN, DiffKind, Opaque, Secret

__all__ = ["diff_inputs"]

_EMPTY: Final[tuple[Any, ...]] = (None, "", [], {}, False, 0)


def diff_inputs(
    type: str,
    facts: TypeFacts | None,
    old_inputs: Mapping[str, Any],
    old_outputs: Mapping[str, Any],
    news: Mapping[str, Any],
    ignore_changes: Sequence[str] = (),
) -> DiffResult:
    """The difference as the provider sees it."""
    found = _Differ(old_outputs)
    found.block(facts.properties if facts is not None else None, old_inputs, news, "")
    ignored = [_pattern(path) for path in ignore_changes]
    detailed = {
        path: kind
        for path, kind in found.detailed.items()
        if not any(pattern.match(path) for pattern in ignored)
    }
    replaces = tuple(path for path, kind in detailed.items() if kind.replaces)
    return DiffResult(
        detailed=detailed,
        replaces=replaces,
        delete_before_replace=bool(replaces) and _same_explicit_name(type, facts, old_inputs, news),
        not_compared=tuple(found.not_compared),
    )


def _same_explicit_name(
    type: str, facts: TypeFacts | None, old_inputs: Mapping[str, Any], news: Mapping[str, Any]
) -> bool:
    """The new one cannot have the name of the old one beside it."""
    name = name_property(type, facts)
    if name is None or name in names_by_default(news):
        return False
    return bare(news.get(name)) is not None and plain(old_inputs.get(name)) == plain(news.get(name))


def _pattern(path: str) -> re.Pattern[str]:
    """An ``ignoreChanges`` path: itself and everything below it; ``*`` stands for one step."""
    escaped = re.escape(path).replace(r"\[\*\]", r"\[[^\]]*\]").replace(r"\*", r"[^.\[]+")
    return re.compile(escaped + r"(?:$|[.\[])")


def _encrypted(value: Any) -> Opaque | None:
    inner = bare(value) if isinstance(value, Secret) else None
    return inner if isinstance(inner, Opaque) else None


def _immutable_inside(found: PropertyFacts | None, value: Any) -> bool:
    """Whether a whole block that comes or goes holds a property that cannot change."""
    if found is None:
        return False
    if found.immutable:
        return True
    items = as_list(value)
    blocks = items if items is not None else [value]
    return any(
        name in found.properties and _immutable_inside(found.properties[name], item)
        for block in blocks
        for name, item in (as_map(block) or {}).items()
    )


class _Differ:
    def __init__(self, old_outputs: Mapping[str, Any]) -> None:
        self.old_outputs = old_outputs
        self.detailed: dict[str, DiffKind] = {}
        self.not_compared: list[str] = []

    def note(self, path: str, kind: DiffKind, *, replace: bool) -> None:
        self.detailed[path] = kind.as_replace() if replace else kind

    def block(
        self,
        properties: Mapping[str, PropertyFacts] | None,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        path: str,
    ) -> None:
        filled_in = names_by_default(old)
        for name in [*old, *(name for name in new if name not in old)]:
            if name == DEFAULTS:
                continue
            found = properties.get(name) if properties is not None else None
            if name in filled_in and bare(new.get(name)) is None:
                continue
            self.value(found, old.get(name), new.get(name), join(path, name))

    def value(self, found: PropertyFacts | None, old: Any, new: Any, path: str) -> None:
        if self.secret(old, new, path):
            return
        before, after = bare(old), bare(new)
        if before is None and after is None:
            return
        if before is None:
            self.added(found, after, path)
        elif after is None:
            self.removed(found, before, path)
        elif after is UNKNOWN or before is UNKNOWN:
            if after is not before:
                self.note(path, DiffKind.UPDATE, replace=found is not None and found.immutable)
        elif as_map(before) is not None and as_map(after) is not None:
            self.maps(found, as_map(before) or {}, as_map(after) or {}, path)
        elif as_list(before) is not None and as_list(after) is not None:
            self.lists(found, as_list(before) or [], as_list(after) or [], path)
        elif not _equal(before, after):
            self.note(path, DiffKind.UPDATE, replace=found is not None and found.immutable)

    def secret(self, old: Any, new: Any, path: str) -> bool:
        """Whether the comparison ends here because one side is encrypted for a key that is not here."""
        before, after = _encrypted(old), _encrypted(new)
        if before is None and after is None:
            return False
        if before != after and bare(old) is not None and bare(new) is not None:
            self.not_compared.append(path)
            return True
        return before == after

    def maps(self, found: PropertyFacts | None, old: Values, new: Values, path: str) -> None:
        if found is not None and found.type == "map":
            for key in [*old, *(key for key in new if key not in old)]:
                if key == DEFAULTS:
                    continue
                where = join(path, key)
                before, after = old.get(key), new.get(key)
                if self.secret(before, after, where) or _equal(plain(before), plain(after)):
                    continue
                kind = (
                    DiffKind.ADD if key not in old else DiffKind.DELETE if key not in new else DiffKind.UPDATE
                )
                self.note(where, kind, replace=found.immutable)
            return
        self.block(found.properties if found is not None else None, old, new, path)

    def lists(self, found: PropertyFacts | None, old: list[Any], new: list[Any], path: str) -> None:
        left = list(enumerate(old))
        right = list(enumerate(new))
        if found is not None and found.type == "set":
            left, right = _without_common(left, right)
        for (_, before), (index, after) in zip(left, right, strict=False):
            self.item(found, before, after, join(path, index))
        for index, after in right[len(left) :]:
            replace = _immutable_inside(found, after)
            self.note(join(path, index), DiffKind.ADD, replace=replace)
        for index, before in left[len(right) :]:
            replace = _immutable_inside(found, before)
            self.note(join(path, index), DiffKind.DELETE, replace=replace)

    def item(self, found: PropertyFacts | None, old: Any, new: Any, path: str) -> None:
        before, after = as_map(old), as_map(new)
        if before is not None and after is not None and not self.secret(old, new, path):
            self.block(found.properties if found is not None else None, before, after, path)
        else:
            self.value(found, old, new, path)

    def added(self, found: PropertyFacts | None, new: Any, path: str) -> None:
        if new is not UNKNOWN and found is not None:
            if found.default is not None and _equal(found.default, new):
                return
            if found.default is None and not found.computed and plain(new) in _EMPTY:
                return
            existing = at(self.old_outputs, path)
            if existing is not None and is_known(existing) and _equal(plain(existing), plain(new)):
                return
        self.note(path, DiffKind.ADD, replace=_immutable_inside(found, new))

    def removed(self, found: PropertyFacts | None, old: Any, path: str) -> None:
        if found is not None:
            if found.computed or (found.default is not None and _equal(found.default, old)):
                return
            if found.default is None and plain(old) in _EMPTY:
                return
        self.note(path, DiffKind.DELETE, replace=_immutable_inside(found, old))


def _equal(old: Any, new: Any) -> bool:
    if isinstance(old, bool) != isinstance(new, bool):
        return False
    if isinstance(old, str) and isinstance(new, str):
        return same_reference(old, new)
    return bool(old == new)


def _without_common(
    left: list[tuple[int, Any]], right: list[tuple[int, Any]]
) -> tuple[list[tuple[int, Any]], list[tuple[int, Any]]]:
    """Both sides without the items that occur on both: a set has no order."""
    rest: list[tuple[int, Any]] = []
    remaining = list(right)
    for index, item in left:
        bare_item = plain(item)
        match = next((pair for pair in remaining if _equal(plain(pair[1]), bare_item)), None)
        if match is None:
            rest.append((index, item))
        else:
            remaining.remove(match)
    return rest, remaining
