"""Property paths: ``settings.tier``, ``rules[0].action``, ``labels["a.b"]``, ``envs[*].value``.

The grammar and the meaning of *contains* and *reset* are those of the engine
(``sdk/go/property`` and ``sdk/go/common/resource`` of pulumi/pulumi).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final, cast

from sandbox.values import Secret

__all__ = ["Path", "contains", "format_path", "lookup", "parse_path", "put", "reset"]

Path = tuple[str | int, ...]
_ABSENT: Final = object()


@lru_cache(maxsize=4096)
def parse_path(text: str) -> Path:
    """The parts of a path; ``*`` stands for each element. Raises ValueError when it is no path."""
    parts: list[str | int] = []
    index = 0
    while index < len(text):
        if text[index] == "[":
            index, part = _bracket(text, index)
            parts.append(part)
        else:
            index += text[index] == "."
            end = index
            while end < len(text) and text[end] not in ".[":
                end += 1
            if end == index:
                raise ValueError(f"{text!r} is not a property path: a name is missing at position {index}")
            parts.append(text[index:end])
            index = end
    if not parts:
        raise ValueError("a property path must not be empty")
    return tuple(parts)


def _bracket(text: str, start: int) -> tuple[int, str | int]:
    if text[start + 1 : start + 2] == '"':
        end, key = start + 2, ""
        while end < len(text) and text[end] != '"':
            end += text[end] == "\\"
            key += text[end : end + 1]
            end += 1
        if text[end : end + 2] != '"]':
            raise ValueError(f"{text!r} is not a property path: a quoted name does not end")
        return end + 2, key
    end = text.find("]", start)
    inner = text[start + 1 : end] if end > 0 else ""
    if inner == "*":
        return end + 1, "*"
    if not inner.isdigit():
        raise ValueError(f"{text!r} is not a property path: an index must be a number, a quoted name or *")
    return end + 1, int(inner)


def format_path(path: Iterable[str | int]) -> str:
    """The text of a path."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif any(character in part for character in '.["') or not part:
            escaped = part.replace("\\", "\\\\").replace('"', '\\"')
            text += f'["{escaped}"]'
        else:
            text += f".{part}" if text else part
    return text


def contains(outer: Path, inner: Path) -> bool:
    """Whether ``inner`` lies at or below ``outer``."""
    if len(outer) > len(inner):
        return False
    return all(mine in ("*", theirs) for mine, theirs in zip(outer, inner, strict=False))


def lookup(values: Any, path: Sequence[str | int]) -> Any:
    """The value at a path, or None; secret marks on the way are kept on the value found."""
    secret = False
    for part in path:
        while isinstance(values, Secret):
            secret, values = True, values.value
        if isinstance(values, dict):
            values = cast("dict[Any, Any]", values).get(part)
        elif isinstance(values, list) and isinstance(part, int) and part < len(cast("list[Any]", values)):
            values = cast("list[Any]", values)[part]
        else:
            return None
    return Secret(values) if secret and not isinstance(values, Secret) else values


def reset(path: Path, old: dict[str, Any], new: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """``new`` with the values at ``path`` set back to those of ``old``.

    The flag is False when the path runs through an element that was added or removed: then the change
    stays, as the engine has it.
    """
    result, applied = _reset_members(path, old, new)
    return result, applied


def put(path: Path, values: dict[str, Any], value: Any) -> dict[str, Any]:
    """``values`` with ``value`` at ``path``, or with nothing there when it is None.

    Raises ValueError when the path runs through something that is not there or has no parts.
    """
    return cast("dict[str, Any]", _put(path, values, value))


def _put(path: Path, within: Any, value: Any) -> Any:
    if not path:
        return value
    if isinstance(within, Secret):
        return Secret(_put(path, within.value, value))
    head, rest = path[0], path[1:]
    if isinstance(within, dict):
        members = dict(cast("dict[str, Any]", within))
        if value is None and not rest:
            members.pop(str(head), None)
        else:
            members[str(head)] = _put(rest, members.get(str(head), {}), value)
        return members
    if isinstance(within, list) and isinstance(head, int):
        items = list(cast("list[Any]", within))
        if head < len(items):
            if value is None and not rest:
                del items[head]
            else:
                items[head] = _put(rest, items[head], value)
            return items
    raise ValueError(f"there is nothing at `{format_path(path)}` below it")


def _reset(path: Path, old: Any, new: Any) -> tuple[Any, bool]:
    if not path:
        return old, True
    if isinstance(old, Secret) or isinstance(new, Secret):
        inner_old = old.value if isinstance(old, Secret) else old
        inner_new = new.value if isinstance(new, Secret) else new
        value, applied = _reset(path, inner_old, inner_new)
        return (Secret(value) if isinstance(new, Secret) else value), applied
    if old is _ABSENT and new is _ABSENT:
        return new, True
    if isinstance(old, dict) and isinstance(new, dict):
        return _reset_members(path, cast("dict[str, Any]", old), cast("dict[str, Any]", new))
    if isinstance(old, list) and isinstance(new, list):
        return _reset_items(path, cast("list[Any]", old), cast("list[Any]", new))
    return new, False


def _reset_members(path: Path, old: dict[str, Any], new: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    head, rest = path[0], path[1:]
    keys = sorted({*old, *new}) if head == "*" else [str(head)]
    result, applied = dict(new), True
    for key in keys:
        value, done = _reset(rest, old.get(key, _ABSENT), new.get(key, _ABSENT))
        applied = applied and done
        if value is _ABSENT:
            result.pop(key, None)
        else:
            result[key] = value
    return result, applied


def _reset_items(path: Path, old: list[Any], new: list[Any]) -> tuple[Any, bool]:
    head, rest = path[0], path[1:]
    if head == "*":
        if len(old) != len(new):
            return (old, True) if not rest else (new, False)
        indexes: Iterable[int] = range(len(new))
    elif isinstance(head, int) and head < len(old) and head < len(new):
        indexes = [head]
    else:
        return new, False
    result, applied = list(new), True
    for index in indexes:
        result[index], done = _reset(rest, old[index], new[index])
        applied = applied and done
    return result, applied
