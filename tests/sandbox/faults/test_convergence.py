"""Whatever goes wrong at whichever call of a deployment: the same command again brings it to the same end.

The dev deployment's registrations are recorded once and replayed without program and SDK. A seeded sample of
all faults at all calls runs here; ``make faults`` (``FAULTS=every``) runs every one.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, cast
from unittest import mock

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from typing_extensions import override

from facts.propagation import REPEATS, propagation_of
from sandbox.engine.goal import Goal
from sandbox.faults import Fail, Fault, FaultyCloud, HideGrants, Kill, KilledError, Where
from sandbox.model import Mode, ResourceState
from sandbox.project import load_project, load_stack
from tests.sandbox.faults.stream import Ground, Stream, changed, record, replay, whole
from tests.sandbox.faults.tally import TALLY

HOME = Path(__file__).resolve().parents[3]
EVERY = os.environ.get("FAULTS") == "every"
KINDS = ("quota", "conflict", "unavailable", "timeout", "kill", "agent")
ATTEMPTS = 6
SAMPLE = settings(max_examples=12, deadline=None, derandomize=True, database=None, phases=[Phase.generate])


def fault(kind: str, call: int) -> Fault:
    return Kill(Where(call=call)) if kind == "kill" else Fail(kind, Where(call=call))


class Case:
    """The recorded deployment, where it ends undisturbed, and how many calls each way there has."""

    def __init__(self) -> None:
        program = load_project(HOME)
        self.settings = load_stack(program, "dev")
        self.first = record(program, self.settings, "dev", self.fresh().world)
        self.second = changed(self.first, relabelled)
        self.empty, self.up = self.fresh(), self.fresh()
        self.creates = converge(self.first, self.up, [])
        self.relabelled = self.up.copy()
        self.updates = converge(self.second, self.relabelled, [])
        self.down = self.up.copy()
        self.deletes = converge(self.first, self.down, [], Mode.DESTROY)
        assert not unmanaged(self.up)
        assert self.creates > 200
        assert self.updates > 20
        assert self.deletes > 200
        counting = _Counting()
        converge(self.first, self.fresh(), [], around=counting)
        self.grants = counting.grants

    def fresh(self) -> Ground:
        """A project after bootstrap, before the first deployment."""
        return Ground.before(self.settings)


_CHANNEL: Final = "gcp:monitoring/notificationChannel:NotificationChannel"


def relabelled(goal: Goal) -> dict[str, Any]:
    """A change that updates much and replaces a few."""
    inputs = dict(goal.inputs)
    # A channel's labels are its settings: there it has user labels.
    if isinstance(inputs.get("labels"), dict) and goal.type != _CHANNEL:
        inputs["labels"] = {**inputs["labels"], "round": "2"}
    if goal.type == "gcp:compute/firewall:Firewall":
        inputs["direction"] = inputs.get("direction", "INGRESS")
        inputs["description"] = "round 2"
    if goal.type == "gcp:compute/address:Address":
        inputs["description"] = "round 2"
    return inputs


@pytest.fixture(scope="module")
def case() -> Iterator[Case]:
    # Each made-up name is another one, and the same ones in each run of the tests.
    with mock.patch("secrets.token_bytes", random.Random(4).randbytes):
        yield Case()


class _Counting(FaultyCloud):
    """Without faults; keeps which calls made grants."""

    def __init__(self) -> None:
        super().__init__([])
        self.grants: list[int] = []

    @override
    def made(self, type: str, id: str) -> None:
        if HideGrants(1).hides(self.calls, type):
            self.grants.append(self.calls)


def converge(
    stream: Stream,
    ground: Ground,
    faults: list[Fault],
    mode: Mode = Mode.UPDATE,
    *,
    around: FaultyCloud | None = None,
) -> int:
    """Repeat the command until nothing is refused; how many calls that took."""
    TALLY.put += len(faults)
    cloud = around or FaultyCloud(faults)
    for _ in range(ATTEMPTS):
        try:
            refusals = replay(stream, ground, cloud, mode=mode)
        except KilledError:
            # The process is gone, and what it was about to do next with it; the command starts anew.
            cloud = FaultyCloud([])
            continue
        if not refusals:
            assert not cloud.unmet()
            return cloud.calls
        assert all(item.behaviour.startswith("fault-") for item in refusals), refusals
    raise AssertionError(f"{faults} do not converge in {ATTEMPTS} attempts")


def leaves(value: Any) -> Iterator[str]:
    """The longer texts within ``value``."""
    if isinstance(value, dict):
        for item in cast("dict[str, Any]", value).values():
            yield from leaves(item)
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from leaves(item)
    elif isinstance(value, str) and len(value) > 8:
        yield value


def shown(value: Any, names: dict[str, str]) -> str:
    text = repr(value)
    for name, stand_in in sorted(names.items(), key=lambda item: -len(item[0])):
        text = whole(name, stand_in, text) if name in text else text
    return text


def learn(state: ResourceState, twin: ResourceState, mine: dict[str, str], theirs: dict[str, str]) -> None:
    """What is random by nature: names made up, what the cloud derives from them, ids of providers."""
    pairs = [(state.inputs[key], twin.inputs[key]) for key in state.inputs.get("__defaults", [])]
    if state.type.startswith("pulumi:providers:"):
        pairs.append((state.id, twin.id))
    if pairs or repr(state.inputs) != repr(twin.inputs):
        pairs += zip(leaves(state.outputs), leaves(twin.outputs), strict=False)
        pairs.append((state.id, twin.id))
    for index, (ours, wanted) in enumerate(pairs):
        if ours != wanted:
            # The range of examples is small: two resources may have one address.
            address = re.fullmatch(r"203\.0\.113\.\d+", str(wanted))
            mine[str(ours)] = theirs[str(wanted)] = "<address>" if address else f"<{state.urn} {index}>"


FIELDS = ("inputs", "dependencies", "property_dependencies", "parent", "provider")


def same_end(ground: Ground, expected: Ground) -> None:
    states, wanted = ground.snapshot.resources, expected.snapshot.resources
    assert not ground.snapshot.pending_operations
    assert not any(state.delete or state.pending_replacement or state.init_errors for state in states)
    assert Counter(state.urn for state in states) == Counter(state.urn for state in wanted)
    other = {state.urn: state for state in wanted}
    mine: dict[str, str] = {}
    theirs: dict[str, str] = {}
    for state in states:
        twin = other[state.urn]
        made_up = state.inputs.get("__defaults", [])
        for key in made_up:
            name, named = str(state.inputs[key]), str(twin.inputs[key])
            assert name[:-7] == named[:-7]
            mine[name] = theirs[named] = f"<{state.urn} {key}>"
        for field in FIELDS:
            assert shown(getattr(state, field), mine) == shown(getattr(twin, field), theirs), state.urn
        assert set(state.outputs) == set(twin.outputs), state.urn
        if state.custom and repr(state.inputs) == repr(twin.inputs) and not made_up:
            assert steady(state.outputs) == steady(twin.outputs), state.urn
        learn(state, twin, mine, theirs)
    managed = Counter((state.type, state.id) for state in states if state.type.startswith("gcp:"))
    assert max(managed.values(), default=1) == 1, "two states of one object"
    assert unmanaged(ground) == unmanaged(expected), "orphans"
    for state in states:
        if state.type.startswith("gcp:"):
            held = ground.world.get(state.type, state.id)
            assert held is not None, f"{state.id} is lost"
            assert repr(without_defaults(held.inputs)) == repr(without_defaults(state.inputs)), state.urn


def without_defaults(inputs: dict[str, Any]) -> dict[str, Any]:
    """Inputs without the note of which of them the provider made up, in one order."""
    return {key: value for key, value in sorted(inputs.items()) if key != "__defaults"}


def steady(outputs: dict[str, Any]) -> str:
    """Outputs without what tells when and how often a resource was changed."""
    counters = {"generation", "observedGeneration", "etag", "fingerprint"}
    kept = {key: value for key, value in outputs.items() if key not in counters}
    return re.sub(r"\d{4}-\d\d-\d\dT[0-9:.]+Z|-\d{5}-[a-z]{3}(?=')", "<moment>", repr(kept))


def unmanaged(ground: Ground) -> Counter[str]:
    """What the world holds and the state does not, by type: nothing but what a deletion abandons.

    What another program has made is known by its id alone.
    """
    managed = {(state.type, state.id) for state in ground.snapshot.resources}
    return Counter(
        record.type for record in ground.world if record.inputs and (record.type, record.id) not in managed
    )


def check_up(case: Case, faults: list[Fault]) -> None:
    ground = case.empty.copy()
    converge(case.first, ground, faults)
    same_end(ground, case.up)


def check_change(case: Case, faults: list[Fault]) -> None:
    ground = case.up.copy()
    converge(case.second, ground, faults)
    same_end(ground, case.relabelled)


def check_down(case: Case, faults: list[Fault]) -> None:
    ground = case.up.copy()
    converge(case.first, ground, faults, Mode.DESTROY)
    same_end(ground, case.down)


def creates(case: Case) -> int:
    return case.creates


def updates(case: Case) -> int:
    return case.updates


def deletes(case: Case) -> int:
    return case.deletes


def interrupt(stream: Stream, ground: Ground, fault: Fault, mode: Mode = Mode.UPDATE) -> None:
    """One command that a fault ends."""
    TALLY.put += 1
    with contextlib.suppress(KilledError):
        replay(stream, ground, FaultyCloud([fault]), mode=mode)


def check_change_undone(case: Case, faults: list[Fault]) -> None:
    ground = case.up.copy()
    interrupt(case.second, ground, faults[0])
    converge(case.first, ground, [])
    same_end(ground, case.up)


WAYS: dict[str, tuple[Callable[[Case, list[Fault]], None], Callable[[Case], int]]] = {
    "up": (check_up, creates),
    "change": (check_change, updates),
    "down": (check_down, deletes),
    "change, then undone": (check_change_undone, updates),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", sorted(WAYS))
def test_a_fault_at_a_call_converges(case: Case, way: str, kind: str) -> None:
    check, calls = WAYS[way]
    if EVERY:
        for call in range(1, calls(case) + 1):
            check(case, [fault(kind, call)])
        return

    @given(st.integers(1, calls(case)))
    @(settings(SAMPLE, max_examples=4))
    def sampled(call: int) -> None:
        check(case, [fault(kind, call)])

    sampled()


def test_several_faults_in_one_deployment_converge(case: Case) -> None:
    one = st.tuples(st.sampled_from(KINDS[:4]), st.integers(1, case.creates - 10))

    @given(st.lists(one, min_size=2, max_size=3, unique_by=lambda item: item[1]))
    @(settings(SAMPLE, max_examples=100 if EVERY else 6))
    def sampled(several: list[tuple[str, int]]) -> None:
        check_up(case, [fault(kind, call) for kind, call in several])

    sampled()


def one_up(case: Case, ground: Ground, cloud: FaultyCloud) -> tuple[bool, int]:
    """One ``up`` as the command does it: repeated at most ``REPEATS`` times, only on listed errors."""
    for attempt in range(REPEATS + 1):
        refusals = replay(case.first, ground, cloud)
        if not refusals:
            return True, attempt
        assert propagation_of(item.message for item in refusals) == "a grant made a moment ago"
    return False, REPEATS


def test_each_grant_that_is_not_visible_yet_is_waited_for_within_one_up(case: Case) -> None:
    assert len(case.grants) > 40
    waited = 0

    def check(call: int, reads: int) -> None:
        nonlocal waited
        TALLY.put += 1
        ground, cloud = case.fresh(), FaultyCloud([HideGrants(reads, Where(call=call))])
        fine, repeated = one_up(case, ground, cloud)
        # Some grants are for people and for what runs later: nothing here needs them.
        assert fine
        assert repeated == (0 if cloud.unmet() else reads)
        waited += repeated
        same_end(ground, case.up)

    @given(st.sampled_from(case.grants), st.integers(1, REPEATS))
    @(settings(SAMPLE, max_examples=20))
    def sampled(call: int, reads: int) -> None:
        check(call, reads)

    if EVERY:
        for call in case.grants:
            for reads in range(1, REPEATS + 1):
                check(call, reads)
    else:
        sampled()
    assert waited


@pytest.mark.parametrize("reads", [1, 2, 3])
def test_all_grants_that_are_not_visible_yet_are_waited_for(case: Case, reads: int) -> None:
    """The longest chain of grants, each needed to make the next, is as long as one ``up`` has repetitions."""
    TALLY.put += len(case.grants)
    ground, cloud, repeated, ups = case.fresh(), FaultyCloud([HideGrants(reads)]), 0, 0
    fine = False
    while not fine:
        fine, more = one_up(case, ground, cloud)
        # The first run of a further command is the repetition that the one before had no more of.
        repeated, ups = repeated + more + bool(ups), ups + 1
        assert ups <= reads
    assert repeated == reads * REPEATS
    same_end(ground, case.up)
