"""The recovery promises hold in production as declared."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from policies.model import Finding, Resource, say, stack_rule
from policies.places import environment
from policies.recovery_declared import declared, parted
from policies.recovery_promises import Change, Figure, cheapest, figures, total_usd

__all__ = ["RULES", "price", "remedy", "span"]


@stack_rule(
    "sql-recovery-promised",
    "After each of the five scenarios production is back in the promised time with the promised data",
    controls=("SQL-37",),
    source="DOC-3.13",
)
def recovery_promised(resources: Sequence[Resource]) -> Iterator[Finding]:
    found = declared(resources)
    if found is None or environment(found[0]) != "prod" or parted(resources):
        return
    primary, stack = found
    for figure in figures(stack):
        if not figure.holds:
            promise = figure.promise
            yield Finding(
                primary.urn,
                say(
                    primary,
                    f"recovery ({promise.title.lower()})",
                    f"take at most {span(promise.rto)} and lose {span(promise.rpo)} at most",
                    f"{span(figure.rto)} and {span(figure.rpo)}",
                    remedy(figure, cheapest(stack)),
                ),
            )


def remedy(figure: Figure, changes: Sequence[Change] | None) -> str:
    """The cheapest change as the end of a sentence."""
    if changes is None:
        return f"no setting mends it: make what {figure.promise.title.lower()} restores smaller"
    return f"cheapest: {', '.join(change.setting for change in changes)} ({price(changes)})"


def price(changes: Sequence[Change]) -> str:
    """What changes cost, in words."""
    usd = total_usd(changes)
    return "its price is not known here" if usd is None else f"about {usd:.0f} USD a month"


def span(value: float) -> str:
    """A time as a person says it."""
    if math.isinf(value):
        return "without bound"
    for size, unit in ((3_600, "h"), (60, "min")):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:g} s"


RULES = (recovery_promised,)
