"""The global load balancer and its certificates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sandbox.cloud.behaviours.table import Call, Phase, Problem, behaviour
from sandbox.cloud.data import Values, plain
from sandbox.cloud.paths import canonical

_BACKEND: Final = "gcp:compute/backendService:BackendService"
_NEG: Final = "gcp:compute/regionNetworkEndpointGroup:RegionNetworkEndpointGroup"
_MAP: Final = "gcp:compute/uRLMap:URLMap"
_HTTPS: Final = "gcp:compute/targetHttpsProxy:TargetHttpsProxy"
_RULE: Final = "gcp:compute/globalForwardingRule:GlobalForwardingRule"
_SSL: Final = "gcp:compute/sSLPolicy:SSLPolicy"
_ENTRY: Final = "gcp:certificatemanager/certificateMapEntry:CertificateMapEntry"
_BOTH: Final = (Phase.CREATE, Phase.UPDATE)


def _groups(call: Call) -> list[Values]:
    """The inputs of the serverless groups behind a backend service."""
    found: list[Values] = []
    for backend in call.blocks("backends"):
        record = call.world.at(canonical(str(backend.get("group") or "")))
        if record is not None and record.type == _NEG:
            inputs = plain(record.inputs)
            if inputs.get("networkEndpointType", "SERVERLESS") == "SERVERLESS":
                found.append(
                    {**inputs, "region": inputs.get("region") or plain(record.outputs.get("region"))}
                )
    return found


@behaviour("LB-007", _BACKEND, _BOTH, 400, "invalid", "terraform-google-modules/terraform-google-lb-http#358")
def serverless_timeout(call: Call) -> Iterator[Problem]:
    """A serverless backend has no timeout of its own."""
    if _groups(call) and not call.absent("timeoutSec"):
        yield Problem(
            "timeoutSec", "`timeoutSec` cannot be set with a serverless backend; set Cloud Run's own timeout."
        )


@behaviour("LB-008", _BACKEND, _BOTH, 400, "invalid", "google-cloud.md 2.0")
def serverless_health(call: Call) -> Iterator[Problem]:
    """A serverless backend has no health check."""
    if _groups(call) and call.get("healthChecks"):
        yield Problem(
            "healthChecks", "`healthChecks` cannot be set with a serverless backend; use outlierDetection."
        )


@behaviour("LB-009", _BACKEND, _BOTH, 400, "invalid", "hashicorp/terraform-provider-google#7167")
def serverless_capacity(call: Call) -> Iterator[Problem]:
    """A serverless backend has no capacity settings."""
    names = ("maxUtilization", "maxRate", "maxRatePerInstance", "maxRatePerEndpoint", "maxConnections")
    if not _groups(call):
        return
    for index, backend in enumerate(call.blocks("backends")):
        for name in names:
            if backend.get(name) is not None:
                path = f"backends[{index}].{name}"
                yield Problem(path, f"`{path}` cannot be set with a serverless backend; remove it.")


@behaviour("LB-010", _BACKEND, _BOTH, 400, "invalid", "google-cloud.md 2.0")
def serverless_protocol(call: Call) -> Iterator[Problem]:
    """A serverless backend speaks HTTP or HTTPS and has no port name."""
    if not _groups(call):
        return
    if call.text("portName"):
        yield Problem("portName", "`portName` cannot be set with a serverless backend; remove it.")
    if call.text("protocol") in {"HTTP2", "GRPC", "TCP", "SSL"}:
        yield Problem(
            "protocol", f"`protocol` must be HTTPS with a serverless backend, not {call.text('protocol')}."
        )


@behaviour(
    "LB-011",
    _BACKEND,
    _BOTH,
    400,
    "invalid",
    "Google Cloud documentation: Load balancing, serverless NEG concepts",
)
def one_group_a_region(call: Call) -> Iterator[Problem]:
    """Two serverless groups of one region."""
    seen: set[str] = set()
    for group in _groups(call):
        region = str(group.get("region"))
        if region in seen:
            yield Problem(
                "backends", f"`backends` holds two serverless groups of {region}; keep one a region."
            )
        seen.add(region)


@behaviour(
    "LB-014",
    _BACKEND,
    _BOTH,
    400,
    "invalid",
    "hashicorp/terraform-provider-google#15210; google-cloud.md 2.0",
)
def serverless_outliers(call: Call) -> Iterator[Problem]:
    """Success rates are not for serverless backends."""
    names = (
        "enforcingSuccessRate",
        "successRateMinimumHosts",
        "successRateRequestVolume",
        "successRateStdevFactor",
    )
    if not _groups(call):
        return
    for name in names:
        if not call.absent(f"outlierDetection.{name}"):
            path = f"outlierDetection.{name}"
            yield Problem(path, f"`{path}` cannot be set with a serverless backend; remove it.")


@behaviour("LB-015", _BACKEND, _BOTH, 400, "invalid", "google-cloud.md 2.0")
def outliers_with_iap(call: Call) -> Iterator[Problem]:
    """Outlier detection and IAP exclude each other."""
    if call.get("iap.enabled") and call.get("outlierDetection"):
        yield Problem("outlierDetection", "`outlierDetection` excludes `iap`; remove one of the two.")


@behaviour(
    "LB-053",
    _BACKEND,
    _BOTH,
    400,
    "invalid",
    "terraform-provider-google-beta google-beta/services/compute/resource_com",
)
def sample_rate(call: Call) -> Iterator[Problem]:
    """A sample rate is 0 to 1."""
    rate = call.get("logConfig.sampleRate")
    if isinstance(rate, int | float) and not 0 <= rate <= 1:
        yield Problem("logConfig.sampleRate", f"`logConfig.sampleRate` must be from 0 to 1, not {rate}.")


@behaviour("ARM-038", _BACKEND, _BOTH, 400, "invalid", "google-cloud.md SEC-2.3")
def policy_kind(call: Call) -> Iterator[Problem]:
    """A policy of the wrong kind."""
    for path, wanted in (("securityPolicy", "CLOUD_ARMOR"), ("edgeSecurityPolicy", "CLOUD_ARMOR_EDGE")):
        record = call.target(path)
        kind = plain(record.inputs).get("type", "CLOUD_ARMOR") if record is not None else wanted
        if kind != wanted:
            yield Problem(path, f"`{path}` must be a policy of type {wanted}, not {kind}.")


@behaviour(
    "LB-023",
    _NEG,
    Phase.CREATE,
    400,
    "invalid",
    "terraform-provider-google-beta website/docs/r/compute_region_network_end",
)
def mask_and_service(call: Call) -> Iterator[Problem]:
    """A URL mask and a service exclude each other."""
    if call.text("cloudRun.urlMask") and call.text("cloudRun.service"):
        yield Problem(
            "cloudRun.urlMask", "`cloudRun.urlMask` excludes `cloudRun.service`; remove one of the two."
        )


@behaviour("LB-026", _MAP, _BOTH, 400, "invalid", "general knowledge of URL maps")
def path_matchers(call: Call) -> Iterator[Problem]:
    """Host rules and path matchers belong together."""
    declared = {str(item.get("name")) for item in call.blocks("pathMatchers")}
    used = {str(item.get("pathMatcher")) for item in call.blocks("hostRules")}
    for name in sorted(used - declared):
        yield Problem(
            "hostRules", f"`hostRules` names the path matcher {name}, which is not declared; declare it."
        )
    for name in sorted(declared - used):
        yield Problem("pathMatchers", f"`pathMatchers`: no host rule uses {name}; add one or remove it.")


@behaviour("LB-035", _HTTPS, Phase.CREATE, 400, "invalid", "general knowledge of target proxies")
def no_certificate(call: Call) -> Iterator[Problem]:
    """A proxy for HTTPS without a certificate."""
    names = ("sslCertificates", "certificateMap", "certificateManagerCertificates")
    if all(call.absent(name) for name in names):
        yield Problem("certificateMap", "`certificateMap` is needed (or sslCertificates); set it.")


@behaviour("LB-037", _HTTPS, _BOTH, 400, "invalid", "google-cloud.md 2.0")
def map_form(call: Call) -> Iterator[Problem]:
    """A certificate map is given by its full resource name."""
    form = r"//certificatemanager\.googleapis\.com/projects/[^/]+/locations/global/certificateMaps/[^/]+"
    given = call.text("certificateMap")
    if given and not re.fullmatch(form, given):
        yield Problem(
            "certificateMap",
            "`certificateMap` must be //certificatemanager.googleapis.com/projects/PROJECT/locations/global/"
            f"certificateMaps/NAME, not {given!r}.",
        )


@behaviour(
    "CRT-100",
    _HTTPS,
    Phase.CREATE,
    400,
    "invalid",
    "google-cloud.md 2.0: a map without entries serves nothing",
)
def empty_map(call: Call) -> Iterator[Problem]:
    """A certificate map without an entry."""
    record = call.target("certificateMap")
    if record is None:
        return
    name = record.id.rsplit("/", 1)[-1]
    entries = [str(plain(entry.inputs.get("map"))).rsplit("/", 1)[-1] for entry in call.world.find(_ENTRY)]
    if name not in entries:
        yield Problem(
            "certificateMap", f"`certificateMap`: {name} has no entry; declare one and depend on it."
        )


@behaviour(
    "LB-039",
    _HTTPS,
    _BOTH,
    400,
    "invalid",
    "terraform-provider-google-beta website/docs/r/compute_target_https_proxy",
)
def keep_alive(call: Call) -> Iterator[Problem]:
    """Connections are kept 5 to 1200 seconds."""
    value = call.get("httpKeepAliveTimeoutSec")
    if isinstance(value, int) and not 5 <= value <= 1200:
        yield Problem(
            "httpKeepAliveTimeoutSec", f"`httpKeepAliveTimeoutSec` must be from 5 to 1200, not {value}."
        )


@behaviour("LB-006", _RULE, Phase.CREATE, 400, "invalid", "general knowledge of forwarding rules")
def port_of_rule(call: Call) -> Iterator[Problem]:
    """A rule takes one port."""
    ports = call.text("portRange")
    first, _, last = ports.partition("-")
    if "-" in ports and first != last:
        yield Problem("portRange", f"`portRange` must be one port, such as 443, not {ports}.")


@behaviour(
    "LB-005",
    _RULE,
    Phase.CREATE,
    400,
    "IP_IN_USE_BY_ANOTHER_RESOURCE",
    "public deployment reports (exact text",
)
def port_taken(call: Call) -> Iterator[Problem]:
    """Address and port belong to another rule."""
    own = (canonical(call.text("ipAddress")), call.text("portRange").split("-")[0])
    for record in call.world.find(_RULE):
        inputs = plain(record.inputs)
        other = (canonical(str(inputs.get("ipAddress"))), str(inputs.get("portRange")).split("-")[0])
        if own[0] and own == other:
            yield Problem("ipAddress", f"`ipAddress` and port {own[1]} are already used by {record.id}.")


@behaviour(
    "LB-043",
    _SSL,
    Phase.CHECK,
    400,
    "invalid",
    "terraform-provider-google-beta google-beta/services/compute/resource_com",
)
def custom_features(call: Call) -> Iterator[Problem]:
    """Features of one's own are for the profile CUSTOM."""
    custom = call.text("profile") == "CUSTOM"
    if custom and call.absent("customFeatures"):
        yield Problem(
            "customFeatures", "`customFeatures` is needed with the profile CUSTOM; list the ciphers."
        )
    if not custom and call.get("customFeatures") and not call.absent("profile"):
        yield Problem(
            "customFeatures", "`customFeatures` needs the profile CUSTOM; remove it or change the profile."
        )


@behaviour(
    "LB-044", _SSL, _BOTH, 400, "invalid", "terraform-provider-google-beta website/docs/r/compute_ssl_policy"
)
def tls_profile(call: Call) -> Iterator[Problem]:
    """TLS 1.3 only goes with the restricted profile, FIPS with TLS 1.2."""
    version, profile = call.text("minTlsVersion"), call.text("profile")
    if version == "TLS_1_3" and profile != "RESTRICTED":
        yield Problem(
            "profile",
            f"`profile` must be RESTRICTED with minTlsVersion TLS_1_3, not {profile or 'COMPATIBLE'}.",
        )
    if profile == "FIPS_202205" and version != "TLS_1_2":
        yield Problem("minTlsVersion", "`minTlsVersion` must be TLS_1_2 with the profile FIPS_202205.")
