"""Cloud Run services, worker pools and jobs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from policies.model import (
    SECRET,
    UNKNOWN,
    Block,
    Finding,
    Resource,
    contains_unknown,
    is_false,
    is_given,
    is_missing,
    is_true,
    outside,
    relation,
    rule,
    say,
    stack_rule,
    text,
)
from policies.places import environment

__all__ = ["RULES"]

SERVICE: Final = "gcp:cloudrunv2/service:Service"
WORKER_POOL: Final = "gcp:cloudrunv2/workerPool:WorkerPool"
JOB: Final = "gcp:cloudrunv2/job:Job"
_ALL: Final = (SERVICE, WORKER_POOL, JOB)
_INVOKERS: Final = (
    "gcp:cloudrunv2/serviceIamMember:ServiceIamMember",
    "gcp:cloudrunv2/serviceIamBinding:ServiceIamBinding",
)
_EXECUTORS: Final = (
    "gcp:cloudrunv2/jobIamMember:JobIamMember",
    "gcp:cloudrunv2/jobIamBinding:JobIamBinding",
)
# They start a job as it is declared, or only look at it; others hand it another command or another image.
_EXECUTOR_ROLES: Final = ("roles/run.jobsExecutor", "roles/run.viewer")
_CLOSED: Final = ("INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER", "INGRESS_TRAFFIC_INTERNAL_ONLY")
_INTERNAL: Final = "INGRESS_TRAFFIC_INTERNAL_ONLY"
_PUBLIC: Final = ("allUsers", "allAuthenticatedUsers")
_DEFAULT_ACCOUNT: Final = re.compile(
    r"^\d+-compute@developer\.gserviceaccount\.com$|@appspot\.gserviceaccount\.com$"
)
_DIGEST: Final = re.compile(r"@sha256:[0-9a-f]{64}$")
# The house's registry, and the one of Google that holds its collector.
_REGISTRIES: Final = re.compile(
    r"^europe[a-z0-9-]*-docker\.pkg\.dev/|^us-docker\.pkg\.dev/cloud-ops-agents-artifacts/"
)
_CREDENTIAL: Final = re.compile(
    r"(PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY|CREDENTIALS?)$", re.IGNORECASE
)
# How keys of well-known services begin, whatever the variable is called.
_TOKEN: Final = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|^(AIza[\w-]{35}|gh[pousr]_\w{36,}|xox[abprs]-[\w-]{10,}|sk_live_\w{10,})"
    r"|^AKIA[0-9A-Z]{16}$|://[^/\s:@]+:[^/\s@]+@"
)


def _template(resource: Resource) -> str:
    return "template.template" if resource.type == JOB else "template"


def _containers(resource: Resource) -> Iterator[Block]:
    yield from resource.each(f"{_template(resource)}.containers")


@rule(
    "run-own-identity",
    "Every workload runs as an account of its own",
    controls=("RUN-01",),
    source="CIS 4.1 by analogy, Google custom.cloudrunServiceDisableDefaultServiceAccount",
    types=_ALL,
)
def own_identity(resource: Resource) -> Iterator[str]:
    path = f"{_template(resource)}.serviceAccount"
    value = resource.get(path)
    if is_missing(value):
        yield say(
            resource,
            path,
            "name an account (absent means the default one)",
            None,
            "set the workload's account",
        )
    elif _DEFAULT_ACCOUNT.search(text(value) or ""):
        yield say(resource, path, "not be a default account", value, "set the workload's account")


@rule(
    "run-ingress-closed",
    "A service admits only the load balancer or internal traffic",
    controls=("RUN-02",),
    source="org policy run.allowedIngress, SEC-2.3",
    types=(SERVICE,),
)
def ingress_closed(resource: Resource) -> Iterator[str]:
    value = resource.get("ingress")
    if outside(value, _CLOSED, absent="INGRESS_TRAFFIC_ALL"):
        yield say(resource, "ingress", f"be {_CLOSED[0]} (absent means everybody)", value, "set it")


@rule(
    "run-default-uri-disabled",
    "A service has no run.app address beside the load balancer, unless it admits internal traffic only",
    controls=("RUN-03",),
    source="SEC-2.3, CRIT-1.1",
    types=(SERVICE,),
)
def default_uri_disabled(resource: Resource) -> Iterator[str]:
    path = "defaultUriDisabled"
    # Google's own callers (Pub/Sub, Scheduler) reach an internal service at that address only.
    if not outside(resource.get("ingress"), (_INTERNAL,), absent="INGRESS_TRAFFIC_ALL"):
        return
    if is_false(resource.get(path, default=False)):
        yield say(resource, path, "be true", resource.get(path), "set it to true")


@rule(
    "run-image-by-digest",
    "Every image is named by its digest, but for what Cloud Run builds from source",
    controls=("RUN-14",),
    source="design: a release is a set of digests",
    types=_ALL,
)
def image_by_digest(resource: Resource) -> Iterator[str]:
    for container in _containers(resource):
        image = text(container.get("image"))
        # What Cloud Run builds has no digest yet; it writes the digest itself once it has built.
        if image is not None and resource.get("buildConfig.imageUri") in (image, UNKNOWN, SECRET):
            continue
        if image is not None and _DIGEST.search(image) is None:
            yield say(resource, container.within("image"), "end in @sha256:DIGEST", image, "name the digest")


@rule(
    "run-image-from-own-registry",
    "Every image comes from Artifact Registry in Europe, or is Google's collector",
    controls=("RUN-14",),
    source="design: the application's image comes by the platform's registry",
    types=_ALL,
)
def image_registry(resource: Resource) -> Iterator[str]:
    for container in _containers(resource):
        image = text(container.get("image"))
        if image is not None and _REGISTRIES.match(image) is None:
            yield say(
                resource,
                container.within("image"),
                "come from europe-docker.pkg.dev",
                image,
                "push it to the registry",
            )


@rule(
    "run-customer-key",
    "Every workload is encrypted with a key of the house",
    controls=("RUN-16",),
    source="SEC-2.2",
    types=_ALL,
)
def customer_key(resource: Resource) -> Iterator[str]:
    path = f"{_template(resource)}.encryptionKey"
    if is_missing(resource.get(path)):
        yield say(resource, path, "name a key", None, "set the compute key of the region")


@rule(
    "run-limits",
    "Every container states its CPU and memory",
    controls=("RUN-08",),
    source="MON-2.6",
    types=_ALL,
)
def limits(resource: Resource) -> Iterator[str]:
    for container in _containers(resource):
        for unit in ("cpu", "memory"):
            path = f"resources.limits.{unit}"
            if is_missing(container.get(path)):
                yield say(resource, container.within(path), "be given", None, "set the limit")


@rule(
    "run-maximum-stated",
    "A service states how many instances it may have",
    controls=("RUN-07",),
    source="table of environments; Google's default is 100",
    types=(SERVICE,),
)
def maximum_stated(resource: Resource) -> Iterator[str]:
    paths = ("template.scaling.maxInstanceCount", "scaling.maxInstanceCount", "scaling.manualInstanceCount")
    if all(is_missing(resource.get(path)) for path in paths):
        yield say(resource, paths[0], "be given", None, "set the ceiling of the environment")


@rule(
    "run-egress-through-vpc",
    "A workload leaves through the network",
    controls=("RUN-12",),
    source="org policy run.allowedVPCEgress, API-3.8: fixed egress addresses",
    types=_ALL,
)
def egress_through_vpc(resource: Resource) -> Iterator[str]:
    path = f"{_template(resource)}.vpcAccess"
    value = resource.get(f"{path}.egress")
    if resource.get(path) is None:
        yield say(resource, path, "name a subnet", None, "attach the workload to its subnet")
    elif outside(value, ("ALL_TRAFFIC",), absent="PRIVATE_RANGES_ONLY"):
        yield say(
            resource, f"{path}.egress", "be ALL_TRAFFIC", value, "set it, so that NAT gives the address"
        )


@rule(
    "run-no-literal-credential",
    "No credential stands readable in an environment variable",
    controls=("RUN-13", "GEN-11"),
    source="CIS 1.17/1.18 by analogy, Google custom.cloudrunDisableEnvironmentVariablePattern",
    types=_ALL,
)
def no_literal_credential(resource: Resource) -> Iterator[str]:
    for container in _containers(resource):
        for variable in container.each("envs"):
            name = text(variable.get("name"))
            value = variable.get("value")
            suspect = name is not None and _CREDENTIAL.search(name) is not None
            if (suspect and is_given(value)) or _TOKEN.search(text(value) or ""):
                yield say(
                    resource,
                    f"{variable.within('value')} of {name}",
                    "come from Secret Manager",
                    SECRET,
                    "use valueSource.secretKeyRef",
                )


@rule(
    "run-secret-version-pinned",
    "A workload names the version of each secret",
    controls=("RUN-22",),
    source="design: a release holds secret versions",
    types=_ALL,
)
def secret_version_pinned(resource: Resource) -> Iterator[str]:
    path = "valueSource.secretKeyRef"
    for container in _containers(resource):
        for variable in container.each("envs"):
            version = variable.get(f"{path}.version")
            if variable.get(path) is not None and (version is None or version == "latest"):
                yield say(
                    resource,
                    variable.within(f"{path}.version"),
                    "be a number",
                    version,
                    "take it from the release",
                )


@rule(
    "run-deletion-protection",
    "A workload is protected against deletion outside dev",
    controls=("RUN-19",),
    source="table of environments",
    types=_ALL,
)
def deletion_protection(resource: Resource) -> Iterator[str]:
    where = environment(resource)
    value = resource.get("deletionProtection", default=True)
    if where not in (None, "dev") and is_false(value):
        yield say(resource, "deletionProtection", f"be true in {where}", value, "set it to true")


@rule(
    "run-probes",
    "A service states how it shows that it is alive",
    controls=("RUN-09", "RUN-10"),
    source="OPT-4.8",
    types=(SERVICE,),
)
def probes(resource: Resource) -> Iterator[str]:
    containers = list(_containers(resource))
    serving = [one for one in containers if one.get("ports") is not None] or containers
    for container in serving[:1]:
        for path in ("startupProbe", "livenessProbe"):
            if container.get(path) is None:
                yield say(resource, container.within(path), "be given", None, "ask /health")


@stack_rule(
    "run-open-only-behind-edge",
    "Only a service behind the load balancer may be called without an identity",
    controls=("RUN-04", "RUN-05", "IAM-05"),
    source="checkov CKV_GCP_102; decision: the load balancer has no identity, Cloud Armor stands before it",
)
def open_only_behind_edge(resources: Sequence[Resource]) -> Iterator[Finding]:
    services = [one for one in resources if one.type == SERVICE]
    for service in services:
        if is_true(service.get("invokerIamDisabled")) and not _behind_edge(service):
            message = say(
                service,
                "invokerIamDisabled",
                "be false unless ingress is closed",
                True,
                "close ingress and run.app",
            )
            yield Finding(service.urn, message)
    for grant in resources:
        members = [*grant.strings("member"), *grant.strings("members")] if grant.type in _INVOKERS else []
        public = [member for member in members if member in _PUBLIC]
        if not public:
            continue
        related = [(one, relation(grant, "name", one)) for one in services]
        # One that is certain leaves no room for those that may be; of those, every one must be open.
        sure = [one for one, kind in related if kind == "yes"]
        targets = sure or [one for one, kind in related if kind != "no"]
        certain = not targets and not contains_unknown(grant.get("name"))
        open_ = [not _behind_edge(one) for one in targets]
        if certain or (any(open_) if sure else bool(open_) and all(open_)):
            message = say(
                grant,
                "member",
                f"be an account unless the service has ingress {_CLOSED[0]} and no run.app address",
                public[0],
                "close the service or name the caller",
            )
            yield Finding(grant.urn, message)


@rule(
    "run-job-as-declared",
    "A job is started by named identities, as it is declared",
    controls=("RUN-05", "IAM-05"),
    source="DB-3.1; Cloud Run roles: with overrides its account runs any command of the image",
    types=_EXECUTORS,
)
def job_as_declared(resource: Resource) -> Iterator[str]:
    role = text(resource.get("role"))
    if role is not None and role not in _EXECUTOR_ROLES:
        yield say(resource, "role", f"be one of {', '.join(_EXECUTOR_ROLES)}", role, "grant the executor's")
    for path in ("member", "members"):
        for member in resource.strings(path):
            if member in _PUBLIC:
                yield say(resource, path, "be an account or a group", member, "name who starts it")


def _behind_edge(service: Resource) -> bool:
    ingress, hidden = service.get("ingress"), service.get("defaultUriDisabled", default=False)
    return not outside(ingress, _CLOSED, absent="INGRESS_TRAFFIC_ALL") and (
        hidden is UNKNOWN or not is_false(hidden)
    )


RULES = (
    own_identity,
    ingress_closed,
    default_uri_disabled,
    image_by_digest,
    image_registry,
    customer_key,
    limits,
    maximum_stated,
    egress_through_vpc,
    no_literal_credential,
    secret_version_pinned,
    deletion_protection,
    probes,
    open_only_behind_edge,
    job_as_declared,
)
