"""Who depends on whom, and in which order states stand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sandbox.engine.goal import Alias, AliasResolver, Goal
from sandbox.graph import dependencies_of, dependents_of, in_dependency_order, kept_by
from sandbox.model import ResourceState
from sandbox.urn import make_urn, qualified_type, type_of


def _urn(name: str) -> str:
    return make_urn("dev", "p", "", "t:m:T", name)


def _state(name: str, *needs: str, parent: str = "") -> ResourceState:
    return ResourceState(
        urn=_urn(name),
        type="t:m:T",
        custom=True,
        dependencies=[_urn(item) for item in needs],
        parent=_urn(parent) if parent else "",
    )


def _goal(name: str, type: str, *, parent: str = "", aliases: tuple[Alias, ...] = ()) -> Goal:
    return Goal(type=type, name=name, custom=True, inputs={}, parent=parent, aliases=aliases)


def test_a_urn_keeps_the_chain_of_parent_types_and_drops_the_stack() -> None:
    root = make_urn("dev", "p", "", "pulumi:pulumi:Stack", "p-dev")
    outer = make_urn("dev", "p", root, "a:b:Outer", "outer")
    inner = make_urn("dev", "p", outer, "a:b:Inner", "inner")
    assert outer == "urn:pulumi:dev::p::a:b:Outer::outer"
    assert inner == "urn:pulumi:dev::p::a:b:Outer$a:b:Inner::inner"
    assert qualified_type(inner) == "a:b:Outer$a:b:Inner"
    assert type_of(inner) == "a:b:Inner"


def test_dependents_are_found_through_others_but_not_through_parents() -> None:
    states = [_state("a"), _state("b", "a"), _state("c", "b"), _state("d"), _state("e", parent="a")]
    assert [state.name for state in dependents_of(states[0], states, ())] == ["b", "c"]
    assert [state.name for state in dependents_of(states[0], states, {_urn("b")})] == []


def test_what_is_kept_keeps_what_it_needs() -> None:
    states = [_state("root"), _state("ring", parent="root"), _state("key", "ring"), _state("other", "key")]
    assert kept_by({_urn("key")}, states) == {_urn("root"), _urn("ring"), _urn("key")}


@given(st.permutations(range(7)), st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=12))
def test_each_state_comes_after_what_it_needs(order: list[int], edges: list[tuple[int, int]]) -> None:
    needs: dict[int, set[str]] = {index: set() for index in range(7)}
    for first, second in edges:
        if first != second:
            needs[max(first, second)].add(str(min(first, second)))
    states = [_state(str(index), *sorted(needs[index])) for index in order]
    ordered = in_dependency_order(states)
    assert sorted(state.urn for state in ordered) == sorted(state.urn for state in states)
    seen: set[str] = set()
    for state in ordered:
        assert set(dependencies_of(state)) <= seen
        seen.add(state.urn)


def test_states_in_order_stay_as_they_are() -> None:
    states = [_state("a"), _state("c"), _state("b", "a")]
    assert in_dependency_order(states) == states


def test_a_child_follows_the_alias_of_its_parent_under_its_new_name() -> None:
    old_parent = make_urn("dev", "p", "", "c:c:C", "old")
    old_child = make_urn("dev", "p", old_parent, "t:m:T", "old-main")
    olds = {
        old_parent: ResourceState(urn=old_parent, type="c:c:C", custom=False),
        old_child: ResourceState(urn=old_child, type="t:m:T", custom=True),
    }
    resolver = AliasResolver("dev", "p", olds)
    new_parent = make_urn("dev", "p", "", "c:c:C", "new")
    resolver.find(new_parent, _goal("new", "c:c:C", aliases=(Alias(name="old"),)), ())
    new_child = make_urn("dev", "p", new_parent, "t:m:T", "new-main")
    assert resolver.find(new_child, _goal("new-main", "t:m:T", parent=new_parent), ()) is olds[old_child]
    assert resolver.claimed == {old_parent: new_parent, old_child: new_child}
