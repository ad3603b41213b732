"""Blocks whose parts must fit together: probes, subnets of Direct VPC, balancers, records, goals."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Final

from sandbox.cloud.behaviours.run import REVISIONS, containers
from sandbox.cloud.behaviours.table import Call, Phase, Problem, behaviour
from sandbox.cloud.data import as_list, as_map, at, plain
from sandbox.cloud.paths import canonical

_BOTH: Final = (Phase.CREATE, Phase.UPDATE)
_INVALID: Final = "INVALID_ARGUMENT"
_SERVICE: Final = "gcp:cloudrunv2/service:Service"
_POOL: Final = "gcp:cloudrunv2/workerPool:WorkerPool"
_JOB: Final = "gcp:cloudrunv2/job:Job"
_RECORD: Final = "gcp:dns/recordSet:RecordSet"
_SLO: Final = "gcp:monitoring/slo:Slo"
_DOC: Final = "terraform-provider-google-beta website/docs/r/"
_HANDLERS: Final = ("httpGet", "tcpSocket", "grpc")


def _probes(call: Call) -> Iterator[tuple[str, str, dict[str, object]]]:
    for where, container in containers(call):
        for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
            probe = as_map(container.get(kind))
            if probe is not None:
                yield f"{where}.{kind}", kind, probe


@behaviour("RUN-013", REVISIONS, _BOTH, 400, _INVALID, f"{_DOC}cloud_run_v2_service")
def probe_times(call: Call) -> Iterator[Problem]:
    """Times of a probe are within limits, its time-out not above its period, a start given up in time."""
    for where, kind, probe in _probes(call):
        highest = 240 if kind == "startupProbe" else 3600
        for name in ("initialDelaySeconds", "periodSeconds", "timeoutSeconds"):
            value = probe.get(name)
            low = 0 if name == "initialDelaySeconds" else 1
            if isinstance(value, int) and not low <= value <= highest:
                path = f"{where}.{name}"
                yield Problem(path, f"`{path}` must be from {low} to {highest}, not {value}; correct it.")
        timeout, period = probe.get("timeoutSeconds", 1), probe.get("periodSeconds", 10)
        if isinstance(timeout, int) and isinstance(period, int) and timeout > period:
            path = f"{where}.timeoutSeconds"
            yield Problem(
                path, f"`{path}` must not be above periodSeconds, {period}, not {timeout}; lower it."
            )
        if kind == "startupProbe":
            yield from _start_time(where, period, probe.get("failureThreshold", 3), call.type)


def _start_time(where: str, period: object, misses: object, type_: str) -> Iterator[Problem]:
    """Four minutes, and ten for a task of a job: Cloud Run, Configure container health checks."""
    most = 600 if type_ == _JOB else 240
    # A period that is too long of itself is told already.
    if isinstance(period, int) and isinstance(misses, int) and period <= 240 and period * misses > most:
        yield Problem(
            f"{where}.failureThreshold",
            f"`{where}` must give up after {most} seconds at most, periodSeconds times failureThreshold, "
            f"not {period * misses}; lower one of them.",
        )


@behaviour("RUN-014", REVISIONS, _BOTH, 400, _INVALID, f"{_DOC}cloud_run_v2_service")
def probe_handler(call: Call) -> Iterator[Problem]:
    """A probe has one handler, and a liveness probe none over TCP."""
    for where, kind, probe in _probes(call):
        given = [name for name in _HANDLERS if probe.get(name) is not None]
        if len(given) > 1:
            yield Problem(
                where, f"`{where}` must have one of {', '.join(given)}, not {len(given)}; remove one."
            )
        if kind == "livenessProbe" and given == ["tcpSocket"]:
            yield Problem(
                f"{where}.tcpSocket", f"`{where}.tcpSocket` is for startup probes; use httpGet or grpc."
            )


@behaviour(
    "RUN-036",
    (_SERVICE, _POOL, _JOB),
    _BOTH,
    400,
    "FAILED_PRECONDITION",
    "issue threads: insufficient free addresses",
)
def small_subnetwork(call: Call) -> Iterator[Problem]:
    """Direct VPC egress needs a subnetwork of /26 or larger."""
    block = f"{'template.' * (2 if call.type == _JOB else 1)}vpcAccess.networkInterfaces"
    for index, interface in enumerate(call.blocks(block)):
        name = str(interface.get("subnetwork") or "")
        path = name if "/" in name else f"projects/{call.project}/regions/{call.location}/subnetworks/{name}"
        record = call.world.at(canonical(path))
        text = str(plain(record.inputs).get("ipCidrRange")) if record is not None else ""
        length = text.partition("/")[2]
        if length.isdigit() and ":" not in text and int(length) > 26:
            where = f"{block}[{index}].subnetwork"
            yield Problem(
                where, f"`{where}` must have a range of /26 or larger, not {text}; use a larger one."
            )


@behaviour("RUN-040", (_SERVICE, _POOL), _BOTH, 400, _INVALID, f"{_DOC}cloud_run_v2_service")
def mounts(call: Call) -> Iterator[Problem]:
    """A mount without its volume."""
    volumes = {str(volume.get("name")) for volume in call.blocks("template.volumes")}
    for index, container in enumerate(call.blocks("template.containers")):
        for number, mount in enumerate(as_list(container.get("volumeMounts")) or []):
            name = str((as_map(mount) or {}).get("name"))
            if name not in volumes:
                where = f"template.containers[{index}].volumeMounts[{number}].name"
                yield Problem(where, f"`{where}`: {name} is no volume of the template; declare it.")


@behaviour("RUN-059", (_SERVICE, _POOL), _BOTH, 400, _INVALID, f"{_DOC}cloud_run_v2_service")
def environment(call: Call) -> Iterator[Problem]:
    """A name of the environment that is none, or twice."""
    for index, container in enumerate(call.blocks("template.containers")):
        seen: set[str] = set()
        for number, env in enumerate(as_list(container.get("envs")) or []):
            name = str((as_map(env) or {}).get("name"))
            where = f"template.containers[{index}].envs[{number}].name"
            if name in seen:
                yield Problem(where, f"`{where}`: {name} is given twice; keep one.")
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
                yield Problem(
                    where, f"`{where}` must be letters, digits and underscores, not {name!r}; rename it."
                )
            seen.add(name)


@behaviour("RUN-019", _SERVICE, _BOTH, 400, _INVALID, "issue threads: ports should contain 0 or 1 port")
def many_ports(call: Call) -> Iterator[Problem]:
    """A container of more than one port."""
    for index, container in enumerate(call.blocks("template.containers")):
        count = len(as_list(container.get("ports")) or [])
        if count > 1:
            where = f"template.containers[{index}].ports"
            yield Problem(where, f"`{where}` takes one port, not {count}; keep one.")


@behaviour("RUN-024", _SERVICE, _BOTH, 400, _INVALID, "general knowledge of Cloud Run")
def revision_of_traffic(call: Call) -> Iterator[Problem]:
    """A share of a revision names it, and only that does."""
    for index, share in enumerate(call.blocks("traffics")):
        named = str(share.get("type")).endswith("_REVISION")
        if named != bool(share.get("revision")):
            where = f"traffics[{index}].revision"
            yield Problem(
                where, f"`{where}` belongs to the type REVISION, and only to it; correct one of the two."
            )


@behaviour(
    "SVN-018",
    "gcp:compute/globalAddress:GlobalAddress",
    Phase.CREATE,
    400,
    "FAILED_PRECONDITION",
    "issue threads: couldn't find free blocks in allocated IP ranges",
)
def small_range(call: Call) -> Iterator[Problem]:
    """A range for private services smaller than /24."""
    length = call.get("prefixLength")
    if call.text("purpose") == "VPC_PEERING" and isinstance(length, int) and length > 24:
        yield Problem(
            "prefixLength", f"`prefixLength` must be 24 or less for Cloud SQL and Redis, not {length}."
        )


@behaviour("DNS-002", _RECORD, Phase.CREATE, 400, "invalid", "general knowledge of Cloud DNS")
def outside_zone(call: Call) -> Iterator[Problem]:
    """A record outside its zone."""
    zone = call.world.at(
        f"projects/{call.project}/managedZones/{call.text('managedZone').rsplit('/', 1)[-1]}"
    )
    name = call.text("name")
    domain = str(plain(zone.inputs).get("dnsName")) if zone else ""
    if domain and name != domain and not name.endswith(f".{domain}"):
        yield Problem("name", f"`name` must lie in the zone {domain}, not {name}; correct it.")


@behaviour(
    "DNS-004", _RECORD, Phase.CREATE, 400, "cnameResourceRecordSetConflict", "general knowledge of DNS"
)
def lone_alias(call: Call) -> Iterator[Problem]:
    """An alias beside another record of its name."""
    for record in call.world.find(_RECORD):
        inputs = plain(record.inputs)
        same = (inputs.get("name"), inputs.get("managedZone")) == (call.get("name"), call.get("managedZone"))
        if same and "CNAME" in {inputs.get("type"), call.text("type")} and record.id != call.id:
            yield Problem("type", f"`type` CNAME cannot stand beside {record.id}; remove one of the two.")


@behaviour("DNS-005", _RECORD, _BOTH, 400, "invalid", f"{_DOC}dns_record_set")
def record_data(call: Call) -> Iterator[Problem]:
    """Data that does not fit the type of record."""
    for index, data in enumerate(call.texts("rrdatas")):
        where, kind = f"rrdatas[{index}]", call.text("type")
        if kind in {"CNAME", "NS", "MX"} and not data.endswith("."):
            yield Problem(where, f"`{where}` of a {kind} record must end with a dot, not {data!r}; add it.")
        if kind in {"A", "AAAA"}:
            try:
                fits = ipaddress.ip_address(data).version == (4 if kind == "A" else 6)
            except ValueError:
                fits = False
            if not fits:
                yield Problem(where, f"`{where}` of an {kind} record must be its address, not {data!r}.")


@behaviour("MON-040", _SLO, _BOTH, 400, _INVALID, f"{_DOC}monitoring_slo")
def two_filters(call: Call) -> Iterator[Problem]:
    """A ratio of exactly two filters."""
    ratio = as_map(call.get("requestBasedSli.goodTotalRatio"))
    if ratio is None:
        return
    count = sum(bool(ratio.get(f"{kind}ServiceFilter")) for kind in ("good", "bad", "total"))
    if count != 2:
        path = "requestBasedSli.goodTotalRatio"
        yield Problem(
            path, f"`{path}` must hold two of good, bad and total filters, not {count}; correct it."
        )


@behaviour(
    "MON-006", "gcp:monitoring/alertPolicy:AlertPolicy", _BOTH, 400, _INVALID, "monitoring documentation"
)
def reducer_alone(call: Call) -> Iterator[Problem]:
    """A reducer without an aligner."""
    for index, condition in enumerate(call.blocks("conditions")):
        for number, item in enumerate(as_list(at(condition, "conditionThreshold.aggregations")) or []):
            reducer, aligner = at(item, "crossSeriesReducer"), at(item, "perSeriesAligner")
            if reducer not in {None, "REDUCE_NONE"} and aligner in {None, "ALIGN_NONE"}:
                path = f"conditions[{index}].conditionThreshold.aggregations[{number}].perSeriesAligner"
                yield Problem(path, f"`{path}` is needed with crossSeriesReducer; set it.")


@behaviour("NET-031", "gcp:compute/firewall:Firewall", _BOTH, 400, "invalid", f"{_DOC}compute_firewall")
def ports_of_protocol(call: Call) -> Iterator[Problem]:
    """Ports of a protocol that has none."""
    for block in ("allows", "denies"):
        for index, item in enumerate(call.blocks(block)):
            protocol = str(item.get("protocol")).lower()
            if item.get("ports") and protocol not in {"tcp", "udp", "sctp", "6", "17", "132"}:
                path = f"{block}[{index}].ports"
                yield Problem(path, f"`{path}` cannot be given for the protocol {protocol}; remove it.")
