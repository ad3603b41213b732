"""What is promised after five scenarios, what the declared stack gives, and what would mend it cheapest.

Every figure is a planning figure of this module or follows from what is declared; the monthly restore drill
measures the ones that depend on the data. Times in seconds, money in US dollars a month at list price.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Final, Literal

from facts.recovery import DECIDE_RESTORE, RESTORE_RTO, VERIFY, clone_seconds
from policies.recovery_declared import Declared

__all__ = [
    "PROMISES",
    "Change",
    "Figure",
    "Promise",
    "Scenario",
    "cheapest",
    "figures",
    "total_usd",
]

Scenario = Literal["instance", "zone", "region", "corruption", "total"]

# Detection is about a minute of missed heartbeats; 60 to 120 s in all (Cloud SQL, high availability).
FAILOVER: Final = 120
# A zonal instance comes back when Google restarts its machine, for which there is no published bound.
ZONAL_RESTART: Final = 600
# Google ships the write-ahead log to Cloud Storage about every five minutes.
LOG_INTERVAL: Final = 300
# One backup a day. Google starts it within four hours of its hour, so a single gap can be that much longer.
BACKUP_INTERVAL: Final = 86_400
# From the first alert to the incident commander's word, as the contact tree of the runbook has it.
DECIDE_REGION, NOTICE, RESPONSE = 900, 300, 300
PROMOTE: Final = 900
# An `up` that makes cache, workers and what else lay in the lost region, and the API where it is not there.
REBUILD, REBUILD_API = 1_800, 900
BOOTSTRAP, FIRST_UP, CERTIFICATE = 1_800, 2_700, 3_600

HOURS: Final = 730
# List prices of Belgium and the Netherlands, the dearer one: Cloud SQL ENTERPRISE, Cloud Run idle.
VCPU_HOUR, GIB_HOUR, SSD_GIB, BACKUP_GIB = 0.0454, 0.0077, 0.187, 0.088
IDLE_INSTANCE: Final = (2 * 0.0000025 + 2 * 0.0000025) * 3_600 * HOURS
KEY_VERSION: Final = 0.06


@dataclass(frozen=True, kw_only=True, slots=True)
class Promise:
    """What is promised after one scenario."""

    scenario: Scenario
    title: str
    rto: float
    """Service is back within this time."""
    rpo: float
    """No write older than this is lost."""
    under: bool = True
    """Whether the loss must stay under `rpo`, not only at it."""


PROMISES: Final[tuple[Promise, ...]] = (
    Promise(scenario="instance", title="Loss of an instance", rto=300, rpo=0, under=False),
    Promise(scenario="zone", title="Loss of a zone", rto=900, rpo=300),
    Promise(scenario="region", title="Loss of the first region", rto=7_200, rpo=900),
    Promise(scenario="corruption", title="Corrupted data", rto=RESTORE_RTO, rpo=3_600),
    Promise(scenario="total", title="Total loss", rto=14_400, rpo=86_400, under=False),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """What the declared stack gives in one scenario; infinite where nothing declared bounds it."""

    promise: Promise
    rto: float
    rpo: float
    because: str

    @property
    def holds(self) -> bool:
        """Whether both promises hold."""
        lost = self.rpo < self.promise.rpo if self.promise.under else self.rpo <= self.promise.rpo
        return self.rto <= self.promise.rto and lost


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One change of the configuration and what it costs a month."""

    setting: str
    usd: float | None
    """None where the price of the tier is not known here."""


def total_usd(changes: Iterable[Change]) -> float | None:
    """What changes cost together; None where one of them has no known price."""
    prices = [change.usd for change in changes]
    return None if None in prices else sum(price for price in prices if price is not None)


def figures(stack: Declared) -> tuple[Figure, ...]:
    """The five scenarios in the order of PROMISES."""
    makers = (_instance, _zone, _region, _corruption, _total)
    return tuple(
        Figure(promise=promise, rto=rto, rpo=rpo, because=because)
        for promise, make in zip(PROMISES, makers, strict=True)
        for rto, rpo, because in [make(stack)]
    )


def _instance(stack: Declared) -> tuple[float, float, str]:
    database = FAILOVER if stack.regional else ZONAL_RESTART
    api = stack.api_detection_seconds + (stack.api_start_seconds if stack.api_minimum < 2 else 0)
    others = "the others serve on" if stack.api_minimum >= 2 else "a new one starts"
    return max(database, api), 0, f"database {_min(database)}; API {_min(api)}, {others}"


def _zone(stack: Declared) -> tuple[float, float, str]:
    if stack.regional:
        return FAILOVER, 0, "the standby in another zone takes over with every commit"
    rto, rpo = _restored(stack, DECIDE_RESTORE)
    return rto, rpo, "no standby: restored into another zone"


def _region(stack: Declared) -> tuple[float, float, str]:
    if not stack.keys_elsewhere:
        return math.inf, math.inf, "keys or secrets lie in the lost region alone"
    api = REBUILD_API if stack.second_minimum is None else 0
    start = stack.api_start_seconds if not stack.second_minimum else 0
    common = NOTICE + DECIDE_REGION + REBUILD + api + start
    if stack.replica_elsewhere:
        return (
            common + PROMOTE,
            stack.lag_seconds + RESPONSE,
            "notice, decide, promote the replica, `up`; lost is the lag when its alert opens, and a response",
        )
    if not stack.backups_elsewhere:
        return math.inf, math.inf, "neither replica nor backup outside the region"
    rto = common + FIRST_UP + clone_seconds(stack.disk_gb) + VERIFY
    return (
        rto,
        BACKUP_INTERVAL,
        "no replica elsewhere: the last backup is restored, its log lies in the region",
    )


def _corruption(stack: Declared) -> tuple[float, float, str]:
    rto, rpo = _restored(stack, DECIDE_RESTORE)
    how = (
        f"clone at a point in time of the last {stack.log_days:g} days"
        if stack.point_in_time
        else "last backup"
    )
    grown = ""
    if stack.limit_gb > stack.disk_gb and not math.isinf(rto):
        late = rto + clone_seconds(stack.limit_gb) - clone_seconds(stack.disk_gb)
        grown = f"; {late / 60:.0f} min once the disk has grown to its limit of {stack.limit_gb:g} GB"
    return rto, rpo, f"decide, {how} ({stack.disk_gb:g} GB as declared), verify{grown}"


def _total(stack: Declared) -> tuple[float, float, str]:
    if not stack.backups_elsewhere:
        return math.inf, math.inf, "no backup outlives instance and region"
    rto = DECIDE_REGION + BOOTSTRAP + FIRST_UP + CERTIFICATE + clone_seconds(stack.disk_gb) + VERIFY
    return (
        rto,
        BACKUP_INTERVAL,
        (
            "bootstrap, `up`, certificates, restore; a backup a day, so 24 h nominally, and 28 h and the "
            "backup's own duration when Google starts one early in its window and the next late"
        ),
    )


def _restored(stack: Declared, decide: float) -> tuple[float, float]:
    if not stack.backups:
        return math.inf, math.inf
    rto = decide + clone_seconds(stack.disk_gb) + VERIFY
    return rto, LOG_INTERVAL if stack.point_in_time else BACKUP_INTERVAL


def cheapest(stack: Declared) -> tuple[Change, ...] | None:
    """The changes that make every promise hold at the lowest price; none needed: (); impossible: None."""
    options = list(_options(stack))
    found: tuple[float, int, tuple[Change, ...]] | None = None
    for count in range(len(options) + 1):
        for chosen in combinations(options, count):
            changed = stack
            for _, apply in chosen:
                changed = apply(changed)
            if all(figure.holds for figure in figures(changed)):
                usd = total_usd(change for change, _ in chosen)
                # What has no known price is the last choice.
                price = (math.inf if usd is None else usd, count)
                if found is None or price < found[:2]:
                    found = (*price, tuple(change for change, _ in chosen))
    return None if found is None else found[2]


def _options(stack: Declared) -> Iterator[tuple[Change, Callable[[Declared], Declared]]]:
    instance = _instance_usd(stack)
    if not stack.regional:
        yield (
            Change(setting="postgres.availability: REGIONAL", usd=instance),
            lambda one: replace(one, regional=True),
        )
    if not stack.backups or not stack.point_in_time or not stack.backups_elsewhere:
        yield (
            Change(
                setting="backups with point-in-time recovery in location eu", usd=BACKUP_GIB * stack.disk_gb
            ),
            lambda one: replace(one, backups=True, point_in_time=True, backups_elsewhere=True),
        )
    if not stack.replica_elsewhere:
        yield (
            Change(setting="postgres.replicas: one in second_region", usd=instance),
            lambda one: replace(one, replica_elsewhere=True),
        )
    if math.isinf(stack.lag_seconds) or stack.lag_seconds > 370:
        yield (
            Change(setting="an alert at 10 s of replica lag", usd=0),
            lambda one: replace(one, lag_seconds=370),
        )
    if not stack.keys_elsewhere:
        yield (
            Change(setting="keys.regions and secrets in second_region", usd=KEY_VERSION),
            lambda one: replace(one, keys_elsewhere=True),
        )
    if stack.second_minimum is None:
        yield (
            Change(setting="api.second_region.min_instances: 0", usd=0),
            lambda one: replace(one, second_minimum=one.second_minimum or 0),
        )
    if not stack.second_minimum:
        yield (
            Change(setting="api.second_region.min_instances: 1", usd=IDLE_INSTANCE),
            lambda one: replace(one, second_minimum=1),
        )
    if stack.api_minimum < 2:
        yield (
            Change(setting="api.scaling.min_instances: 2", usd=IDLE_INSTANCE * (2 - stack.api_minimum)),
            lambda one: replace(one, api_minimum=2),
        )


def _instance_usd(stack: Declared) -> float | None:
    """One more instance like the primary."""
    custom = re.fullmatch(r"db-custom-(\d+)-(\d+)", stack.tier)
    if custom is None:
        return None
    processors, gib = int(custom[1]), int(custom[2]) / 1024
    return HOURS * (processors * VCPU_HOUR + gib * GIB_HOUR) + SSD_GIB * stack.disk_gb


def _min(value: float) -> str:
    return f"{value:g} s"
