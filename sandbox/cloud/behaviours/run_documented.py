"""Cloud Run: what its documentation and its users say a template must not hold."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from sandbox.cloud.behaviours.run import containers, limits, mebibytes, template_path
from sandbox.cloud.behaviours.table import Call, Phase, Problem, behaviour
from sandbox.cloud.data import Values, as_list, as_map

_SERVICE: Final = "gcp:cloudrunv2/service:Service"
_JOB: Final = "gcp:cloudrunv2/job:Job"
_POOL: Final = "gcp:cloudrunv2/workerPool:WorkerPool"
_REVISIONS: Final = (_SERVICE, _JOB, _POOL)
_BOTH: Final = (Phase.CREATE, Phase.UPDATE)
_REASON: Final = "INVALID_ARGUMENT"
_SERVICE_PAGE: Final = "terraform-provider-google-beta website/docs/r/cloud_run_v2_service"
_GENERAL: Final = "general knowledge of Cloud Run"
_TAG: Final = re.compile(r"[a-z](?:[a-z0-9-]*[a-z0-9])?")
_SPLIT_LATEST: Final = "INSTANCE_SPLIT_ALLOCATION_TYPE_LATEST"
_PREVIEW_STAGES: Final = frozenset({"ALPHA", "BETA"})


def _environment(call: Call) -> str:
    """The execution environment, where the type has one."""
    return call.text(f"{template_path(call)}.executionEnvironment")


def _always_allocated(container: Values) -> bool:
    return (as_map(container.get("resources")) or {}).get("cpuIdle") is False


@behaviour("RUN-005", _REVISIONS, _BOTH, 400, _REASON, "oboapp/oboapp#449")
def small_memory(call: Call) -> Iterator[Problem]:
    """The second generation, and all that is always allocated, needs 512 MiB in total."""
    found = list(containers(call))
    always = call.type != _SERVICE or any(_always_allocated(container) for _, container in found)
    if not found or not (always or _environment(call) == "EXECUTION_ENVIRONMENT_GEN2"):
        return
    total = sum(limits(container)[1] for _, container in found)
    if total < 512:
        path = f"{found[0][0]}.resources.limits.memory"
        yield Problem(path, f"`{path}` must give the containers 512Mi in total, not {total:g}Mi.")


@behaviour("RUN-008", _SERVICE, _BOTH, 400, _REASON, _GENERAL)
def part_core_always(call: Call) -> Iterator[Problem]:
    """Part of a core is for the first generation, and for request-based billing."""
    second = _environment(call) == "EXECUTION_ENVIRONMENT_GEN2"
    for where, container in containers(call):
        cores, _ = limits(container)
        if cores < 1 and (second or _always_allocated(container)):
            path = f"{where}.resources.limits.cpu"
            because = "the second generation" if second else "cpuIdle false"
            yield Problem(path, f"`{path}` must be at least 1 with {because}, not {cores:g}.")


@behaviour("RUN-021", _REVISIONS, _BOTH, 400, _REASON, _GENERAL)
def container_names(call: Call) -> Iterator[Problem]:
    """Containers of one template differ in their names, and each of several has one."""
    found = list(containers(call))
    names = Counter(name for _, container in found if isinstance(name := container.get("name"), str))
    for where, container in found:
        name = container.get("name")
        if isinstance(name, str) and names[name] > 1:
            yield Problem(f"{where}.name", f"`{where}.name`: {name!r} is given twice; rename one.")
        elif "name" not in container and len(found) > 1:
            yield Problem(f"{where}.name", f"`{where}.name` is missing; name each of several containers.")


@behaviour("RUN-025", _SERVICE, _BOTH, 400, _REASON, "GoogleCloudPlatform/cloud-foundation-fabric#4094")
def traffic_tags(call: Call) -> Iterator[Problem]:
    """A tag names one target, in lower case; with the service's name it is a host name's label."""
    tags = [
        (index, str(item["tag"])) for index, item in enumerate(call.blocks("traffics")) if item.get("tag")
    ]
    longest = 63 - len("---") - len(call.text("name"))
    count = Counter(tag for _, tag in tags)
    for index, tag in tags:
        path = f"traffics[{index}].tag"
        if count[tag] > 1:
            yield Problem(path, f"`{path}`: {tag!r} names two targets; give each its own tag.")
        elif not _TAG.fullmatch(tag) or len(tag) > longest:
            yield Problem(
                path,
                f"`{path}` must be at most {longest} lower-case letters, digits and dashes and start with a "
                f"letter, not {tag!r}.",
            )


@behaviour("RUN-039", _SERVICE, _BOTH, 400, _REASON, _SERVICE_PAGE)
def file_systems(call: Call) -> Iterator[Problem]:
    """Buckets and file shares are mounted in the second generation."""
    if _environment(call) != "EXECUTION_ENVIRONMENT_GEN1":
        return
    for index, volume in enumerate(call.blocks("template.volumes")):
        kind = next((kind for kind in ("gcs", "nfs") if volume.get(kind)), "")
        if kind:
            path = f"template.volumes[{index}].{kind}"
            yield Problem(path, f"`{path}` needs executionEnvironment EXECUTION_ENVIRONMENT_GEN2; set it.")


@behaviour("RUN-041", _REVISIONS, _BOTH, 400, _REASON, _SERVICE_PAGE)
def mount_paths(call: Call) -> Iterator[Problem]:
    """A mount path has no colon, and connections to Cloud SQL are at /cloudsql."""
    databases = {
        volume.get("name")
        for volume in call.blocks(f"{template_path(call)}.volumes")
        if volume.get("cloudSqlInstance")
    }
    for where, container in containers(call):
        for index, item in enumerate(as_list(container.get("volumeMounts")) or []):
            mount = as_map(item) or {}
            place = mount.get("mountPath")
            if not isinstance(place, str):
                continue
            path = f"{where}.volumeMounts[{index}].mountPath"
            if ":" in place:
                yield Problem(path, f"`{path}` must not hold a colon, got {place!r}.")
            elif mount.get("name") in databases and place.rstrip("/") != "/cloudsql":
                yield Problem(path, f"`{path}` must be /cloudsql for Cloud SQL, not {place!r}.")


@behaviour("RUN-043", _REVISIONS, _BOTH, 400, _REASON, _SERVICE_PAGE)
def memory_volumes(call: Call) -> Iterator[Problem]:
    """A volume in memory is not larger than the memory that the containers have."""
    total = sum(limits(container)[1] for _, container in containers(call))
    for index, volume in enumerate(call.blocks(f"{template_path(call)}.volumes")):
        block = as_map(volume.get("emptyDir")) or {}
        size = mebibytes(str(block.get("sizeLimit") or ""))
        if size is not None and block.get("medium") != "DISK" and size > total:
            path = f"{template_path(call)}.volumes[{index}].emptyDir.sizeLimit"
            yield Problem(path, f"`{path}` must be at most the containers' {total:g}Mi, not {size:g}Mi.")


@behaviour("RUN-044", _REVISIONS, _BOTH, 400, _REASON, _SERVICE_PAGE)
def launch_stage(call: Call) -> Iterator[Problem]:
    """A volume on disk is a preview feature, which the launch stage must declare."""
    if call.text("launchStage") in _PREVIEW_STAGES:
        return
    for index, volume in enumerate(call.blocks(f"{template_path(call)}.volumes")):
        if (as_map(volume.get("emptyDir")) or {}).get("medium") == "DISK":
            path = f"{template_path(call)}.volumes[{index}].emptyDir.medium"
            yield Problem(path, f"`{path}` DISK needs `launchStage` BETA; set it, or use MEMORY.")


@behaviour(
    "RUN-057",
    _POOL,
    _BOTH,
    400,
    _REASON,
    "terraform-provider-google-beta website/docs/r/cloud_run_v2_worker_pool",
)
def instance_splits(call: Call) -> Iterator[Problem]:
    """Instance splits add up to 100 per cent and name a revision each, or the latest."""
    splits = call.blocks("instanceSplits")
    shares = [share if isinstance(share := item.get("percent"), int) else 0 for item in splits]
    if splits and sum(shares) != 100:
        yield Problem("instanceSplits", f"`instanceSplits` must add up to 100 percent, not {sum(shares)}.")
    for index, item in enumerate(splits):
        latest = item.get("type") in (None, _SPLIT_LATEST)
        if not latest and "revision" not in item:
            path = f"instanceSplits[{index}].revision"
            yield Problem(path, f"`{path}` is missing; name the revision, or use {_SPLIT_LATEST}.")


@behaviour("RUN-058", _POOL, _BOTH, 400, _REASON, "google-cloud.md 4")
def pool_scaling(call: Call) -> Iterator[Problem]:
    """A worker pool has the number of instances that it is given; nothing scales it by requests."""
    for name in ("minInstanceCount", "maxInstanceCount"):
        manual = call.text("scaling.scalingMode") == "MANUAL" or not call.absent(
            "scaling.manualInstanceCount"
        )
        if manual and not call.absent(f"scaling.{name}"):
            yield Problem(
                f"scaling.{name}", f"`scaling.{name}` excludes `scaling.manualInstanceCount`; remove one."
            )
