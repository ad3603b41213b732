"""Marks survive, secrets never show."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.protobuf import from_struct, to_struct
from sandbox.values import (
    UNKNOWN,
    Archive,
    Asset,
    DiffKind,
    ResourceReference,
    Secret,
    contains_secret,
    contains_unknown,
    redact,
    unwrap,
)

_HIDDEN = "hunter2-never-shown"
_leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(max_size=8)
    | st.just(UNKNOWN)
    | st.builds(Asset, hash=st.just("a" * 64), path=st.just("x"))
    | st.builds(Archive, hash=st.just("b" * 64))
    | st.builds(ResourceReference, urn=st.just("urn:pulumi:s::p::t::n"), id=st.just("1"))
)
values: st.SearchStrategy[Any] = st.recursive(
    _leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(min_size=1, max_size=6), inner, max_size=3)
        | st.builds(Secret, inner)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text(min_size=1, max_size=6), values, max_size=4))
def test_values_survive_the_wire(members: dict[str, Any]) -> None:
    assert from_struct(to_struct(members)) == members


@given(values)
def test_redacted_values_hold_no_mark(value: Any) -> None:
    shown = redact(value)
    assert not contains_secret(shown)
    assert not contains_unknown(shown)


@given(values)
def test_unwrapped_values_hold_no_secret_mark(value: Any) -> None:
    assert not contains_secret(unwrap(value))


def test_a_secret_is_not_printed_by_any_of_its_forms() -> None:
    secret = Secret({"password": _HIDDEN})
    assert _HIDDEN not in f"{secret} {secret!r} {redact([secret])} {[secret]}"


def test_an_unknown_has_no_truth_value() -> None:
    with pytest.raises(TypeError, match="no truth value"):
        bool(UNKNOWN)


@pytest.mark.parametrize("kind", list(DiffKind))
def test_a_difference_turns_into_a_replacing_one_and_back(kind: DiffKind) -> None:
    assert kind.as_replace().replaces
    assert not kind.as_plain().replaces
    assert kind.as_replace().as_plain() == kind.as_plain()


def test_files_are_equal_by_content_and_not_by_place() -> None:
    """A base and a head of one comparison lie in different folders."""
    assert Asset("a" * 64, path="here/x") == Asset("a" * 64, path="there/x")
    assert Asset("a" * 64, text="x") != Asset("b" * 64, text="x")
    assert Archive("a" * 64, assets={"x": Asset("1")}) == Archive("a" * 64, assets={"x": Asset("2")})
    assert Archive("a" * 64, path="x") != Archive("b" * 64, path="x")
