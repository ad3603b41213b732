"""The id that the provider gives each resource type, as a template over the resource's inputs.

``{name}`` is the last part of that input's value, ``{*name}`` its whole value, ``{%name}`` the value
percent-encoded, ``{~name}`` the value as a slug, and ``{+kind}`` a part that Google makes itself.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["Part", "parts_of", "template_of", "templates"]

_DATA: Final = Path(__file__).parent / "resource_ids.json"
_FIELD: Final = re.compile(r"\{([*%~+]?)([A-Za-z0-9]+)\}")


class Part(NamedTuple):
    """A literal text (``mark`` is ``"="``), or a field with its mark (``""`` for a plain one)."""

    mark: str
    text: str


@cache
def templates() -> dict[str, str]:
    """Every type's template."""
    raw: dict[str, str] = json.loads(_DATA.read_text(encoding="utf-8"))
    return {token: template for token, template in raw.items() if token}


def template_of(type: str) -> str | None:
    """The template of one type, or None when it is not known."""
    return templates().get(type)


@cache
def parts_of(template: str) -> tuple[Part, ...]:
    """A template cut into its literal texts and fields."""
    parts: list[Part] = []
    end = 0
    for match in _FIELD.finditer(template):
        if match.start() > end:
            parts.append(Part("=", template[end : match.start()]))
        parts.append(Part(match.group(1), match.group(2)))
        end = match.end()
    if end < len(template):
        parts.append(Part("=", template[end:]))
    return tuple(parts)
