"""Names by which Google's resources refer to each other: ids, links, relative names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any, Final
from urllib.parse import quote_plus

from facts.google.resource_ids import Part, parts_of, template_of, templates
from sandbox.cloud.seeds import Seeds

__all__ = ["canonical", "missing_field", "render", "render_parent", "same_reference", "type_of_path"]

_PREFIX: Final = re.compile(
    r"(?:https:)?//(?:www|compute|storage|sqladmin|pubsub|[a-z-]+)\.googleapis\.com/"
    r"(?:(?:compute|storage|sql|dns)/(?:v\d\w*|beta)/)?"
)
_SERVICE_PREFIX: Final = re.compile(r"[a-z]+\.googleapis\.com/(?=(?:projects|folders|organizations)/)")
_IAM_TAIL: Final = {"role", "member"}


@lru_cache(maxsize=4096)
def canonical(name: str) -> str:
    """A link or full name as the relative name that it stands for (``projects/p/topics/t``)."""
    match = _PREFIX.match(name) or _SERVICE_PREFIX.match(name)
    return name[match.end() :] if match else name


def same_reference(left: str, right: str) -> bool:
    """Whether two spellings refer to the same resource."""
    return left == right or canonical(left) == canonical(right)


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _generated(kind: str, seeds: Seeds, number: str, next_number: int) -> str:
    if kind == "number":
        return number
    if kind == "next":
        return str(next_number)
    if kind == "uuid":
        return seeds.uuid("id")
    if kind.startswith("digits"):
        return seeds.digits("id", int(kind.removeprefix("digits")))
    if kind.startswith("hex"):
        return seeds.hex("id", int(kind.removeprefix("hex")))
    return seeds.pick("id", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", 11)


def _field(part: Part, values: Mapping[str, Any]) -> str:
    value = values.get(part.text)
    text = "" if value is None else str(value)
    if part.mark == "*":
        return canonical(text) if "//" in text else text
    if part.mark == "%":
        return quote_plus(canonical(text))
    if part.mark == "~":
        return _slug(text)
    return text.rsplit("/", 1)[-1]


def missing_field(template: str, values: Mapping[str, Any]) -> str | None:
    """The first input that the template needs and that is not there; ``host`` may be empty."""
    for part in parts_of(template):
        if part.mark not in {"=", "+"} and part.text != "host" and values.get(part.text) in (None, ""):
            return part.text
    return None


def render(
    template: str, values: Mapping[str, Any], *, seeds: Seeds, number: str, next_number: int = 1
) -> str:
    """The id that the template gives with these inputs."""
    return "".join(
        part.text
        if part.mark == "="
        else _generated(part.text, seeds, number, next_number)
        if part.mark == "+"
        else _field(part, values)
        for part in parts_of(template)
    )


def render_parent(type: str, values: Mapping[str, Any]) -> str | None:
    """The relative name of the resource whose policy an IAM resource changes, or None for other types."""
    template = template_of(type)
    if template is None or not re.search(r"(?i)iam(member|binding|policy)$", type):
        return None
    parts = [part for part in parts_of(template) if part.text not in _IAM_TAIL]
    while parts and parts[-1].mark == "=" and parts[-1].text.strip("/") == "":
        parts.pop()
    return "".join(part.text if part.mark == "=" else _field(part, values) for part in parts)


@cache
def _shapes() -> dict[int, list[tuple[tuple[str, ...], str]]]:
    """Templates by number of parts; a field is an empty string. IAM resources have no names of their own."""
    shapes: dict[int, list[tuple[tuple[str, ...], str]]] = {}
    for type, template in templates().items():
        if re.search(r"(?i)iam(member|binding|policy|auditconfig|memberremove)$", type):
            continue
        shape = tuple(
            "" if "{" in segment else segment
            for segment in re.sub(r"\{\*[A-Za-z]+\}", lambda found: _whole(found.group()), template).split(
                "/"
            )
        )
        if shape[0] in {"projects", "billingAccounts", "folders", "organizations"}:
            shapes.setdefault(len(shape), []).append((shape, type))
    return shapes


def _whole(mark: str) -> str:
    """What a field that takes a whole parent name stands for."""
    known = {
        "{*keyRing}": "projects/{p}/locations/{l}/keyRings/{k}",
        "{*cryptoKey}": "projects/{p}/locations/{l}/keyRings/{k}/cryptoKeys/{c}",
        "{*parent}": "projects/{p}",
        "{*secret}": "projects/{p}/secrets/{s}",
    }
    return known.get(mark, mark)


@lru_cache(maxsize=4096)
def type_of_path(path: str) -> str | None:
    """The resource type that a relative name belongs to, or None."""
    segments = path.split("/")
    for shape, type in _shapes().get(len(segments), ()):
        if all(not known or known == segment for known, segment in zip(shape, segments, strict=True)):
            return type
    return None
