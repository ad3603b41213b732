"""What remains of a stack when a region is out of reach, and whether what remains serves; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from sandbox.cloud import World
from sandbox.cloud.lost import places
from sandbox.model import ResourceState
from sandbox.urn import is_provider
from sandbox.values import redact

__all__ = ["Serving", "Survivor", "holds", "regions_of", "serving", "survey"]

SERVICE: Final = "gcp:cloudrunv2/service:Service"
POOL: Final = "gcp:cloudrunv2/workerPool:WorkerPool"
SQL: Final = "gcp:sql/databaseInstance:DatabaseInstance"
SECRET: Final = "gcp:secretmanager/secret:Secret"
TOPIC: Final = "gcp:pubsub/topic:Topic"
BACKEND: Final = "gcp:compute/backendService:BackendService"
GRANT: Final = "gcp:projects/iAMMember:IAMMember"
GROUP: Final = "gcp:compute/regionNetworkEndpointGroup:RegionNetworkEndpointGroup"
# What is shown, in this order; grants, networks and what is watched follow from it.
KINDS: Final[Mapping[str, str]] = {
    SERVICE: "service",
    POOL: "worker pool",
    SQL: "database",
    "gcp:redis/instance:Instance": "cache",
    "gcp:kms/keyRing:KeyRing": "key ring",
    SECRET: "secret",
    TOPIC: "topic",
    "gcp:storage/bucket:Bucket": "bucket",
    "gcp:artifactregistry/repository:Repository": "images",
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": "log bucket",
    BACKEND: "load balancer",
    "gcp:dns/managedZone:ManagedZone": "DNS zone",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Survivor:
    """One resource: ``where`` is its place, ``note`` what follows from the loss for it."""

    kind: str
    name: str
    where: str
    remains: bool
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What serves with the regions that are in reach (``ways``), and what does not (``broken``)."""

    ways: tuple[str, ...]
    broken: tuple[str, ...]


def regions_of(states: Sequence[ResourceState]) -> dict[str, int]:
    """How many resources lie in each region or multi-region."""
    world, found = World.from_resources(states), dict[str, int]()
    for state in _managed(states):
        for place in places(world, state.type, state.id, _inputs(state)):
            found[place] = found.get(place, 0) + 1
    return found


def holds(states: Sequence[ResourceState], region: str) -> list[ResourceState]:
    """The resources that answer no call when a region is lost."""
    world = World.from_resources(states)
    return [
        state
        for state in _managed(states)
        if region in places(world, state.type, state.id, _inputs(state)) and state.type != SECRET
    ]


def survey(states: Sequence[ResourceState], lost: str) -> list[Survivor]:
    """What remains and what is gone, by kind and name."""
    gone = {state.urn for state in holds(states, lost)}
    order = {kind: place for place, kind in enumerate(KINDS.values())}
    rows = [_row(state, lost, gone, states) for state in _managed(states) if state.type in KINDS]
    return sorted(rows, key=lambda row: (order[row.kind], row.name, row.where))


def serving(states: Sequence[ResourceState], lost: str = "") -> Serving:
    """Which service answers requests, and which database it and the workers write to."""
    ways: list[str] = []
    broken: list[str] = []
    for backend in _of(states, BACKEND):
        regions = [text(group, "region") for group in _groups(states, backend)]
        services = list(_services(states, backend))
        broken += [
            f"the load balancer still sends requests to {_name(service)} in {lost}"
            for service in services
            if text(service, "location") == lost
        ]
        ways += [
            _writes(states, service, text(service, "location"), lost, broken)
            for service in services
            if text(service, "location") != lost
        ]
        if not regions or all(region == lost for region in regions):
            broken.append(f"the load balancer ({_name(backend)}) has no backend in reach")
    ways += [
        _writes(states, pool, text(pool, "location"), lost, broken)
        for pool in _of(states, POOL)
        if text(pool, "location") != lost
    ]
    broken += [
        f"topic {_name(topic)} is encrypted by a key in {lost}"
        for topic in _of(states, TOPIC)
        if lost and f"/locations/{lost}/" in text(topic, "kmsKeyName")
    ]
    return Serving(ways=tuple(dict.fromkeys(ways)), broken=tuple(dict.fromkeys(broken)))


def _row(state: ResourceState, lost: str, gone: set[str], states: Sequence[ResourceState]) -> Survivor:
    values = _inputs(state)
    where = text(state, "region") or text(state, "location") or "global"
    remains, note = state.urn not in gone, ""
    match state.type:
        case _ if state.type == SECRET:
            regions = _replica_regions(values)
            where, left = ", ".join(regions) or "global", [one for one in regions if one != lost]
            remains = bool(left) or not regions
            if lost in regions and left:
                note = f"can be read in {', '.join(left)}; takes no new version until {lost} is back"
        case _ if state.type == SQL:
            above = text(state, "masterInstanceName")
            note = f"copy of {above}" if above else "takes writes"
            if remains and above in {_name(one) for one in _of(states, SQL) if one.urn in gone}:
                note += ": what is there is all that remains of the data; promote it"
        case _ if state.type == TOPIC:
            if f"/locations/{lost}/" in text(state, "kmsKeyName"):
                note = f"its key lies in {lost}: nothing is published or pulled until it has another"
        case _ if state.type == BACKEND:
            groups = [text(group, "region") for group in _groups(states, state)]
            if lost in groups:
                note = f"sends requests to {lost} until it is taken out"
            remains = any(region != lost for region in groups)
        case _:
            pass
    return Survivor(
        kind=KINDS[state.type], name=_name(state), where=where.lower(), remains=remains, note=note
    )


def _writes(
    states: Sequence[ResourceState], runtime: ResourceState, where: str, lost: str, broken: list[str]
) -> str:
    """What a service or a pool writes to: the primary among the databases that it mounts."""
    kind, name = KINDS[runtime.type], _name(runtime)
    databases = [
        one
        for one in _of(states, SQL)
        if any(mounted.endswith(f":{_name(one)}") for mounted in _mounted(runtime))
    ]
    primary = next((one for one in databases if not text(one, "masterInstanceName")), None)
    if primary is None:
        broken.append(f"{kind} {name} in {where} mounts no database that takes writes")
        return f"{kind} {name} in {where} writes nowhere"
    home = text(primary, "region")
    if not _may_log_in(states, _name(primary)):
        return f"{kind} {name} in {where} can write nowhere: nobody may log in to {_name(primary)} any more"
    broken += [
        f"{kind} {name} in {where} mounts {_name(one)} in {lost}"
        for one in databases
        if text(one, "region") == lost
    ]
    return f"{kind} {name} in {where} writes to {_name(primary)} in {home}"


def _may_log_in(states: Sequence[ResourceState], instance: str) -> bool:
    """Whether a grant still names the instance; one without a condition names all."""
    for grant in _of(states, GRANT):
        condition = _map(_inputs(grant).get("condition")).get("expression")
        named = not isinstance(condition, str) or f'/instances/{instance}"' in condition
        if text(grant, "role") == "roles/cloudsql.instanceUser" and named:
            return True
    return False


def _services(states: Sequence[ResourceState], backend: ResourceState) -> Iterator[ResourceState]:
    for group in _groups(states, backend):
        run = _map(_inputs(group).get("cloudRun"))
        for service in _of(states, SERVICE):
            if (_name(service), text(service, "location")) == (run.get("service"), text(group, "region")):
                yield service


def _groups(states: Sequence[ResourceState], backend: ResourceState) -> list[ResourceState]:
    named = {str(_map(one).get("group")) for one in _list(_inputs(backend).get("backends"))}
    return [group for group in _of(states, GROUP) if group.id in named]


def _mounted(runtime: ResourceState) -> list[str]:
    volumes = _list(_map(_inputs(runtime).get("template")).get("volumes"))
    return [
        str(one)
        for volume in volumes
        for one in _list(_map(_map(volume).get("cloudSqlInstance")).get("instances"))
    ]


def _replica_regions(values: Mapping[str, Any]) -> list[str]:
    managed = _map(_map(values.get("replication")).get("userManaged"))
    return [str(_map(one).get("location")) for one in _list(managed.get("replicas"))]


def _managed(states: Iterable[ResourceState]) -> Iterator[ResourceState]:
    return (
        state
        for state in states
        if state.custom and not state.delete and not state.external and not is_provider(state.type)
    )


def _of(states: Iterable[ResourceState], type: str) -> list[ResourceState]:
    return [state for state in _managed(states) if state.type == type]


def _inputs(state: ResourceState) -> dict[str, Any]:
    return redact(state.inputs)


def text(state: ResourceState, name: str) -> str:
    """An input that is a text, or an empty one."""
    value = _inputs(state).get(name)
    return value if isinstance(value, str) else ""


def _name(state: ResourceState) -> str:
    return text(state, "name") or text(state, "secretId") or text(state, "repositoryId") or state.name


def _map(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []
