"""Rate windows and bans against a clock, and against a model that remembers everything."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.waf.corpus import Request
from review.waf.policy import RateLimit, Rule
from review.waf.sequence import Counters, key_of
from tests.review.waf.examples import policy, request_of, throttle


def answers(limit: dict[str, Any], times: list[float]) -> str:
    """What each request at these times becomes: a for allowed, d for refused."""
    made = policy(limit)
    counters = Counters(made)
    found = [counters.ask(made.rules[0], request_of(), moment) for moment in times]
    return "".join("a" if action.allows else "d" for action in found)


@pytest.mark.parametrize(
    ("limit", "times", "expected"),
    [
        (throttle(1, 2, 60), [0, 1, 2, 59.9, 60, 60.5, 61], "aaddada"),
        (throttle(1, 1, 10), [0, 0, 9.99, 10], "adda"),
        # A window longer than the ban: what came before the ban is forgotten with it.
        (throttle(1, 1, 600, banDurationSec=60), [0, 1, 60.9, 61, 62], "addad"),
        (throttle(1, 2, 60, banDurationSec=120), [0, 1, 2, 3, 121.9, 122, 123, 124], "aadddaad"),
        (
            throttle(1, 1, 10, banDurationSec=60, banThreshold={"count": 2, "intervalSec": 30}),
            [0, 1, 2, 3, 14, 30, 62.9, 63],
            "adddddda",
        ),
        (
            throttle(1, 1, 10, banDurationSec=60, banThreshold={"count": 2, "intervalSec": 30}),
            [0, 1, 12, 13, 44, 45],
            "adadad",
        ),
    ],
)
def test_rate_rule_over_time(limit: dict[str, Any], times: list[float], expected: str) -> None:
    assert answers(limit, times) == expected


def naive(limit: RateLimit, times: list[float]) -> list[bool]:
    """Whether each request is let through, told anew each time from the whole history."""
    allowed: list[bool] = []
    for moment in times:
        history = list(zip(times, allowed, strict=False))
        if not limit.ban_seconds:
            passed = sum(ok for at, ok in history if at > moment - limit.seconds)
            allowed.append(passed < limit.count)
            continue
        # A ban begins with each refusal that does not lie in another ban; what came before it is forgotten.
        begun, until = 0, float("-inf")
        for place, (at, ok) in enumerate(history):
            if not ok and at >= until:
                begun, until = place, at + limit.ban_seconds
        recent = [at for at, ok in history[begun:] if ok and at > moment - limit.seconds]
        allowed.append(moment >= until and len(recent) < limit.count)
    return allowed


@given(
    count=st.integers(1, 5),
    seconds=st.sampled_from([10, 30, 60, 600]),
    ban=st.sampled_from([0, 60, 120]),
    gaps=st.lists(st.sampled_from([0.0, 0.5, 3.0, 9.5, 10.0, 31.0, 61.0, 130.0]), max_size=40),
)
def test_windows_and_bans_agree_with_a_model_that_remembers_everything(
    count: int, seconds: int, ban: int, gaps: list[float]
) -> None:
    made = policy(throttle(1, count, seconds, banDurationSec=ban) if ban else throttle(1, count, seconds))
    limit = made.rules[0].rate
    assert limit is not None
    times = [sum(gaps[: number + 1]) for number in range(len(gaps))]
    counters = Counters(made)
    found = [counters.ask(made.rules[0], request_of(), moment).allows for moment in times]
    assert found == naive(limit, times)


@given(st.lists(st.tuples(st.sampled_from(["192.0.2.1", "192.0.2.2"]), st.floats(0, 100)), max_size=30))
def test_one_address_never_pays_for_another(asked: list[tuple[str, float]]) -> None:
    made = policy(throttle(1, 3, 60))
    both = Counters(made)
    apart = {"192.0.2.1": Counters(made), "192.0.2.2": Counters(made)}
    for address, now in sorted(asked, key=lambda pair: pair[1]):
        request = request_of(address=address)
        alone = apart[address].ask(made.rules[0], request, now)
        assert both.ask(made.rules[0], request, now) == alone


def limited(**options: Any) -> RateLimit:
    found: Rule = policy(throttle(1, 1, 10, **options)).rules[0]
    assert found.rate is not None
    return found.rate


@pytest.mark.parametrize(
    ("options", "one", "other", "same"),
    [
        ({"enforceOnKey": "ALL"}, {"address": "192.0.2.1"}, {"address": "192.0.2.2"}, True),
        ({"enforceOnKey": "IP"}, {"address": "192.0.2.1"}, {"address": "192.0.2.2"}, False),
        ({"enforceOnKey": "HTTP_PATH"}, {"path": "/a?x"}, {"path": "/a?y"}, True),
        ({"enforceOnKey": "HTTP_PATH"}, {"path": "/a"}, {"path": "/b"}, False),
        ({"enforceOnKey": "REGION_CODE"}, {"region": "FR"}, {"region": "DE"}, False),
        ({"enforceOnKey": "SNI"}, {"host": "a.example"}, {"host": "b.example"}, False),
        (
            {"enforceOnKey": "HTTP_HEADER", "enforceOnKeyName": "X-Key"},
            {"headers": {"x-key": "1"}},
            {"headers": {"x-key": "2"}},
            False,
        ),
        # Without the header all share one count.
        ({"enforceOnKey": "HTTP_HEADER", "enforceOnKeyName": "X-Key"}, {}, {"address": "192.0.2.9"}, True),
        # Only 128 bytes of a key tell.
        (
            {"enforceOnKey": "HTTP_HEADER", "enforceOnKeyName": "X-Key"},
            {"headers": {"x-key": "k" * 128 + "1"}},
            {"headers": {"x-key": "k" * 128 + "2"}},
            True,
        ),
        (
            {"enforceOnKey": "HTTP_COOKIE", "enforceOnKeyName": "sid"},
            {"headers": {"cookie": "a=1; sid=x"}},
            {"headers": {"cookie": "sid=y"}},
            False,
        ),
        (
            {"enforceOnKey": "XFF_IP"},
            {"headers": {"x-forwarded-for": "192.0.2.1, 10.0.0.1"}},
            {"headers": {"x-forwarded-for": "192.0.2.1"}},
            True,
        ),
        ({"enforceOnKey": "XFF_IP"}, {"address": "192.0.2.1"}, {"address": "192.0.2.2"}, False),
        (
            {
                "enforceOnKey": "",
                "enforceOnKeyConfigs": [{"enforceOnKeyType": "IP"}, {"enforceOnKeyType": "HTTP_PATH"}],
            },
            {"path": "/a"},
            {"path": "/b"},
            False,
        ),
    ],
)
def test_what_is_counted_together(
    options: dict[str, Any], one: dict[str, Any], other: dict[str, Any], same: bool
) -> None:
    limit = limited(**options)

    def key(fields: dict[str, Any]) -> tuple[str, ...]:
        request: Request = request_of(**fields)
        return key_of(limit, request, ())

    assert (key(one) == key(other)) is same


def test_a_trusted_header_names_the_user() -> None:
    limit = limited(enforceOnKey="USER_IP")
    request = request_of(headers={"true-client-ip": "203.0.113.9"})
    assert key_of(limit, request, ("true-client-ip",)) != key_of(limit, request, ())
