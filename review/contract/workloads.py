"""What each workload that runs an image gets: services, worker pools and jobs, read alike."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from policies.model import UNKNOWN, Block, Resource, contains_unknown, text
from review.contract.reading import whole, whole_seconds

__all__ = ["KINDS", "Mount", "Probe", "SecretVariable", "Variable", "VersionPolicy", "Workload", "workloads"]

Kind = Literal["service", "worker_pool", "job"]
Known = Literal["declared", "deployed"]
VersionPolicy = Literal["release", "platform", "latest"]
"""`release`: the number in the stack file; `platform`: what the program wrote last; `latest`: the newest."""

KINDS: Final[Mapping[str, Kind]] = {
    "gcp:cloudrunv2/service:Service": "service",
    "gcp:cloudrunv2/workerPool:WorkerPool": "worker_pool",
    "gcp:cloudrunv2/job:Job": "job",
}
_VERSION: Final = "gcp:secretmanager/secretVersion:SecretVersion"
# An image of the sibling is taken by digest; what Google builds from this repository has none.
_IMAGE: Final = re.compile(r".*/(?P<name>[^/@:]+)@sha256:[0-9a-f]{64}")
_PROBES: Final = {"startup": "startupProbe", "liveness": "livenessProbe", "readiness": "readinessProbe"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A plain variable. `deployed`: the sandbox's value is an example of what Google will say."""

    name: str
    value: str
    known: Known


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretVariable:
    """A variable that holds a secret's version."""

    name: str
    secret: str
    version: VersionPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A folder in the container, and what is in it."""

    path: str
    kind: Literal["secret", "database_sockets", "other"]
    files: tuple[str, ...] = ()
    secret: str | None = None
    version: VersionPolicy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What Cloud Run asks a container, and how often."""

    kind: str
    path: str | None
    port: int | None
    period_seconds: int
    timeout_seconds: int
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One service, worker pool or job in one region."""

    name: str
    kind: Kind
    region: str
    image: str
    account: str
    command: tuple[str, ...]
    arguments: tuple[str, ...]
    ports: tuple[int, ...]
    cpu: str | None
    memory: str | None
    minimum_instances: int | None
    maximum_instances: int | None
    concurrency: int | None
    timeout_seconds: int | None
    tasks: int | None
    maximum_retries: int | None
    sidecars: tuple[str, ...]
    labels: Mapping[str, str]
    probes: tuple[Probe, ...]
    environment: tuple[Variable, ...]
    secrets: tuple[SecretVariable, ...]
    mounts: tuple[Mount, ...]

    def value(self, name: str) -> str | None:
        """The value of a plain variable."""
        return next((one.value for one in self.environment if one.name == name), None)


def workloads(resources: Sequence[Resource], planned: Mapping[str, Resource]) -> tuple[Workload, ...]:
    """All that run an image of the sibling, by kind, name and region.

    `planned` is what a preview says, by URN: a value that it does not know comes with the deployment.
    """
    written = {
        str(secret).rsplit("/", 1)[-1]
        for one in resources
        if one.type == _VERSION and (secret := one.get("secret")) is not UNKNOWN
    }
    found = [
        made
        for one in resources
        if one.type in KINDS and (made := _workload(one, planned.get(one.urn), written)) is not None
    ]
    return tuple(sorted(found, key=lambda one: (list(KINDS.values()).index(one.kind), one.name, one.region)))


def _workload(resource: Resource, planned: Resource | None, written: set[str]) -> Workload | None:
    kind = KINDS[resource.type]
    # A job's containers stand one template deeper.
    inner = "template.template" if kind == "job" else "template"
    containers = list(resource.each(f"{inner}.containers"))
    found = next(
        (
            (place, container, match)
            for place, container in enumerate(containers)
            if (match := _IMAGE.fullmatch(str(container.get("image")))) and not container.get("dependsOns")
        ),
        None,
    )
    if found is None:
        return None
    place, container, match = found
    before = list(planned.each(f"{inner}.containers")) if planned is not None else []
    unknown = _unknown_variables(before[place]) if place < len(before) else frozenset[str]()
    minimum, maximum = _instances(resource, kind)
    return Workload(
        name=str(resource.get("name", resource.name)),
        kind=kind,
        region=str(resource.get("location")),
        image=match["name"],
        account=str(resource.get(f"{inner}.serviceAccount", "")),
        command=tuple(container.strings("commands")),
        arguments=tuple(container.strings("args")),
        ports=tuple(port for one in container.each("ports") if (port := whole(one.get("containerPort")))),
        cpu=text(container.get("resources.limits.cpu")),
        memory=text(container.get("resources.limits.memory")),
        minimum_instances=minimum,
        maximum_instances=maximum,
        concurrency=whole(resource.get("template.maxInstanceRequestConcurrency")),
        timeout_seconds=whole_seconds(resource.get(f"{inner}.timeout")),
        tasks=whole(resource.get("template.taskCount", 1)) if kind == "job" else None,
        maximum_retries=whole(resource.get(f"{inner}.maxRetries")),
        sidecars=tuple(str(one.get("name", "")) for one in containers if one is not container),
        labels=dict(sorted(resource.get("labels", {}).items())),
        probes=tuple(_probes(container)),
        environment=tuple(_variables(container, unknown)),
        secrets=tuple(_secrets(container, written)),
        mounts=tuple(_mounts(container, list(resource.each(f"{inner}.volumes")), written)),
    )


def _instances(resource: Resource, kind: Kind) -> tuple[int | None, int | None]:
    if kind == "service":
        least, most = "template.scaling.minInstanceCount", "template.scaling.maxInstanceCount"
        return whole(resource.get(least, 0)), whole(resource.get(most))
    # What scales a pool changes the number afterwards, so the declared one is no bound.
    return None, None


def _unknown_variables(container: Block) -> frozenset[str]:
    return frozenset(
        str(one.get("name")) for one in container.each("envs") if contains_unknown(one.values.get("value"))
    )


def _variables(container: Block, unknown: frozenset[str]) -> Iterator[Variable]:
    for one in sorted(container.each("envs"), key=lambda env: str(env.get("name"))):
        name = str(one.get("name"))
        if one.get("valueSource") is None:
            known: Known = "deployed" if name in unknown else "declared"
            yield Variable(name=name, value=str(one.get("value", "")), known=known)


def _secrets(container: Block, written: set[str]) -> Iterator[SecretVariable]:
    for one in sorted(container.each("envs"), key=lambda env: str(env.get("name"))):
        reference = one.get("valueSource.secretKeyRef")
        if isinstance(reference, Mapping):
            secret = str(one.get("valueSource.secretKeyRef.secret")).rsplit("/", 1)[-1]
            version = _policy(secret, one.get("valueSource.secretKeyRef.version"), written)
            yield SecretVariable(name=str(one.get("name")), secret=secret, version=version)


def _policy(secret: str, version: object, written: set[str]) -> VersionPolicy:
    if version in {None, "latest"}:
        return "latest"
    return "platform" if secret in written else "release"


def _probes(container: Block) -> Iterator[Probe]:
    for kind, key in _PROBES.items():
        for one in container.each(key):
            yield Probe(
                kind=kind,
                path=text(one.get("httpGet.path")),
                port=whole(one.get("httpGet.port", one.get("tcpSocket.port"))),
                # Google's own defaults.
                period_seconds=whole(one.get("periodSeconds")) or 10,
                timeout_seconds=whole(one.get("timeoutSeconds")) or 1,
                failures=whole(one.get("failureThreshold")) or 3,
            )


def _mounts(container: Block, volumes: Sequence[Block], written: set[str]) -> Iterator[Mount]:
    by_name = {str(one.get("name")): one for one in volumes}
    for one in sorted(container.each("volumeMounts"), key=lambda mount: str(mount.get("mountPath"))):
        path, volume = str(one.get("mountPath")), by_name.get(str(one.get("name")))
        if volume is not None and volume.get("secret") is not None:
            items = list(volume.each("secret.items"))
            secret = str(volume.get("secret.secret")).rsplit("/", 1)[-1]
            versions: set[VersionPolicy] = {_policy(secret, item.get("version"), written) for item in items}
            yield Mount(
                path=path,
                kind="secret",
                files=tuple(sorted(str(item.get("path")) for item in items)),
                secret=secret,
                version=versions.pop() if len(versions) == 1 else "latest",
            )
        elif volume is not None and volume.get("cloudSqlInstance") is not None:
            sockets = volume.strings("cloudSqlInstance.instances")
            yield Mount(path=path, kind="database_sockets", files=tuple(sorted(sockets)))
        else:
            yield Mount(path=path, kind="other")
