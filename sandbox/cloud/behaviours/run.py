"""Cloud Run: what a revision needs in order to start."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sandbox.cloud.behaviours.durations import seconds
from sandbox.cloud.behaviours.grants import granted
from sandbox.cloud.behaviours.run_builds import built_image
from sandbox.cloud.behaviours.table import Call, Phase, Problem, behaviour
from sandbox.cloud.data import Values, as_list, as_map
from sandbox.cloud.paths import canonical

_SERVICE: Final = "gcp:cloudrunv2/service:Service"
_JOB: Final = "gcp:cloudrunv2/job:Job"
_POOL: Final = "gcp:cloudrunv2/workerPool:WorkerPool"
REVISIONS: Final = (_SERVICE, _JOB, _POOL)
_BOTH: Final = (Phase.CREATE, Phase.UPDATE)
_REASON: Final = "INVALID_ARGUMENT"
_ACCESSORS: Final = frozenset({"roles/secretmanager.secretAccessor", "roles/secretmanager.admin"})
_UNITS: Final = {
    "": 1.0,
    **{name: 1000.0**power for power, name in enumerate(("k", "M", "G", "T"), 1)},
    **{name: 1024.0**power for power, name in enumerate(("Ki", "Mi", "Gi", "Ti"), 1)},
}
_REGISTRY: Final = re.compile(
    r"(?:[a-z0-9-]+-docker\.pkg\.dev|(?:[a-z]+\.)?gcr\.io)/.+|[^/.]+(?:/[^/]+)?(?::.+)?|docker\.io/.+"
)


def template_path(call: Call) -> str:
    """Where the template of a revision, or of a job's task, stands."""
    return "template.template" if call.type == _JOB else "template"


def containers(call: Call) -> Iterator[tuple[str, Values]]:
    """Each container with its property path."""
    path = f"{template_path(call)}.containers"
    for index, container in enumerate(call.blocks(path)):
        yield f"{path}[{index}]", container


def _secrets(call: Call) -> Iterator[tuple[str, str, str]]:
    """Each secret that a revision reads: where it is named, its name and the version."""
    for where, container in containers(call):
        for index, env in enumerate(as_list(container.get("envs")) or []):
            source = as_map((as_map(env) or {}).get("valueSource")) or {}
            reference = as_map(source.get("secretKeyRef"))
            if reference is not None:
                path = f"{where}.envs[{index}].valueSource.secretKeyRef"
                yield path, str(reference.get("secret")), str(reference.get("version") or "latest")
    for index, volume in enumerate(call.blocks(f"{template_path(call)}.volumes")):
        secret = as_map(volume.get("secret"))
        if secret is not None:
            items = [item for item in as_list(secret.get("items")) or [] if as_map(item) is not None]
            path = f"{template_path(call)}.volumes[{index}].secret"
            for version in [str(item.get("version") or "latest") for item in items] or ["latest"]:
                yield path, str(secret.get("secret")), version


def _full(call: Call, name: str) -> str:
    return canonical(name) if "/" in name else f"projects/{call.project}/secrets/{name}"


@behaviour("RUN-002", REVISIONS, _BOTH, 404, "NOT_FOUND", "general knowledge of Cloud Run")
def secret_missing(call: Call) -> Iterator[Problem]:
    """A secret that a revision reads does not exist."""
    for where, name, _ in _secrets(call):
        path = _full(call, name)
        if path.startswith(f"projects/{call.project}/") and call.world.at(path) is None:
            yield Problem(
                where, f"`{where}`: the secret {path} does not exist; create it first and depend on it."
            )


@behaviour("RUN-003", REVISIONS, _BOTH, 404, "NOT_FOUND", "general knowledge of Cloud Run secrets")
def version_missing(call: Call) -> Iterator[Problem]:
    """A version that a revision reads does not exist."""
    facts = call.world.facts
    if facts.assume_release:
        return
    for where, name, version in _secrets(call):
        path = _full(call, name)
        number = path.replace(f"projects/{call.project}/", f"projects/{call.number}/", 1)
        versions = {str(item) for item in facts.secret_versions.get(path, [])}
        versions |= {
            record.id.rsplit("/", 1)[-1]
            for record in call.world.find("gcp:secretmanager/secretVersion:SecretVersion")
            if record.id.startswith((f"{path}/versions/", f"{number}/versions/"))
        }
        if not versions or (version != "latest" and version.isdigit() and version not in versions):
            yield Problem(
                where,
                f"`{where}`: version {version} of {path} does not exist; add it with "
                "`gcloud secrets versions add`, or name one that exists.",
            )


@behaviour("RUN-001", REVISIONS, _BOTH, 403, "PERMISSION_DENIED", "hashicorp/terraform-provider-google#13786")
def secret_access(call: Call) -> Iterator[Problem]:
    """The runtime account may not read a secret."""
    account = call.text(f"{template_path(call)}.serviceAccount")
    email = account or f"{call.number}-compute@developer.gserviceaccount.com"
    for where, name, _ in _secrets(call):
        path = _full(call, name)
        if call.world.at(path) is not None and not granted(call.world, path, _ACCESSORS, email, call.project):
            yield Problem(
                where,
                f"`{where}`: {email} may not read {path}; grant it roles/secretmanager.secretAccessor on "
                "the secret "
                "and depend on that grant.",
            )


@behaviour(
    "RUN-029", REVISIONS, _BOTH, 404, "NOT_FOUND", "terraform-google-modules/terraform-docs-samples#606"
)
def image_missing(call: Call) -> Iterator[Problem]:
    """An image does not exist."""
    if call.world.facts.assume_release:
        return
    # A repository of another project counts once a fixture names an image of it.
    known = {"/".join(image.split("/")[:3]) for image in call.world.facts.images}
    for where, container in containers(call):
        image = container.get("image")
        if not isinstance(image, str) or "pkg.dev/" not in image:
            continue
        if f"/{call.project}/" not in image and "/".join(image.split("/")[:3]) not in known:
            continue
        if image not in call.world.facts.images and not built_image(call, image):
            yield Problem(f"{where}.image", f"`{where}.image`: {image} does not exist; push it first.")


@behaviour("RUN-032", REVISIONS, _BOTH, 400, _REASON, "general knowledge of Cloud Run")
def image_host(call: Call) -> Iterator[Problem]:
    """An image of a registry that Cloud Run does not read."""
    for where, container in containers(call):
        image = container.get("image")
        if isinstance(image, str) and not _REGISTRY.fullmatch(image):
            yield Problem(
                f"{where}.image",
                f"`{where}.image` must be of Artifact Registry (REGION-docker.pkg.dev) or Docker Hub, not "
                f"{image!r}.",
            )


def mebibytes(text: str) -> float | None:
    """MiB of a quantity such as ``512Mi``, ``2Gi`` or plain bytes; None when it is no quantity."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(Ki|Mi|Gi|Ti|k|M|G|T)?", text)
    return None if match is None else float(match[1]) * _UNITS[match[2] or ""] / _UNITS["Mi"]


def _cores(text: str) -> float | None:
    match = re.fullmatch(r"(\d+)m|(\d+(?:\.\d+)?)", text)
    if match is None:
        return None
    return int(match[1]) / 1000 if match[1] else float(match[2])


def limits(container: Values) -> tuple[float, float]:
    """A container's cores and MiB of memory."""
    given = as_map((as_map(container.get("resources")) or {}).get("limits")) or {}
    cores = _cores(str(given.get("cpu") or "1"))
    memory = mebibytes(str(given.get("memory") or "512Mi"))
    return cores or 1.0, memory or 512.0


@behaviour(
    "RUN-007",
    REVISIONS,
    _BOTH,
    400,
    _REASON,
    "terraform-provider-google-beta website/docs/r/cloud_run_v2_service",
)
def cores_allowed(call: Call) -> Iterator[Problem]:
    """A container has 1, 2, 4, 6 or 8 cores, or part of one."""
    for where, container in containers(call):
        cores, _ = limits(container)
        if cores not in {1, 2, 4, 6, 8} and not 0.08 <= cores < 1:
            path = f"{where}.resources.limits.cpu"
            yield Problem(path, f"`{path}` must be 1, 2, 4, 6, 8 or 0.08 to 0.99, not {cores:g}.")


@behaviour("RUN-006", REVISIONS, _BOTH, 400, _REASON, "MarkEdmondson1234/googleCloudRunner#137")
def memory_allowed(call: Call) -> Iterator[Problem]:
    """Memory within what the cores allow."""
    for where, container in containers(call):
        cores, memory = limits(container)
        highest = 32 if cores > 4 else 16 if cores > 2 else 8 if cores > 1 else 4
        lowest = 4096 if cores >= 6 else 2048 if cores >= 4 else 128
        if not lowest <= memory <= highest * 1024:
            path = f"{where}.resources.limits.memory"
            yield Problem(
                path,
                f"`{path}` must be from {lowest}Mi to {highest}Gi with {cores:g} cores, not {memory:g}Mi.",
            )


@behaviour("RUN-004", _SERVICE, _BOTH, 400, _REASON, "nearform/slack-knowledgebase-chatgpt-responder#980")
def concurrency_of_part_core(call: Call) -> Iterator[Problem]:
    """Less than a core takes one request at a time."""
    concurrency = call.get("template.maxInstanceRequestConcurrency")
    small = any(limits(container)[0] < 1 for _, container in containers(call))
    if small and isinstance(concurrency, int) and concurrency > 1:
        path = "template.maxInstanceRequestConcurrency"
        yield Problem(path, f"`{path}` must be 1 with less than one core, not {concurrency}.")


@behaviour("RUN-009", _SERVICE, _BOTH, 400, _REASON, "general knowledge of Cloud Run")
def concurrency(call: Call) -> Iterator[Problem]:
    """Concurrency is 1 to 1000."""
    path = "template.maxInstanceRequestConcurrency"
    value = call.get(path)
    if isinstance(value, int) and value and not 1 <= value <= 1000:
        yield Problem(path, f"`{path}` must be from 1 to 1000, not {value}.")


@behaviour(
    "RUN-011",
    (_SERVICE, _POOL),
    _BOTH,
    400,
    _REASON,
    "terraform-provider-google-beta website/docs/r/cloud_run_v2_service",
)
def scaling(call: Call) -> Iterator[Problem]:
    """The fewest instances are not more than the most."""
    for block in ("template.scaling", "scaling"):
        low, high = call.get(f"{block}.minInstanceCount"), call.get(f"{block}.maxInstanceCount")
        if isinstance(low, int) and isinstance(high, int) and high and low > high:
            path = f"{block}.minInstanceCount"
            yield Problem(path, f"`{path}` must not be above maxInstanceCount ({high}), not {low}.")


@behaviour(
    "RUN-054",
    _SERVICE,
    _BOTH,
    400,
    _REASON,
    "terraform-provider-google-beta google-beta/services/cloudrunv2/resource_",
)
def timeout(call: Call) -> Iterator[Problem]:
    """A request takes at most an hour."""
    text = call.text("template.timeout")
    value = seconds(text) if text else 0
    if value is None or value > 3600:
        yield Problem("template.timeout", f"`template.timeout` must be at most 3600s, not {text!r}.")


@behaviour("RUN-022", _SERVICE, _BOTH, 400, _REASON, "google-cloud.md DOC-3.11")
def traffic_sum(call: Call) -> Iterator[Problem]:
    """Traffic adds up to 100 per cent."""
    shares = [item.get("percent") or 0 for item in call.blocks("traffics")]
    if shares and sum(shares) != 100:
        yield Problem("traffics", f"`traffics` must add up to 100 percent, not {sum(shares)}.")


@behaviour("RUN-018", _SERVICE, _BOTH, 400, _REASON, "hashicorp/terraform-provider-google#23344")
def ports(call: Call) -> Iterator[Problem]:
    """Exactly one container of several takes requests."""
    found = list(containers(call))
    serving = [where for where, container in found if container.get("ports")]
    if len(serving) > 1 or (len(found) > 1 and not serving):
        yield Problem(
            "template.containers", "`template.containers` must declare `ports` in exactly one container."
        )


@behaviour("RUN-020", REVISIONS, _BOTH, 400, _REASON, "general knowledge of Cloud Run")
def reserved_names(call: Call) -> Iterator[Problem]:
    """Environment names that Cloud Run sets itself."""
    for where, container in containers(call):
        for index, env in enumerate(as_list(container.get("envs")) or []):
            name = str((as_map(env) or {}).get("name"))
            if name in {"PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION"}:
                path = f"{where}.envs[{index}].name"
                yield Problem(path, f"`{path}`: {name} is set by Cloud Run; choose another name.")


@behaviour("RUN-027", (_SERVICE, _POOL), _BOTH, 400, _REASON, "general knowledge of Cloud Run")
def revision_name(call: Call) -> Iterator[Problem]:
    """A revision's name begins with that of its service."""
    revision, name = call.text("template.revision"), call.text("name")
    if revision and (not revision.startswith(f"{name}-") or len(revision) > 63):
        yield Problem(
            "template.revision",
            f"`template.revision` must start with {name}- and have 63 characters at most.",
        )


@behaviour("RUN-028", REVISIONS, _BOTH, 400, _REASON, "general knowledge of Cloud Run")
def name_form(call: Call) -> Iterator[Problem]:
    """A name outside Google's form."""
    name = call.text("name")
    limit = 49 if call.type == _SERVICE else 63
    if not re.fullmatch(r"[a-z](?:[-a-z0-9]*[a-z0-9])?", name) or len(name) > limit:
        yield Problem(
            "name",
            f"`name` must be 1 to {limit} lower-case letters, digits and dashes, start with a letter and "
            "not end "
            f"with a dash, not {name!r}.",
        )


@behaviour(
    "RUN-035",
    REVISIONS,
    _BOTH,
    400,
    _REASON,
    "terraform-provider-google-beta website/docs/r/cloud_run_v2_service",
)
def subnet_region(call: Call) -> Iterator[Problem]:
    """The subnetwork is of another region."""
    block = f"{template_path(call)}.vpcAccess.networkInterfaces"
    for index, interface in enumerate(call.blocks(block)):
        path = canonical(str(interface.get("subnetwork") or ""))
        match = re.fullmatch(r"projects/[^/]+/regions/([^/]+)/subnetworks/[^/]+", path)
        if match is not None and match[1] != call.location:
            where = f"{block}[{index}].subnetwork"
            yield Problem(where, f"`{where}` must be a subnetwork of {call.location}, not of {match[1]}.")


@behaviour("RUN-016", _SERVICE, _BOTH, 400, _REASON, "hashicorp/terraform-provider-google#17238")
def waits_for_nothing(call: Call) -> Iterator[Problem]:
    """A container waits for one that has no startup probe, or that does not exist."""
    named = {str(container.get("name")): container for _, container in containers(call)}
    for where, container in containers(call):
        for other in as_list(container.get("dependsOns")) or []:
            target = named.get(str(other))
            if target is None or not target.get("startupProbe"):
                yield Problem(
                    f"{where}.dependsOns", f"`{where}.dependsOns`: {other} needs a startupProbe of its own."
                )
