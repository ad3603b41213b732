"""Property paths: grammar, containment, and setting ignored changes back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.paths import contains, format_path, lookup, parse_path, put, reset
from sandbox.values import Secret

_parts = st.lists(st.text(min_size=1, max_size=6) | st.integers(0, 20), min_size=1, max_size=4).filter(
    lambda parts: isinstance(parts[0], str) and "*" not in parts
)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("name", ("name",)),
        ("settings.tier", ("settings", "tier")),
        ("rules[0].action", ("rules", 0, "action")),
        ('labels["a.b"]', ("labels", "a.b")),
        ('["a\\"b"].c', ('a"b', "c")),
        ("envs[*].value", ("envs", "*", "value")),
        ("*", ("*",)),
    ],
)
def test_a_path_is_read(text: str, path: tuple[str | int, ...]) -> None:
    assert parse_path(text) == path


@pytest.mark.parametrize("text", ["", "a..b", "a[", "a[x]", 'a["b', "a[-1]"])
def test_fails_when_the_text_is_no_path(text: str) -> None:
    with pytest.raises(ValueError, match="property path"):
        parse_path(text)


@given(_parts)
def test_a_written_path_is_read_back(parts: list[str | int]) -> None:
    assert parse_path(format_path(parts)) == tuple(parts)


def test_a_path_contains_what_lies_below_it() -> None:
    assert contains(("a",), ("a", "b"))
    assert contains(("a", "*", "c"), ("a", 3, "c", "d"))
    assert not contains(("a", "b"), ("a",))
    assert not contains(("a",), ("b",))


@pytest.mark.parametrize(
    ("path", "old", "new", "result", "applied"),
    [
        ("a", {"a": 1}, {"a": 2, "b": 3}, {"a": 1, "b": 3}, True),
        ("a", {}, {"a": 2}, {}, True),
        ("a", {"a": 1}, {}, {"a": 1}, True),
        ("a.b", {"a": {"b": 1, "c": 1}}, {"a": {"b": 2, "c": 2}}, {"a": {"b": 1, "c": 2}}, True),
        ("a[0].b", {"a": [{"b": 1}]}, {"a": [{"b": 2}]}, {"a": [{"b": 1}]}, True),
        (
            "a[*].b",
            {"a": [{"b": 1}, {"b": 2}]},
            {"a": [{"b": 8}, {"b": 9}]},
            {"a": [{"b": 1}, {"b": 2}]},
            True,
        ),
        ("a[*].b", {"a": [{"b": 1}]}, {"a": [{"b": 8}, {"b": 9}]}, {"a": [{"b": 8}, {"b": 9}]}, False),
        ("a.b", {}, {"a": {"b": 2}}, {"a": {"b": 2}}, False),
        ("a.b", {}, {}, {}, True),
        ("*", {"a": 1}, {"a": 2, "b": 3}, {"a": 1}, True),
        ("a.b", {"a": {"b": 1}}, {"a": Secret({"b": 2})}, {"a": Secret({"b": 1})}, True),
    ],
)
def test_an_ignored_change_is_set_back(
    path: str, old: dict[str, Any], new: dict[str, Any], result: dict[str, Any], applied: bool
) -> None:
    before = repr(new)
    assert reset(parse_path(path), old, new) == (result, applied)
    assert repr(new) == before


def test_a_value_below_a_secret_is_found_as_a_secret() -> None:
    assert lookup({"a": Secret({"b": [1]})}, ("a", "b", 0)) == Secret(1)
    assert lookup({"a": 1}, ("a", "b")) is None


def test_a_value_is_put_where_the_path_says() -> None:
    values: dict[str, Any] = {"a": {"b": [1, {"c": 2}]}, "s": Secret({"t": 1})}
    assert put(parse_path("a.b[1].c"), values, 3)["a"]["b"][1] == {"c": 3}
    assert put(parse_path("a.b[0]"), values, None)["a"]["b"] == [{"c": 2}]
    assert put(parse_path('n["x.y"]'), values, 1)["n"] == {"x.y": 1}
    assert put(parse_path("s.t"), values, 2)["s"] == Secret({"t": 2})
    assert put(parse_path("a"), values, None) == {"s": Secret({"t": 1})}
    assert values["a"] == {"b": [1, {"c": 2}]}
    for path in ("a.b[7]", "a.b.c", "a.b[0].c"):
        with pytest.raises(ValueError, match="there is nothing at"):
            put(parse_path(path), values, 1)
