"""The catalogue of database flags: what is refused, what restarts, which instance changes first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facts.postgres_flags import (
    Flag,
    catalogue,
    change_order,
    check_flags,
    check_replica_flags,
    restarting_flags,
)
from facts.refusal import RefusedError

BOUNDED = [flag for flag in catalogue().values() if flag.kind == "integer" and flag.low is not None]
STANDBY = {
    "max_connections",
    "max_locks_per_transaction",
    "max_prepared_transactions",
    "max_wal_senders",
    "max_worker_processes",
}


def test_the_five_parameters_of_a_standby_are_ordered() -> None:
    assert {flag.name for flag in catalogue().values() if flag.replica} == STANDBY


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"max_conections": "100"}, "got 'max_conections'; did you mean 'max_connections'"),
        ({"quite_unlike_anything": "1"}, "got 'quite_unlike_anything'; remove it"),
        ({"max_connections": "0"}, "flags.max_connections must be between 1 and 262143, got 0"),
        ({"work_mem": "64MB"}, "flags.work_mem must be a plain whole number without a unit, got '64MB'"),
        ({"work_mem": "63"}, "flags.work_mem must be between 64 and 2147483647, got 63"),
        ({"log_lock_waits": "yes"}, "flags.log_lock_waits must be one of on, off, got 'yes'"),
        ({"hash_mem_multiplier": "1001"}, "flags.hash_mem_multiplier must be between 1 and 1000, got 1001"),
        ({"log_statement": "everything"}, "flags.log_statement must be one of none, ddl, mod, all"),
    ],
)
def test_fails_when_a_flag_is_misspelt_or_out_of_range(flags: dict[str, str], message: str) -> None:
    with pytest.raises(RefusedError, match=message):
        check_flags("flags", flags)


@given(st.sampled_from(BOUNDED), st.integers(min_value=-(2**33), max_value=2**33))
def test_a_number_passes_exactly_within_its_bounds(flag: Flag, number: int) -> None:
    assert flag.low is not None
    assert flag.high is not None
    if flag.low <= number <= flag.high:
        check_flags("flags", {flag.name: str(number)})
    else:
        with pytest.raises(RefusedError, match=flag.name):
            check_flags("flags", {flag.name: str(number)})


@given(st.sampled_from(sorted(STANDBY)), st.integers(10, 262_143), st.integers(10, 262_143))
def test_a_replica_is_never_below_and_the_order_keeps_it_so(flag: str, first: int, second: int) -> None:
    order = change_order(flag, str(first), str(second))
    if second < first:
        with pytest.raises(RefusedError, match="must be at least"):
            check_replica_flags("flags", {flag: str(first)}, {flag: str(second)})
        assert order == "primary first"
    else:
        check_replica_flags("flags", {flag: str(first)}, {flag: str(second)})
        assert order == ("any" if first == second else "replicas first")


def test_other_flags_may_differ_on_a_replica() -> None:
    check_replica_flags("flags", {"work_mem": "8192"}, {"work_mem": "4096", "max_connections": "10"})
    assert change_order("work_mem", "8192", "4096") == "any"


def test_a_restart_is_told_for_a_change_and_a_removal() -> None:
    assert restarting_flags({"max_connections": "100"}, {"max_connections": "200"}) == ("max_connections",)
    assert restarting_flags({"max_connections": "100", "work_mem": "64"}, {}) == ("max_connections",)
    assert restarting_flags({"work_mem": "64"}, {"work_mem": "65"}) == ()
    assert restarting_flags({"max_connections": "100"}, {"max_connections": "100"}) == ()
