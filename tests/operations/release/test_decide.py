"""The verdict: what it never does, whatever is counted, and what each reason means."""

from __future__ import annotations

from math import comb
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.release.decide import Rules, Sample, decide, tail

RULES = Rules(latency_ms=1_000)
CALM = {"api-availability": 0.4, "api-latency": 0.0}


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    requests = draw(st.integers(0, 100_000))
    return Sample(
        requests=requests,
        errors=draw(st.integers(0, requests)),
        p95_ms=draw(st.none() | st.floats(0, 60_000)),
    )


burns = st.dictionaries(st.sampled_from(["a", "b"]), st.none() | st.floats(0, 100))
elapsed = st.floats(0, 10_000)


@given(elapsed, samples(), samples(), burns)
def test_nothing_is_promoted_before_the_soak_or_by_too_few_requests(
    seconds: float, new: Sample, stable: Sample, burn: dict[str, float | None]
) -> None:
    found = decide(RULES, seconds, new, stable, burn)
    if seconds < RULES.soak_seconds or new.requests < RULES.minimum_requests:
        assert found.kind != "promote"


@given(elapsed, samples(), samples(), burns)
def test_what_cannot_be_read_promotes_nothing(
    seconds: float, new: Sample, stable: Sample, burn: dict[str, float | None]
) -> None:
    blind = {**burn, "c": None}
    assert decide(RULES, seconds, new, stable, blind).kind != "promote"


@given(st.floats(RULES.patience_seconds, 1e6), samples(), samples(), burns)
def test_patience_ends(seconds: float, new: Sample, stable: Sample, burn: dict[str, float | None]) -> None:
    assert decide(RULES, seconds, new, stable, burn).kind != "wait"


@given(elapsed, samples(), samples(), burns, st.floats(RULES.burn_limit, 1_000))
def test_a_burning_budget_always_leads_back(
    seconds: float, new: Sample, stable: Sample, burn: dict[str, float | None], rate: float
) -> None:
    assert decide(RULES, seconds, new, stable, {**burn, "c": rate}).kind == "back"


@given(elapsed, samples(), samples(), burns, st.integers(1, 1_000))
def test_more_errors_never_turn_back_into_promote(
    seconds: float, new: Sample, stable: Sample, burn: dict[str, float | None], more: int
) -> None:
    worse = Sample(requests=new.requests, errors=min(new.requests, new.errors + more), p95_ms=new.p95_ms)
    if decide(RULES, seconds, new, stable, burn).kind == "back":
        assert decide(RULES, seconds, worse, stable, burn).kind == "back"


@given(st.integers(100, 100_000), st.floats(0, 1), st.integers(1, 99))
def test_a_revision_like_the_stable_one_is_not_sent_back(requests: int, share: float, percent: int) -> None:
    """The same share of errors and the same latency, however high: what was there before is not its doing."""
    new = Sample(requests=requests, errors=int(share * requests), p95_ms=5_000)
    scale = (100 - percent) / percent
    total = int(requests * scale) + 1
    stable = Sample(requests=total, errors=min(total, int(share * total) + 1), p95_ms=5_000)
    assert decide(RULES, 900, new, stable, CALM).kind == "promote"


@given(st.integers(0, 60), st.integers(0, 60), st.floats(0.001, 0.999))
def test_the_tail_is_that_of_the_binomial_where_errors_are_more_than_expected(
    requests: int, errors: int, share: float
) -> None:
    errors = min(errors, requests)
    exact = sum(
        comb(requests, count) * share**count * (1 - share) ** (requests - count)
        for count in range(errors, requests + 1)
    )
    if errors > share * requests:
        assert tail(requests, errors, share) == pytest.approx(exact, rel=1e-6, abs=1e-12)
    else:
        assert exact > 0.2


@pytest.mark.parametrize(
    ("seconds", "new", "stable", "burn", "kind", "why"),
    [
        # Early: three of three is enough, one of ten is not.
        (
            60,
            Sample(requests=3, errors=3),
            Sample(requests=300, errors=0),
            {},
            "back",
            "3 of 3 requests failed",
        ),
        (
            60,
            Sample(requests=10, errors=1),
            Sample(requests=990, errors=0),
            {},
            "wait",
            "10 requests, 1 errors",
        ),
        # Bad, but no worse than what it replaces.
        (
            900,
            Sample(requests=500, errors=50, p95_ms=90),
            Sample(requests=500, errors=50, p95_ms=90),
            CALM,
            "promote",
            "50 of 500",
        ),
        (
            900,
            Sample(requests=500, errors=0, p95_ms=1_400),
            Sample(requests=500, errors=0, p95_ms=1_000),
            CALM,
            "promote",
            "1400 ms",
        ),
        (
            900,
            Sample(requests=500, errors=0, p95_ms=1_600),
            Sample(requests=500, errors=0, p95_ms=1_000),
            CALM,
            "back",
            "limit 1500 ms",
        ),
        # The last step has nothing beside it.
        (
            900,
            Sample(requests=500, errors=0, p95_ms=1_100),
            Sample(requests=0, errors=0),
            CALM,
            "back",
            "limit 1000 ms",
        ),
        (
            900,
            Sample(requests=99, errors=0, p95_ms=50),
            Sample(requests=9_900, errors=0),
            CALM,
            "wait",
            "99 of 100 requests so far",
        ),
        (
            3_600,
            Sample(requests=99, errors=0, p95_ms=50),
            Sample(requests=9_900, errors=0),
            CALM,
            "back",
            "not enough traffic to judge: 99 of 100",
        ),
        (
            900,
            Sample(requests=500, errors=0, p95_ms=50),
            Sample(requests=0, errors=0),
            {"api-latency": None},
            "wait",
            "cannot be read: api-latency",
        ),
        (
            3_600,
            Sample(requests=500, errors=0),
            Sample(requests=0, errors=0),
            CALM,
            "back",
            "latency of the new revision",
        ),
        (
            60,
            Sample(requests=0, errors=0),
            Sample(requests=0, errors=0),
            {"api-latency": 14.4},
            "back",
            "objective api-latency burns its budget 14.4",
        ),
    ],
)
def test_each_reason_has_its_sentence(
    seconds: float, new: Sample, stable: Sample, burn: dict[str, float | None], kind: str, why: str
) -> None:
    found = decide(RULES, seconds, new, stable, burn)
    assert (found.kind, why in found.why) == (kind, True), found.why


def test_the_night_may_be_taken_at_its_word() -> None:
    quiet = Rules(latency_ms=1_000, when_quiet="promote")
    found = decide(quiet, 3_600, Sample(requests=2, errors=0, p95_ms=50), Sample(requests=0, errors=0), CALM)
    assert (found.kind, "not enough traffic" in found.why) == ("promote", True)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"soak_seconds": 4_000}, "soak must be between 0 and patience 3600 s, got 4000"),
        ({"soak_seconds": -1}, "soak must be between 0 and patience"),
        ({"minimum_requests": 0}, "minimum-requests must be 1 or more, got 0"),
        *(
            ({"burn_limit": limit}, f"burn-limit must be above 1 and at most 1000, got {limit}; correct it")
            for limit in (1, 0, -6, 1001)
        ),
        ({"latency_ms": 0}, "latency must be above 0 ms, got 0; correct the objective"),
        *(
            ({name: value}, f"{option} must be a number, got {value}; correct it")
            for name, option in (
                ("latency_ms", "latency"),
                ("soak_seconds", "soak"),
                ("patience_seconds", "patience"),
                ("minimum_requests", "minimum-requests"),
                ("burn_limit", "burn-limit"),
            )
            for value in (float("nan"), float("inf"))
        ),
    ],
)
def test_fails_when_a_rule_could_never_decide(changes: dict[str, Any], sentence: str) -> None:
    made: dict[str, Any] = {"latency_ms": 1_000, **changes}
    with pytest.raises(ValueError, match=sentence):
        Rules(**made)
