"""Whether a new revision may have more, must give back what it has, or is watched on.

A pure function of what was counted since the step began, for the new revision and for the stable one beside
it.

- Errors: back as soon as the new revision has so many server errors that one which is no worse than allowed
  would have them less than once in a thousand times (binomial). Allowed is twice the stable revision's
  share, at least 1 %: so three errors in the first three requests are enough, and one in ten is not.
- Error budget: back when an objective of the whole service burns at the rate of the slow-burn alert or
  faster, whoever is to blame: while it burns, nothing is released.
- Latency: back after the soak when the 95th percentile is above the objective's threshold and half as much
  again as the stable revision's.
- Too few requests say nothing: without an error in n of them the true share is below 3/n, 19 times of 20
  (100 requests: 3 %). Below the minimum nothing is promoted; after the patience `when_quiet` decides.
- What cannot be read counts as not known: it is waited for, and after the patience it goes back.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

__all__ = ["Kind", "Rules", "Sample", "Verdict", "decide", "tail"]

Kind = Literal["wait", "promote", "back"]
_ALLOWED_SHARE = 0.01
_ALLOWED_FACTOR = 2.0
_CERTAINTY = 0.001
_LATENCY_FACTOR = 1.5
# As a person gives them.
_OPTIONS = {
    "latency_ms": "latency",
    "soak_seconds": "soak",
    "patience_seconds": "patience",
    "minimum_requests": "minimum-requests",
    "burn_limit": "burn-limit",
}
# A service with an objective of 99.9 % that answers nothing burns so fast.
_HIGHEST_BURN = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """How long and how strictly a step is watched."""

    latency_ms: float
    """Threshold of the latency objective."""
    soak_seconds: float = 900
    """Least time of a step; 0 or more."""
    patience_seconds: float = 3_600
    """Longest time of a step; from soak_seconds."""
    minimum_requests: int = 100
    """Requests of the new revision without which nothing is judged; 1 or more."""
    burn_limit: float = 6.0
    """Rate at which an objective's budget may not burn; above 1, at most 1000."""
    when_quiet: Literal["back", "promote"] = "back"
    """What follows a step with too few requests."""

    def __post_init__(self) -> None:
        # What is no number compares with nothing, and would pass every rule below.
        for name, option in _OPTIONS.items():
            if not math.isfinite(value := getattr(self, name)):
                raise ValueError(f"{option} must be a number, got {value}; correct it")
        if self.latency_ms <= 0:
            raise ValueError(f"latency must be above 0 ms, got {self.latency_ms:g}; correct the objective")
        if not 0 <= self.soak_seconds <= self.patience_seconds:
            raise ValueError(
                f"soak must be between 0 and patience {self.patience_seconds:.0f} s, "
                f"got {self.soak_seconds:.0f}; correct one"
            )
        if self.minimum_requests < 1:
            raise ValueError(f"minimum-requests must be 1 or more, got {self.minimum_requests}; raise it")
        if not 1 < self.burn_limit <= _HIGHEST_BURN:
            raise ValueError(
                f"burn-limit must be above 1 and at most {_HIGHEST_BURN}, got {self.burn_limit:g}; correct it"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """What was counted of one side since the step began."""

    requests: int
    errors: int
    """Those answered with 5xx."""
    p95_ms: float | None = None
    """None where nothing was measured."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What is done, and the sentence that says why."""

    kind: Kind
    why: str


def decide(
    rules: Rules, elapsed_seconds: float, new: Sample, stable: Sample, burn: Mapping[str, float | None]
) -> Verdict:
    """The verdict on a step; never `wait` once the patience is over."""
    allowed = _allowed(stable)
    if new.errors and tail(new.requests, new.errors, allowed) < _CERTAINTY:
        return Verdict(
            kind="back",
            why=f"{new.errors} of {new.requests} requests failed, {allowed:.1%} are allowed",
        )
    for name, rate in burn.items():
        if rate is not None and rate >= rules.burn_limit:
            return Verdict(
                kind="back",
                why=f"objective {name} burns its budget {rate:.1f} times too fast, "
                f"limit {rules.burn_limit:g}",
            )
    if elapsed_seconds < rules.soak_seconds:
        return Verdict(kind="wait", why=f"{new.requests} requests, {new.errors} errors so far")
    over = elapsed_seconds >= rules.patience_seconds
    if new.requests < rules.minimum_requests:
        counted = f"{new.requests} of {rules.minimum_requests} requests"
        if not over:
            return Verdict(kind="wait", why=f"{counted} so far")
        return Verdict(
            kind=rules.when_quiet,
            why=f"not enough traffic to judge: {counted} in {elapsed_seconds / 60:.0f} minutes",
        )
    blind = sorted(name for name, rate in burn.items() if rate is None)
    if new.p95_ms is None:
        blind.append("latency of the new revision")
    if blind:
        return Verdict(kind="back" if over else "wait", why=f"cannot be read: {', '.join(blind)}")
    assert new.p95_ms is not None
    limit = max(rules.latency_ms, _LATENCY_FACTOR * (stable.p95_ms or 0.0))
    if new.p95_ms > limit:
        return Verdict(
            kind="back", why=f"95 % are answered within {new.p95_ms:.0f} ms only, limit {limit:.0f} ms"
        )
    return Verdict(
        kind="promote",
        why=f"{new.errors} of {new.requests} requests failed, 95 % within {new.p95_ms:.0f} ms",
    )


def _allowed(stable: Sample) -> float:
    share = stable.errors / stable.requests if stable.requests else 0.0
    return min(1.0, max(_ALLOWED_SHARE, _ALLOWED_FACTOR * share))


def tail(requests: int, errors: int, share: float) -> float:
    """Chance of that many errors or more among so many requests, each failing with chance `share`."""
    if errors <= 0 or share >= 1:
        return 1.0
    if errors <= share * requests:
        # At or below what is expected: never rare, and no need to add it up.
        return 1.0
    # From the first term down: each is the one before times a factor below 1.
    log = (
        math.lgamma(requests + 1)
        - math.lgamma(errors + 1)
        - math.lgamma(requests - errors + 1)
        + errors * math.log(share)
        + (requests - errors) * math.log1p(-share)
    )
    term, total, odds = math.exp(log), 0.0, share / (1 - share)
    for count in range(errors, requests + 1):
        total += term
        term *= (requests - count) / (count + 1) * odds
        if term < total * 1e-12:
            break
    return min(1.0, total)
