"""The load balancer and its certificates: what is documented of forwarding rules, URL maps and headers."""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from sandbox.cloud.behaviours.table import Call, Phase, Problem, behaviour
from sandbox.cloud.data import Values, as_list, as_map, at, plain
from sandbox.cloud.paths import canonical

_BACKEND: Final = "gcp:compute/backendService:BackendService"
_NEG: Final = "gcp:compute/regionNetworkEndpointGroup:RegionNetworkEndpointGroup"
_MAP: Final = "gcp:compute/uRLMap:URLMap"
_FORWARD: Final = "gcp:compute/globalForwardingRule:GlobalForwardingRule"
_ENTRY: Final = "gcp:certificatemanager/certificateMapEntry:CertificateMapEntry"
_AUTHORIZATION: Final = "gcp:certificatemanager/dnsAuthorization:DnsAuthorization"
_BOTH: Final = (Phase.CREATE, Phase.UPDATE)
_GENERAL: Final = "general knowledge of load balancing"
_MAP_PAGE: Final = "terraform-provider-google-beta website/docs/r/compute_url_map"
_MIGRATION: Final = {
    _BACKEND: "externalManagedMigrationState",
    _FORWARD: "externalManagedBackendBucketMigrationState",
}
_ADVANCED: Final = ("retryPolicy", "requestMirrorPolicy", "faultInjectionPolicy")
_HEADERS: Final = 16
_HEADER: Final = re.compile(r"([A-Za-z0-9!#$%&'*+.^_`|~-]+):.*", re.DOTALL)
_RESERVED: Final = frozenset(
    [
        "authority",
        "cdn-loop",
        "connection",
        "content-encoding",
        "content-length",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "via",
        "x-user-ip",
    ]
)
_RESERVED_PREFIXES: Final = ("x-google", "x-goog-", "x-gfe", "x-amz-")


@behaviour(
    "LB-002",
    (_BACKEND, _FORWARD),
    Phase.UPDATE,
    400,
    "invalid",
    "terraform-provider-google-beta website/docs/r/compute_backend_service; pulumi/pulumi-gcp#4037",
)
def scheme_change(call: Call) -> Iterator[Problem]:
    """The scheme changes in place only after the migration has sent all traffic."""
    state = _MIGRATION[call.type]
    old, new = str(call.old_inputs.get("loadBalancingScheme") or ""), call.text("loadBalancingScheme")
    moved = {old, new} == {"EXTERNAL", "EXTERNAL_MANAGED"} and call.old_inputs.get(
        state
    ) == "TEST_ALL_TRAFFIC"
    if old and new and old != new and not moved:
        yield Problem(
            "loadBalancingScheme",
            f"`loadBalancingScheme` cannot change from {old} to {new} before {state} is TEST_ALL_TRAFFIC; "
            "deploy PREPARE, then TEST_ALL_TRAFFIC, or replace it.",
        )


@behaviour("LB-003", _FORWARD, Phase.CREATE, 400, "invalid", "hashicorp/terraform-provider-google#6684")
def regional_chain(call: Call) -> Iterator[Problem]:
    """A global rule leads to a global proxy with a global URL map."""
    target = canonical(call.text("target"))
    if "/regions/" in target and "/serviceAttachments/" not in target:
        yield Problem("target", f"`target` must be a global proxy, not {target}.")
    elif any(kind in target for kind in ("/backendServices/", "/urlMaps/")):
        yield Problem("target", f"`target` must be a target proxy, not {target}.")


@behaviour("LB-004", _FORWARD, Phase.CREATE, 400, "invalid", _GENERAL)
def address_of_rule(call: Call) -> Iterator[Problem]:
    """The address is global and of the rule's IP version."""
    address = canonical(call.text("ipAddress"))
    if "/regions/" in address:
        yield Problem("ipAddress", f"`ipAddress` must be a global address, not {address}.")
        return
    record = call.target("ipAddress")
    given = str(plain(record.inputs).get("ipVersion") or "IPV4") if record is not None else ""
    try:
        given = given or f"IPV{ipaddress.ip_network(address).version}"
    except ValueError:
        return
    wanted = call.text("ipVersion")
    if wanted and given and wanted != given:
        yield Problem("ipVersion", f"`ipVersion` must be that of the address, {given}, not {wanted}.")


@behaviour(
    "LB-012",
    _BACKEND,
    _BOTH,
    400,
    "invalid",
    "terraform-provider-google-beta website/docs/r/compute_backend_service",
)
def mixed_backends(call: Call) -> Iterator[Problem]:
    """Serverless groups stand alone behind a backend service."""
    kinds: dict[bool, str] = {}
    for backend in call.blocks("backends"):
        path = canonical(str(backend.get("group") or ""))
        record = call.world.at(path)
        if record is not None and record.type == _NEG:
            kind = str(plain(record.inputs).get("networkEndpointType") or "SERVERLESS")
            kinds[kind == "SERVERLESS"] = path
        elif "/instanceGroups/" in path or ("/networkEndpointGroups/" in path and record is not None):
            kinds[False] = path
    if len(kinds) == 2:
        yield Problem(
            "backends", f"`backends` cannot mix {kinds[True]} with {kinds[False]}; use two backend services."
        )


def _matchers(call: Call) -> Iterator[tuple[str, Values]]:
    for index, matcher in enumerate(call.blocks("pathMatchers")):
        yield f"pathMatchers[{index}]", matcher


def _blocks(value: object) -> list[Values]:
    return [block for item in as_list(value) or [] if (block := as_map(item)) is not None]


@behaviour("LB-029", _MAP, _BOTH, 400, "invalid", _MAP_PAGE)
def two_styles(call: Call) -> Iterator[Problem]:
    """A path matcher has path rules or route rules, and route rules differ in priority."""
    for where, matcher in _matchers(call):
        if matcher.get("pathRules") and matcher.get("routeRules"):
            yield Problem(f"{where}.routeRules", f"`{where}.routeRules` excludes pathRules; remove one.")
        priorities = Counter(rule.get("priority") for rule in _blocks(matcher.get("routeRules")))
        for priority, count in priorities.items():
            if isinstance(priority, int) and count > 1:
                path = f"{where}.routeRules"
                yield Problem(path, f"`{path}`: priority {priority} is given twice; change one.")


@behaviour("LB-030", _MAP, _BOTH, 400, "invalid", _MAP_PAGE)
def path_patterns(call: Call) -> Iterator[Problem]:
    """A path starts with a slash and has a star only at its end, after a slash."""
    for where, matcher in _matchers(call):
        for index, rule in enumerate(_blocks(matcher.get("pathRules"))):
            for text in as_list(rule.get("paths")) or []:
                if isinstance(text, str) and not re.fullmatch(r"/[^*?#]*(?:(?<=/)\*)?", text):
                    path = f"{where}.pathRules[{index}].paths"
                    yield Problem(path, f"`{path}` must be such as /api or /api/*, not {text!r}.")


@behaviour("LB-031", _MAP, _BOTH, 400, "invalid", _MAP_PAGE)
def host_patterns(call: Call) -> Iterator[Problem]:
    """A host has a star only in front, before a dash or a dot."""
    for index, rule in enumerate(call.blocks("hostRules")):
        for text in as_list(rule.get("hosts")) or []:
            if isinstance(text, str) and not re.fullmatch(r"\*|(?:\*[-.])?[^*]+", text):
                path = f"hostRules[{index}].hosts"
                yield Problem(path, f"`{path}` must be such as *.example.com, not {text!r}.")


@behaviour("LB-033", _MAP, _BOTH, 400, "invalid", _GENERAL)
def classic_routing(call: Call) -> Iterator[Problem]:
    """Retries, mirrors and faults are not for the classic load balancer."""
    service = call.target("defaultService")
    if service is None or service.type != _BACKEND:
        return
    if plain(service.inputs).get("loadBalancingScheme") != "EXTERNAL":
        return
    actions = [("defaultRouteAction", as_map(call.get("defaultRouteAction")) or {})]
    for where, matcher in _matchers(call):
        actions.append((f"{where}.defaultRouteAction", as_map(matcher.get("defaultRouteAction")) or {}))
        for name in ("pathRules", "routeRules"):
            for index, rule in enumerate(_blocks(matcher.get(name))):
                actions.append(
                    (f"{where}.{name}[{index}].routeAction", as_map(rule.get("routeAction")) or {})
                )
    for where, action in actions:
        for name in _ADVANCED:
            if action.get(name):
                yield Problem(
                    f"{where}.{name}",
                    f"`{where}.{name}` needs backends of scheme EXTERNAL_MANAGED; change them.",
                )


@behaviour("LB-034", _MAP, _BOTH, 400, "invalid", _MAP_PAGE)
def error_pages(call: Call) -> Iterator[Problem]:
    """Error pages come from a service, and no code is given twice."""
    blocks = [("", call.inputs), *((f"{where}.", matcher) for where, matcher in _matchers(call))]
    for where, values in blocks:
        policy = as_map(values.get("defaultCustomErrorResponsePolicy"))
        if policy is None:
            continue
        path = f"{where}defaultCustomErrorResponsePolicy"
        rules = _blocks(policy.get("errorResponseRules"))
        if rules and "errorService" not in policy:
            yield Problem(f"{path}.errorService", f"`{path}.errorService` is needed with rules; set it.")
        codes = Counter(str(code) for rule in rules for code in as_list(rule.get("matchResponseCodes")) or [])
        for code, count in codes.items():
            if count > 1:
                yield Problem(
                    f"{path}.errorResponseRules",
                    f"`{path}.errorResponseRules`: {code} is given twice; remove one.",
                )


@behaviour("LB-052", _BACKEND, _BOTH, 400, "invalid", "Google Cloud documentation: custom headers")
def custom_headers(call: Call) -> Iterator[Problem]:
    """Custom headers are of the form "Name: value", at most 16, none of them Google's own."""
    for name in ("customRequestHeaders", "customResponseHeaders"):
        given = call.texts(name)
        if len(given) > _HEADERS:
            yield Problem(name, f"`{name}` must be at most {_HEADERS}, not {len(given)}; remove some.")
        for index, text in enumerate(given):
            path = f"{name}[{index}]"
            match = _HEADER.fullmatch(text)
            if match is None:
                yield Problem(path, f'`{path}` must be of the form "Name: value", not {text!r}.')
                continue
            header = match[1].lower()
            if header in _RESERVED or header.startswith(_RESERVED_PREFIXES):
                yield Problem(path, f"`{path}`: {match[1]} is reserved; choose another name.")


def _covers(domain: str, host: str) -> bool:
    return domain == host or (domain.startswith("*.") and domain[1:] == host[host.find(".") :])


@behaviour(
    "CRT-010", _ENTRY, Phase.CREATE, 400, "INVALID_ARGUMENT", "general knowledge of Certificate Manager"
)
def certificate_of_entry(call: Call) -> Iterator[Problem]:
    """An entry's certificate is global, for load balancers, and covers the host."""
    host = call.text("hostname")
    for index, name in enumerate(call.texts("certificates")):
        path = f"certificates[{index}]"
        record = call.world.at(canonical(name))
        if "/locations/" in name and "/locations/global/" not in name:
            yield Problem(path, f"`{path}` must be a global certificate, not {name}.")
        if record is None:
            continue
        inputs = plain(record.inputs)
        scope = inputs.get("scope") or "DEFAULT"
        if scope not in {"DEFAULT", "EDGE_CACHE"}:
            yield Problem(path, f"`{path}` must have the scope DEFAULT, not {scope}.")
        domains = [item for item in as_list(at(inputs, "managed.domains")) or [] if isinstance(item, str)]
        if host and domains and not any(_covers(domain, host) for domain in domains):
            yield Problem(path, f"`{path}` does not cover {host}, only {', '.join(domains)}; add it there.")


@behaviour(
    "CRT-012",
    _AUTHORIZATION,
    Phase.CREATE,
    409,
    "ALREADY_EXISTS",
    "general knowledge of Certificate Manager",
)
def authorized_twice(call: Call) -> Iterator[Problem]:
    """A domain has one authorization of a type in a project and location."""
    wanted = (call.text("domain"), call.text("type") or "FIXED_RECORD", call.text("location") or "global")
    for record in call.world.find(_AUTHORIZATION):
        other = plain(record.inputs)
        found = (
            other.get("domain"),
            other.get("type") or "FIXED_RECORD",
            other.get("location") or "global",
        )
        if found == wanted and record.id.split("/")[1] == call.project:
            yield Problem("domain", f"`domain`: {record.id} authorizes {wanted[0]} already; use it.")
