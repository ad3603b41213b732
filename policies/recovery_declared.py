"""What a stack declares that decides how it comes back: as its resources say.

A rule must not refuse what it cannot read, so a value that is not known yet counts as if it were good.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, cast

from policies.model import (
    SECRET,
    UNKNOWN,
    Block,
    Resource,
    contains_unknown,
    is_false,
    is_missing,
    number,
    relation,
    text,
)
from policies.sql_instances import INSTANCE, PROMOTED, follows

__all__ = ["Declared", "declared", "parted", "primaries"]

SERVICE: Final = "gcp:cloudrunv2/service:Service"
GROUP: Final = "gcp:compute/regionNetworkEndpointGroup:RegionNetworkEndpointGroup"
ALERT: Final = "gcp:monitoring/alertPolicy:AlertPolicy"
SECRET_TYPE: Final = "gcp:secretmanager/secret:Secret"
RING: Final = "gcp:kms/keyRing:KeyRing"
EDGE_ONLY: Final = "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"

_LAG: Final = re.compile(r"replication_replica_lag(?:\[(\d+)m\])?.*>\s*(\d+)\s*$")
# Google's defaults where a probe states none, in seconds.
_PERIOD, _FAILURES, _DELAY = 10, 3, 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Declared:
    """The inputs of the recovery arithmetic; times in seconds."""

    tier: str = "db-custom-2-7680"
    regional: bool = True
    """Whether a standby in another zone follows the primary commit by commit."""
    disk_gb: float = 10
    limit_gb: float = 0
    """What the disk may grow to by itself; 0 where nothing is said."""
    backups: bool = True
    point_in_time: bool = True
    """Whether the write-ahead log is kept, so that any second of `log_days` can be restored."""
    log_days: float = 7
    backups_elsewhere: bool = True
    """Whether backups lie in a multi-region or another region and outlive the instance."""
    replica_elsewhere: bool = True
    lag_seconds: float = 0
    """How far a replica can be behind when the alert on it opens; infinite without an alert."""
    keys_elsewhere: bool = True
    """Whether keys and secrets stand in the replica's region."""
    api_minimum: float = 2
    """Instances of the API in the first region at all times."""
    api_detection_seconds: float = 0
    """Until a hanging instance of the API is given up."""
    api_start_seconds: float = 0
    """Until a new instance of the API answers, or is given up."""
    second_minimum: float | None = 1
    """Instances of the API behind the load balancer in the replica's region; None where it is not there."""


def declared(resources: Sequence[Resource]) -> tuple[Resource, Declared] | None:
    """The primary that is written to and what is declared for its recovery; None without a primary."""
    instances = [one for one in resources if one.type == INSTANCE]
    found = primaries(resources)
    if not found:
        return None
    primary = _written_to(found, resources)
    here = text(primary.get("region"))
    replicas = [
        one
        for one in instances
        if one is not primary
        and follows(one) != "no"
        and relation(one, "masterInstanceName", primary) != "no"
    ]
    away = [one.get("region") for one in replicas if one.get("region") != here]
    second = next((region for region in map(text, away) if region is not None), None)
    backup = "settings.backupConfiguration"
    backups = _on(primary.get(f"{backup}.enabled"))
    stack = Declared(
        tier=text(primary.get("settings.tier")) or Declared().tier,
        regional=_good(primary.get("settings.availabilityType"), "REGIONAL"),
        disk_gb=number(primary.get("settings.diskSize")) or 10,
        limit_gb=number(primary.get("settings.diskAutoresizeLimit")) or 0,
        backups=backups,
        point_in_time=backups and _on(primary.get(f"{backup}.pointInTimeRecoveryEnabled")),
        log_days=number(primary.get(f"{backup}.transactionLogRetentionDays", 7)) or 7,
        backups_elsewhere=backups and primary.get(f"{backup}.location", "eu") != here and _outlive(primary),
        replica_elsewhere=bool(away) or here is None,
        lag_seconds=_lag(resources),
        keys_elsewhere=second is None or _keys_in(resources, second),
    )
    return primary, _with_api(stack, resources, here, second)


def primaries(resources: Sequence[Resource]) -> list[Resource]:
    """The database instances that follow no other, as far as is known."""
    return [one for one in resources if one.type == INSTANCE and follows(one) != "yes"]


def _written_to(found: Sequence[Resource], resources: Sequence[Resource]) -> Resource:
    """A promoted replica before the old primary; of several the one that most services mount."""
    mounted = [
        str(instance)
        for service in resources
        if service.type == SERVICE
        for volume in service.each("template.volumes")
        for instance in _texts(volume.get("cloudSqlInstance.instances"))
    ]

    def rank(primary: Resource) -> tuple[bool, int]:
        name = f":{primary.get('name')}"
        return primary.get("instanceType") == PROMOTED, sum(one.endswith(name) for one in mounted)

    return max(found, key=rank)


def _texts(value: object) -> list[object]:
    return list(cast("list[object]", value)) if isinstance(value, list) else []


def parted(resources: Sequence[Resource]) -> bool:
    """Whether a promoted replica stands beside its old primary in another region.

    That is a stack that lost a region and has not come home: it cannot have its copy elsewhere yet, and a
    rule that asked for one would refuse the very `up` that brings it back.
    """
    return len({str(one.get("region")) for one in primaries(resources)}) > 1


def _good(value: object, wanted: str) -> bool:
    return _hidden(value) or value == wanted


def _on(value: object) -> bool:
    return not (is_false(value) or is_missing(value))


def _outlive(primary: Resource) -> bool:
    return _on(primary.get("settings.retainBackupsOnDelete")) or _on(
        primary.get("settings.finalBackupConfig.enabled")
    )


def _lag(resources: Sequence[Resource]) -> float:
    """Lag grows no faster than time: threshold, window, wait and the evaluation's interval bound it."""
    found = math.inf
    hidden = False
    for policy in resources:
        if policy.type != ALERT:
            continue
        hidden = hidden or contains_unknown(policy.get("conditions"))
        for condition in policy.each("conditions"):
            query = text(condition.get("conditionPrometheusQueryLanguage.query"))
            match = _LAG.search(query or "")
            if match is not None:
                waits = [
                    _duration(condition.get(f"conditionPrometheusQueryLanguage.{name}"))
                    for name in ("duration", "evaluationInterval")
                ]
                found = min(found, int(match[2]) + 60 * int(match[1] or 0) + sum(waits))
    return 0 if hidden and math.isinf(found) else found


def _duration(value: object) -> float:
    return number(value.removesuffix("s")) or 0 if isinstance(value, str) else 0


def _keys_in(resources: Sequence[Resource], region: str) -> bool:
    rings = [one.get("location") for one in resources if one.type == RING]
    if region not in rings and not any(_hidden(location) for location in rings):
        return False
    for secret in resources:
        if secret.type != SECRET_TYPE or not isinstance(secret.get("replication.userManaged.replicas"), list):
            continue
        places = [one.get("location") for one in secret.each("replication.userManaged.replicas")]
        whole = secret.get("replication.userManaged.replicas")
        if region not in places and len(places) == len(whole) and not any(map(_hidden, places)):
            return False
    return True


def _hidden(value: object) -> bool:
    return value is UNKNOWN or value == SECRET


def _with_api(
    stack: Declared, resources: Sequence[Resource], here: str | None, second: str | None
) -> Declared:
    """The API's part: nothing of it counts before the first release, when no service stands."""
    services = [one for one in resources if one.type == SERVICE and _good(one.get("ingress"), EDGE_ONLY)]
    first = next((one for one in services if here is None or _good(one.get("location"), here)), None)
    if first is None:
        return stack
    container = next(first.each("template.containers"), Block("", {}))
    there = [
        _minimum(one)
        for one in services
        if second is not None and _good(one.get("location"), second) and _behind(resources, one, second)
    ]
    return replace(
        stack,
        api_minimum=_minimum(first),
        api_detection_seconds=_probe(container, "livenessProbe"),
        api_start_seconds=_probe(container, "startupProbe"),
        second_minimum=1 if second is None and here is None else max(there, default=None),
    )


def _minimum(service: Resource) -> float:
    value = service.get("template.scaling.minInstanceCount", 0)
    return 2 if _hidden(value) else number(value) or 0


def _behind(resources: Sequence[Resource], service: Resource, region: str) -> bool:
    return any(
        _good(group.get("region"), region)
        and (_hidden(service.get("name")) or _good(group.get("cloudRun.service"), str(service.get("name"))))
        for group in resources
        if group.type == GROUP
    )


def _probe(container: Block, name: str) -> float:
    """How long a probe waits at most; 0 where it is not there or cannot be read."""
    if not isinstance(container.get(name), Mapping):
        return 0
    delay = number(container.get(f"{name}.initialDelaySeconds", _DELAY)) or 0
    period = number(container.get(f"{name}.periodSeconds", _PERIOD)) or 0
    return delay + period * (number(container.get(f"{name}.failureThreshold", _FAILURES)) or 0)
