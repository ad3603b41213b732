"""The recovery arithmetic: what each promise rests on, and that more protection never makes it worse."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.drill import drilled
from policies.evaluate import evaluate
from policies.model import UNKNOWN, Resource
from policies.recovery import recovery_promised, span
from policies.recovery_declared import Declared, declared
from policies.recovery_promises import PROMISES, cheapest, figures
from policies.sql_instances import INSTANCE, follows
from policies.sql_replicas import replica_elsewhere
from tests.policies.good import GOOD, absent, bad, spoil

SECONDS = st.floats(0, 10_000)
STACKS = st.builds(
    Declared,
    tier=st.sampled_from(["db-custom-1-3840", "db-custom-4-16384"]),
    regional=st.booleans(),
    disk_gb=st.floats(10, 65_536),
    backups=st.booleans(),
    point_in_time=st.booleans(),
    backups_elsewhere=st.booleans(),
    replica_elsewhere=st.booleans(),
    lag_seconds=st.one_of(SECONDS, st.just(math.inf)),
    keys_elsewhere=st.booleans(),
    api_minimum=st.integers(0, 5),
    api_detection_seconds=SECONDS,
    api_start_seconds=SECONDS,
    second_minimum=st.one_of(st.none(), st.integers(0, 5)),
)
MORE: dict[str, Callable[[Declared], Declared]] = {
    "standby": lambda one: replace(one, regional=True),
    "backups": lambda one: replace(one, backups=True),
    "point in time": lambda one: replace(one, point_in_time=True),
    "backups elsewhere": lambda one: replace(one, backups_elsewhere=True),
    "replica": lambda one: replace(one, replica_elsewhere=True, lag_seconds=min(one.lag_seconds, 370)),
    "keys": lambda one: replace(one, keys_elsewhere=True),
    "instances": lambda one: replace(one, api_minimum=one.api_minimum + 1),
    "second region": lambda one: replace(one, second_minimum=(one.second_minimum or 0) + 1),
    "smaller": lambda one: replace(one, disk_gb=one.disk_gb / 2),
    "closer": lambda one: replace(one, lag_seconds=one.lag_seconds / 2),
}


@pytest.mark.parametrize("more", MORE.values(), ids=MORE)
@given(stack=STACKS)
def test_more_protection_never_makes_a_figure_worse(
    more: Callable[[Declared], Declared], stack: Declared
) -> None:
    for before, after in zip(figures(stack), figures(more(stack)), strict=True):
        assert after.rto <= before.rto, before.promise.title
        assert after.rpo <= before.rpo, before.promise.title
        assert after.holds or not before.holds


@given(STACKS)
def test_cheapest_change_mends_every_promise_or_there_is_none(stack: Declared) -> None:
    changes = cheapest(stack)
    holds = all(figure.holds for figure in figures(stack))
    assert (changes == ()) is holds
    if changes is None:
        # What no setting mends: a disk too large to be cloned in time, an API too slow to start.
        slow = stack.api_detection_seconds > 300 or stack.api_start_seconds > 300
        assert slow or stack.disk_gb > 250
    else:
        assert all(change.usd is not None and change.usd >= 0 for change in changes)
        assert len({change.setting for change in changes}) == len(changes)


GOOD_STACK = Declared(lag_seconds=370, api_detection_seconds=90, api_start_seconds=120)


@pytest.mark.parametrize(
    ("stack", "broken", "settings"),
    [
        (GOOD_STACK, [], []),
        (
            replace(GOOD_STACK, regional=False),
            ["instance", "zone"],
            ["postgres.availability: REGIONAL"],
        ),
        (
            replace(GOOD_STACK, replica_elsewhere=False),
            ["region"],
            ["postgres.replicas: one in second_region"],
        ),
        (replace(GOOD_STACK, lag_seconds=math.inf), ["region"], ["an alert at 10 s of replica lag"]),
        (replace(GOOD_STACK, lag_seconds=600), ["region"], ["an alert at 10 s of replica lag"]),
        (
            replace(GOOD_STACK, keys_elsewhere=False),
            ["region"],
            ["keys.regions and secrets in second_region"],
        ),
        (
            replace(GOOD_STACK, point_in_time=False),
            ["corruption"],
            ["backups with point-in-time recovery in location eu"],
        ),
        (
            replace(GOOD_STACK, backups_elsewhere=False),
            ["total"],
            ["backups with point-in-time recovery in location eu"],
        ),
        (
            replace(GOOD_STACK, api_minimum=1, api_start_seconds=240),
            ["instance"],
            ["api.scaling.min_instances: 2"],
        ),
        (replace(GOOD_STACK, second_minimum=None), [], []),
        (replace(GOOD_STACK, disk_gb=250), [], []),
    ],
)
def test_promises_that_break_and_what_mends_them(
    stack: Declared, broken: list[str], settings: list[str]
) -> None:
    assert [one.promise.scenario for one in figures(stack) if not one.holds] == broken
    assert [change.setting for change in cheapest(stack) or ()] == settings


def test_no_setting_makes_a_large_disk_restore_in_time() -> None:
    assert cheapest(replace(GOOD_STACK, disk_gb=251)) is None


def test_promises_are_those_of_the_recovery_plan() -> None:
    assert [(one.rto / 60, one.rpo / 60) for one in PROMISES] == [
        (5, 0),
        (15, 5),
        (120, 15),
        (30, 60),
        (240, 1440),
    ]


def test_good_platform_is_read_as_it_is_declared() -> None:
    found = declared(GOOD)
    assert found is not None
    assert found[0].name == "postgres"
    assert found[1] == Declared(
        tier="db-custom-2-8192",
        lag_seconds=10,
        api_detection_seconds=30,
        api_start_seconds=30,
        second_minimum=None,
        limit_gb=200,
    )


@pytest.mark.parametrize("master", [None, "", "postgres"])
def test_a_plan_that_still_shows_the_old_primary_changes_no_verdict(master: str | None) -> None:
    """The provider's field is computed too: what a promotion took out of the program stays in the plan."""
    home = bad("drill", {"userEnvVars.SOURCE": "replica"})
    found = spoil(bad("replica", {"masterInstanceName": master, "instanceType": "CLOUD_SQL_INSTANCE"}), home)
    assert evaluate(found, [drilled, recovery_promised, replica_elsewhere]) == []
    read = declared(found)
    assert read is not None
    assert read[0].name == "replica"


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        ({"name": ()}, "no"),
        ({"name": (), "masterInstanceName": ("urn:primary",)}, "yes"),
        ({"name": (), "masterInstanceName": ()}, "maybe"),
        ({}, "maybe"),
    ],
)
def test_what_the_program_gave_tells_a_new_primary_from_a_replica(
    given: dict[str, tuple[str, ...]], verdict: str
) -> None:
    """A plan knows of a new primary neither its type nor that it follows none."""
    planned = replace(GOOD[0], type=INSTANCE, props={"masterInstanceName": UNKNOWN, "instanceType": UNKNOWN})
    assert follows(replace(planned, property_dependencies=given)) == verdict


def promoted(**changes: object) -> list[Resource]:
    """The good platform after a promotion, its old primary zonal as nobody looks at it any more."""
    takes_writes = {"masterInstanceName": None, "instanceType": "CLOUD_SQL_INSTANCE", **changes}
    return spoil(bad("replica", takes_writes), bad("postgres", {"settings.availabilityType": "ZONAL"}))


def test_a_promoted_replica_is_judged_in_place_of_its_old_primary() -> None:
    found = declared(promoted())
    assert found is not None
    assert (found[0].name, found[1].replica_elsewhere) == ("replica", False)


def test_the_way_home_is_not_refused_while_a_promoted_replica_stands_beside_its_old_primary() -> None:
    rules = [recovery_promised, replica_elsewhere]
    assert evaluate(promoted(), rules) == []
    # A second primary in the same region is no loss of a region.
    assert evaluate(promoted(region="europe-west1"), rules) != []


def test_corruption_shows_what_a_grown_disk_costs() -> None:
    because = figures(replace(GOOD_STACK, disk_gb=100, limit_gb=500))[3].because
    assert because.endswith(
        "(100 GB as declared), verify; 40 min once the disk has grown to its limit of 500 GB"
    )
    assert "grown" not in figures(replace(GOOD_STACK, disk_gb=100, limit_gb=100))[3].because


def test_refusal_names_the_cheapest_change_and_its_price() -> None:
    broken = spoil(bad("postgres", {"settings.availabilityType": "ZONAL"}))
    messages = sorted(one.message for one in evaluate(broken, [recovery_promised]))
    assert len(messages) == 2
    assert "recovery (loss of a zone) must take at most 15 min" in messages[0]
    assert messages[0].endswith("; cheapest: postgres.availability: REGIONAL (about 113 USD a month).")


def test_dev_promises_nothing() -> None:
    small = {"settings.availabilityType": "ZONAL", "settings.userLabels.environment": "dev"}
    assert evaluate(spoil(bad("postgres", small)), [recovery_promised]) == []


@pytest.mark.parametrize(
    ("value", "words"),
    [(0, "0 s"), (59, "59 s"), (90, "1.5 min"), (7200, "2 h"), (math.inf, "without bound")],
)
def test_times_as_a_person_says_them(value: float, words: str) -> None:
    assert span(value) == words


def test_unknown_tier_has_no_price_rather_than_none_to_pay() -> None:
    broken = spoil(
        bad("postgres", {"settings.availabilityType": "ZONAL", "settings.tier": "db-perf-optimized-N-2"})
    )
    messages = [one.message for one in evaluate(broken, [recovery_promised])]
    assert all(one.endswith("(its price is not known here).") for one in messages)


def test_the_rule_on_drills_lets_a_promotion_through_and_no_second_primary() -> None:
    promoted = {"masterInstanceName": absent, "instanceType": "CLOUD_SQL_INSTANCE"}
    assert evaluate(spoil(bad("replica", promoted)), [drilled]) == []
    (found,) = evaluate(spoil(bad("replica", {"masterInstanceName": absent})), [drilled])
    assert "workflow of the restore drill must be in the stack" in found.message
