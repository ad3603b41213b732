"""Service level objectives and budgets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sandbox.cloud.behaviours.durations import seconds
from sandbox.cloud.behaviours.table import Call, Phase, Problem, behaviour
from sandbox.cloud.data import as_map, plain

_SLO: Final = "gcp:monitoring/slo:Slo"
_CUSTOM: Final = "gcp:monitoring/customService:CustomService"
_GENERIC: Final = "gcp:monitoring/genericService:GenericService"
_METRIC: Final = "gcp:logging/metric:Metric"
_BUDGET: Final = "gcp:billing/budget:Budget"
_BOTH: Final = (Phase.CREATE, Phase.UPDATE)
_REASON: Final = "INVALID_ARGUMENT"
_SLO_DOCS: Final = "terraform-provider-google-beta website/docs/r/monitoring_slo"
_BUDGET_DOCS: Final = "terraform-provider-google-beta website/docs/r/billing_budget"


@behaviour(
    "MON-038", _SLO, Phase.CHECK, 400, _REASON, "google-beta/services/monitoring/resource_monitoring_slo"
)
def availability(call: Call) -> Iterator[Problem]:
    """Availability that is not enabled."""
    path = "basicSli.availability.enabled"
    if call.get(path) is False:
        yield Problem(path, f"`{path}` must be true, not false; set it or remove the block.")


@behaviour("MON-041", _SLO, _BOTH, 400, _REASON, _SLO_DOCS)
def kind_of_metric(call: Call) -> Iterator[Problem]:
    """A cut of a log-based metric that is no distribution."""
    path = "requestBasedSli.distributionCut.distributionFilter"
    named = re.search(r"logging\.googleapis\.com/user/([^\"]+)", call.text(path))
    for record in call.world.find(_METRIC) if named else ():
        inputs = plain(record.inputs)
        kind = (as_map(inputs.get("metricDescriptor")) or {}).get("valueType")
        if named is not None and inputs.get("name") == named[1] and kind != "DISTRIBUTION":
            yield Problem(
                path, f"`{path}` needs a DISTRIBUTION, and {named[1]} is {kind}; use goodTotalRatio."
            )


@behaviour("MON-042", _SLO, _BOTH, 400, _REASON, _SLO_DOCS)
def window(call: Call) -> Iterator[Problem]:
    """A window that is no whole part of a day, or below a minute."""
    path = "windowsBasedSli.windowPeriod"
    text = call.text(path)
    length = seconds(text) if text else 60
    if length is None or length < 60 or 86400 % length:
        yield Problem(path, f"`{path}` must be at least 60s and divide a day, not {text!r}; use 300s.")


def _service(call: Call, *types: str) -> bool:
    wanted = call.text("service").rpartition("/")[2]
    return any(record.id.rpartition("/")[2] == wanted for record in call.world.find(*types))


@behaviour("MON-043", _SLO, Phase.CREATE, 404, "NOT_FOUND", "general knowledge of Cloud Monitoring")
def service_exists(call: Call) -> Iterator[Problem]:
    """An objective of a service that does not exist."""
    # Google finds some services by itself; their ids hold a colon.
    name = call.text("service")
    if name and ":" not in name and not _service(call, _CUSTOM, _GENERIC):
        yield Problem("service", f"`service`: {name} does not exist; create a CustomService first.")


@behaviour("MON-044", _SLO, Phase.CREATE, 400, _REASON, "google-cloud.md SLOs")
def basic(call: Call) -> Iterator[Problem]:
    """A basic indicator of a custom service."""
    if call.get("basicSli") and _service(call, _CUSTOM):
        yield Problem(
            "basicSli",
            "`basicSli` is not known of a custom service; use requestBasedSli or a GenericService.",
        )


@behaviour("BUD-004", _BUDGET, _BOTH, 400, _REASON, "hashicorp/terraform-provider-google#12196")
def projects(call: Call) -> Iterator[Problem]:
    """A filter on projects that are not given by number."""
    for index, name in enumerate(call.texts("budgetFilter.projects")):
        if not re.fullmatch(r"projects/\d+", name):
            path = f"budgetFilter.projects[{index}]"
            yield Problem(path, f"`{path}` must be projects/NUMBER, not {name!r}; use the project's number.")


@behaviour("BUD-008", _BUDGET, _BOTH, 400, _REASON, "general knowledge of budgets")
def forecast(call: Call) -> Iterator[Problem]:
    """A forecast over a custom period."""
    for index, rule in enumerate(call.blocks("thresholdRules")):
        if rule.get("spendBasis") == "FORECASTED_SPEND" and call.get("budgetFilter.customPeriod"):
            path = f"thresholdRules[{index}].spendBasis"
            yield Problem(path, f"`{path}` cannot be FORECASTED_SPEND with customPeriod; use calendarPeriod.")


@behaviour("BUD-009", _BUDGET, _BOTH, 400, _REASON, _BUDGET_DOCS)
def threshold(call: Call) -> Iterator[Problem]:
    """A threshold below nothing."""
    for index, rule in enumerate(call.blocks("thresholdRules")):
        share = rule.get("thresholdPercent")
        if isinstance(share, int | float) and share < 0:
            path = f"thresholdRules[{index}].thresholdPercent"
            yield Problem(path, f"`{path}` must be at least 0 (1.0 is 100 %), not {share}.")


@behaviour("BUD-012", _BUDGET, _BOTH, 400, _REASON, "google-cloud.md 6")
def schema_version(call: Call) -> Iterator[Problem]:
    """A version of the messages other than 1.0."""
    path = "allUpdatesRule.schemaVersion"
    if call.text(path) not in {"", "1.0"}:
        yield Problem(path, f"`{path}` must be 1.0, not {call.text(path)!r}.")


@behaviour("BUD-014", _BUDGET, _BOTH, 400, _REASON, _BUDGET_DOCS)
def credits_(call: Call) -> Iterator[Problem]:
    """Named credits, and a treatment of all or none."""
    treatment = call.get("budgetFilter.creditTypesTreatment") or "INCLUDE_ALL_CREDITS"
    if call.get("budgetFilter.creditTypes") and treatment != "INCLUDE_SPECIFIED_CREDITS":
        path = "budgetFilter.creditTypes"
        yield Problem(
            path, f"`{path}` needs creditTypesTreatment INCLUDE_SPECIFIED_CREDITS, not {treatment}."
        )


def _date(call: Call, name: str) -> tuple[int, ...]:
    date = as_map(call.get(f"budgetFilter.customPeriod.{name}")) or {}
    parts = [date.get(part) for part in ("year", "month", "day")]
    return tuple(part for part in parts if isinstance(part, int))


@behaviour("BUD-015", _BUDGET, _BOTH, 400, _REASON, _BUDGET_DOCS)
def period(call: Call) -> Iterator[Problem]:
    """A period from before 2017, or that ends before it starts."""
    start, end = _date(call, "startDate"), _date(call, "endDate")
    path = "budgetFilter.customPeriod"
    if len(start) == 3 and start < (2017, 1, 1):
        yield Problem(f"{path}.startDate", f"`{path}.startDate` must not be before 2017; choose a later one.")
    if len(start) == len(end) == 3 and end < start:
        yield Problem(f"{path}.endDate", f"`{path}.endDate` must not be before startDate; correct it.")
