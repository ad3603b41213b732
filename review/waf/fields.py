"""The fields of a request that an exclusion takes away from a preconfigured set."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast
from urllib.parse import unquote_plus

from review.waf.corpus import Request

__all__ = ["Exclusion", "Operator", "Part", "without"]

Part = Literal["header", "cookie", "uri", "query_param"]
Operator = Literal["EQUALS", "STARTS_WITH", "ENDS_WITH", "CONTAINS", "EQUALS_ANY"]


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Fields whose values some signatures of a set do not read; no signature named means all of the set."""

    rule_set: str
    part: Part
    operator: Operator
    value: str = ""
    signatures: frozenset[int] = frozenset()

    def covers(self, signature: int) -> bool:
        """Whether the signature no longer reads the fields."""
        return not self.signatures or signature in self.signatures

    def names(self, name: str) -> bool:
        """Whether a field of this name is meant. Names of headers and cookies know no case."""
        value = self.value
        if self.part in {"header", "cookie"}:
            name, value = name.lower(), value.lower()
        match self.operator:
            case "EQUALS":
                return name == value
            case "STARTS_WITH":
                return name.startswith(value)
            case "ENDS_WITH":
                return name.endswith(value)
            case "CONTAINS":
                return value in name
            case "EQUALS_ANY":
                return True


def without(
    request: Request, body: bytes, exclusions: Sequence[Exclusion], *, is_json: bool
) -> tuple[Request, bytes]:
    """Request and inspected body with the values of the excluded fields emptied.

    A parameter stands in the query or in the body (Google's reference of ``requestQueryParamsToExclude``); in
    a parsed JSON body it is a field, by its own name at any depth.
    """
    headers = _Chosen(exclusions, "header")
    cookies = _Chosen(exclusions, "cookie")
    params = _Chosen(exclusions, "query_param")
    path, mark, query = request.target.partition("?")
    if _Chosen(exclusions, "uri")(path):
        path = "/"
    bare: list[tuple[str, str]] = []
    for name, value in request.headers:
        if headers(name):
            bare.append((name, ""))
        elif name == "cookie":
            bare.append((name, _emptied(value, ";", cookies)))
        else:
            bare.append((name, value))
    changed = replace(request, target=path + mark + _emptied(query, "&", params), headers=tuple(bare))
    if is_json:
        return changed, _emptied_json(body, params)
    if "x-www-form-urlencoded" in (request.header("content-type") or "").lower():
        text = body.decode("latin-1")
        return changed, _emptied(text, "&", params).encode("latin-1")
    return changed, body


@dataclass(frozen=True, slots=True)
class _Chosen:
    exclusions: Sequence[Exclusion]
    part: Part

    def __call__(self, name: str) -> bool:
        return any(item.part == self.part and item.names(name) for item in self.exclusions)


def _emptied(text: str, separator: str, chosen: Callable[[str], bool]) -> str:
    pieces: list[str] = []
    for piece in text.split(separator):
        name, equals, _ = piece.partition("=")
        pieces.append(name + equals if chosen(unquote_plus(name).strip()) else piece)
    return separator.join(pieces)


def _emptied_json(body: bytes, chosen: Callable[[str], bool]) -> bytes:
    try:
        found: Any = json.loads(body)
    except ValueError:
        return body

    def emptied(value: Any) -> Any:
        if isinstance(value, dict):
            items = cast("dict[str, Any]", value).items()
            return {name: "" if chosen(name) else emptied(item) for name, item in items}
        if isinstance(value, list):
            return [emptied(item) for item in cast("list[Any]", value)]
        return value

    return json.dumps(emptied(found), ensure_ascii=False).encode()
