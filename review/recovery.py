"""How the stack comes back and whether its databases have connections enough: tables of every report."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from policies.connections import Endpoint, endpoints
from policies.recovery import price, span
from policies.recovery_declared import declared
from policies.recovery_promises import Change, Figure, cheapest, figures
from review.adapting import adapt
from sandbox.model import ResourceState

__all__ = [
    "CONNECTION_HEADS",
    "RECOVERY_HEADS",
    "Resilience",
    "connection_rows",
    "recovery_rows",
    "resilience_document",
    "resilience_of",
    "verdict",
]

RECOVERY_HEADS = ("scenario", "back after", "promised", "lost at most", "promised", "holds", "because")
CONNECTION_HEADS = ("database", "minimum", "maximum", "roll-out", "available", "fits")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resilience:
    """The five scenarios beside their promises, and the connections of each database."""

    figures: tuple[Figure, ...] = ()
    # What mends the broken promises at the lowest price; None where no setting does.
    cheapest: tuple[Change, ...] | None = ()
    endpoints: tuple[Endpoint, ...] = ()


def resilience_of(states: Iterable[ResourceState]) -> Resilience:
    """What a state promises; nothing where it has no database."""
    resources = [adapt(state) for state in states if not state.delete]
    found = declared(resources)
    if found is None:
        return Resilience()
    return Resilience(
        figures=figures(found[1]), cheapest=cheapest(found[1]), endpoints=tuple(endpoints(resources))
    )


def verdict(found: Resilience) -> str:
    """One line: how many promises hold, and what would mend the rest."""
    held = sum(figure.holds for figure in found.figures)
    tight = sum(not endpoint.budget.fits for endpoint in found.endpoints)
    text = f"{held} of {len(found.figures)} promises hold, {tight} databases lack connections"
    if found.cheapest is None:
        return f"{text}; no setting makes all promises hold"
    if not found.cheapest:
        return text
    names = ", ".join(change.setting for change in found.cheapest)
    return f"{text}; cheapest mend: {names}, {price(found.cheapest)}"


def recovery_rows(found: Resilience) -> list[tuple[str, ...]]:
    """Under RECOVERY_HEADS, one row a scenario."""
    return [
        (
            figure.promise.title,
            span(figure.rto),
            span(figure.promise.rto),
            span(figure.rpo),
            f"under {span(figure.promise.rpo)}" if figure.promise.under else span(figure.promise.rpo),
            "yes" if figure.holds else "NO",
            figure.because,
        )
        for figure in found.figures
    ]


def connection_rows(found: Resilience) -> list[tuple[str, ...]]:
    """Under CONNECTION_HEADS, one row a database."""
    return [
        (
            endpoint.resource.name,
            str(endpoint.budget.minimum),
            str(endpoint.budget.maximum),
            str(endpoint.budget.rollout),
            f"{endpoint.budget.available} of {endpoint.budget.limit}",
            "yes" if endpoint.budget.fits else "NO",
        )
        for endpoint in found.endpoints
    ]


def resilience_document(found: Resilience) -> dict[str, Any]:
    """The block ``resilience`` of ``report.schema.json``; a time without bound is null."""
    return {
        "scenarios": [
            {
                "scenario": figure.promise.scenario,
                "rto_seconds": _finite(figure.rto),
                "rto_promised_seconds": figure.promise.rto,
                "rpo_seconds": _finite(figure.rpo),
                "rpo_promised_seconds": figure.promise.rpo,
                "holds": figure.holds,
                "because": figure.because,
            }
            for figure in found.figures
        ],
        "cheapest": None
        if found.cheapest is None
        else [
            {"setting": change.setting, "usd_a_month": None if change.usd is None else round(change.usd, 2)}
            for change in found.cheapest
        ],
        "connections": [
            {
                "urn": endpoint.urn,
                "limit": endpoint.budget.limit,
                "available": endpoint.budget.available,
                "minimum": endpoint.budget.minimum,
                "maximum": endpoint.budget.maximum,
                "rollout": endpoint.budget.rollout,
                "fits": endpoint.budget.fits,
            }
            for endpoint in found.endpoints
        ],
    }


def _finite(value: float) -> float | None:
    return None if math.isinf(value) else value
