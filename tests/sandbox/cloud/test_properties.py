"""What must hold for any inputs that the cloud accepts."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from facts.provider import PropertyFacts, all_types, facts_for
from sandbox.cloud import Cloud, World
from sandbox.cloud.data import plain
from sandbox.values import Secret

PROVIDER = {"project": "aiprod-test", "region": "europe-west1", "zone": "europe-west1-b"}
# Types of which any inputs of the right shape are accepted: no behaviour asks for more.
PLAIN = tuple(
    type
    for type in all_types()
    if type.split(":")[1].split("/")[0]
    in {"clouddeploy", "eventarc", "networkconnectivity", "essentialcontacts"}
    and not type.lower().endswith(("iammember", "iambinding", "iampolicy"))
)

words = st.text("abcdefghij", min_size=3, max_size=8)


def _values(found: PropertyFacts) -> st.SearchStrategy[Any]:
    match found.type:
        case "string":
            return st.sampled_from([item for item in found.enum if item]) if found.enum else words
        case "integer":
            low, high = int(found.minimum or 1), int(found.maximum or 100)
            return st.integers(low, high)
        case "number":
            return st.integers(1, 5)
        case "boolean":
            return st.booleans()
        case "map":
            return st.dictionaries(words, words, max_size=2)
        case "object":
            return _block(found)
        case _:
            low, high = found.min_items or 0, found.max_items or 2
            each = _block(found) if found.of == "object" else _item(found)
            return st.lists(each, min_size=low, max_size=max(low, high))


def _item(found: PropertyFacts) -> st.SearchStrategy[Any]:
    if found.of == "integer":
        return st.integers(1, 9)
    return st.sampled_from([item for item in found.enum if item]) if found.enum else words


def _block(found: PropertyFacts) -> st.SearchStrategy[dict[str, Any]]:
    return _inputs_of(found.properties)


def _inputs_of(properties: Any) -> st.SearchStrategy[dict[str, Any]]:
    found: dict[str, PropertyFacts] = dict(properties)
    required = {name: _values(item) for name, item in found.items() if item.required}
    optional = {
        name: _values(item)
        for name, item in found.items()
        if item.optional and not item.required and not item.related and not item.write_only
    }
    return st.fixed_dictionaries(required, optional=optional)


@st.composite
def resources(draw: st.DrawFn, *, count: int = 1) -> tuple[str, list[dict[str, Any]]]:
    """A type and accepted inputs for it, as many as wanted."""
    type = draw(st.sampled_from(PLAIN))
    facts = facts_for(type)
    assert facts is not None
    return type, [draw(_inputs_of(facts.properties)) for _ in range(count)]


def _urn(type: str) -> str:
    return f"urn:pulumi:dev::aiprod::{type}::it"


@settings(max_examples=60, deadline=None)
@given(resources())
def test_checking_again_changes_nothing(drawn: tuple[str, list[dict[str, Any]]]) -> None:
    type, (inputs,) = drawn
    cloud = Cloud(World())
    once, first = cloud.check(type, _urn(type), None, inputs, b"seed")
    twice, second = cloud.check(type, _urn(type), once, once, b"other seed")
    assert once == twice
    assert first == second


@settings(max_examples=60, deadline=None)
@given(resources(count=2))
def test_a_change_that_was_made_is_no_change_any_more(drawn: tuple[str, list[dict[str, Any]]]) -> None:
    type, (before, after) = drawn
    cloud = Cloud(World())
    old, _ = cloud.check(type, _urn(type), None, before, b"seed")
    id, outputs = cloud.create(type, _urn(type), old, preview=False, provider=PROVIDER)
    assert not cloud.diff(type, _urn(type), id, old, outputs, old).changes
    new, _ = cloud.check(type, _urn(type), old, after, b"seed")
    diff = cloud.diff(type, _urn(type), id, old, outputs, new)
    assert set(diff.replaces) <= set(diff.detailed)
    if not diff.replaces:
        outputs = cloud.update(type, _urn(type), id, old, outputs, new, preview=False, provider=PROVIDER)
        assert not cloud.diff(type, _urn(type), id, new, outputs, new).changes
        read = cloud.read(type, _urn(type), id, new, provider=PROVIDER)
        assert read == (new, outputs)


@settings(max_examples=60, deadline=None)
@given(resources(), st.text("abcdefghijklmnop", min_size=12, max_size=20))
def test_the_world_comes_back_and_tells_no_secret(
    drawn: tuple[str, list[dict[str, Any]]], hidden: str
) -> None:
    type, (inputs,) = drawn
    cloud = Cloud(World())
    marked, _ = cloud.check(type, _urn(type), None, {**inputs, "description": Secret(hidden)}, b"seed")
    cloud.create(type, _urn(type), marked, preview=False, provider=PROVIDER)
    text = json.dumps(cloud.world.to_json())
    assert hidden not in text
    assert World.from_json(json.loads(text)).to_json() == json.loads(text)


@settings(max_examples=40, deadline=None)
@given(resources())
def test_outputs_hold_the_inputs(drawn: tuple[str, list[dict[str, Any]]]) -> None:
    type, (inputs,) = drawn
    cloud = Cloud(World())
    checked, _ = cloud.check(type, _urn(type), None, inputs, b"seed")
    _, outputs = cloud.create(type, _urn(type), checked, preview=False, provider=PROVIDER)
    for name, value in plain(checked).items():
        if isinstance(value, str | int | bool):
            assert plain(outputs)[name] == value
