"""The global load balancer: what it serves, over which TLS, and what Cloud Armor stands before it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from policies.model import (
    Finding,
    Resource,
    is_false,
    is_given,
    is_missing,
    outside,
    relation,
    rule,
    say,
    stack_rule,
    text,
)

__all__ = ["RULES"]

BACKEND: Final = "gcp:compute/backendService:BackendService"
HTTPS_PROXY: Final = "gcp:compute/targetHttpsProxy:TargetHttpsProxy"
HTTP_PROXY: Final = "gcp:compute/targetHttpProxy:TargetHttpProxy"
URL_MAP: Final = "gcp:compute/uRLMap:URLMap"
TLS_POLICY: Final = "gcp:compute/sSLPolicy:SSLPolicy"
FORWARDING: Final = "gcp:compute/globalForwardingRule:GlobalForwardingRule"
REGIONAL_FORWARDING: Final = "gcp:compute/forwardingRule:ForwardingRule"
CERTIFICATE: Final = "gcp:certificatemanager/certificate:Certificate"
OWN_CERTIFICATES: Final = (
    "gcp:compute/sSLCertificate:SSLCertificate",
    "gcp:compute/regionSslCertificate:RegionSslCertificate",
)
_EXTERNAL: Final = ("EXTERNAL", "EXTERNAL_MANAGED")
_WEAK: Final = (
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
)


def _is_external(resource: Resource) -> bool:
    scheme = resource.get("loadBalancingScheme", "EXTERNAL_MANAGED")
    return text(scheme) in _EXTERNAL


@rule(
    "backend-behind-armor",
    "Cloud Armor stands before every external backend",
    controls=("LB-01",),
    source="SEC-2.3",
    types=(BACKEND,),
)
def behind_armor(resource: Resource) -> Iterator[str]:
    if _is_external(resource) and is_missing(resource.get("securityPolicy")):
        yield say(resource, "securityPolicy", "name a policy", None, "attach the security policy")


@rule(
    "backend-logs-requests",
    "Every external backend logs a stated share of its requests",
    controls=("LB-12",),
    source="CIS 2.16/2.17, prowler compute_loadbalancer_logging_enabled; Cloud Armor logs only through it",
    types=(BACKEND,),
)
def logs_requests(resource: Resource) -> Iterator[str]:
    path = "logConfig.enable"
    if _is_external(resource) and is_false(resource.get(path, default=False)):
        yield say(resource, path, "be true", resource.get(path), "set it with a sampleRate")
    path = "logConfig.sampleRate"
    if _is_external(resource) and is_missing(resource.get(path)):
        yield say(resource, path, "be stated", None, "set the share of requests to log")


@rule(
    "tls-policy-modern",
    "TLS starts at 1.2 and has no weak cipher",
    controls=("LB-09",),
    source="CIS 3.9/3.11, checkov CKV_GCP_4, CRIT-1.6",
    types=(TLS_POLICY,),
)
def tls_modern(resource: Resource) -> Iterator[str]:
    version, profile = resource.get("minTlsVersion"), resource.get("profile")
    if outside(version, ("TLS_1_2", "TLS_1_3"), absent="TLS_1_0"):
        yield say(
            resource, "minTlsVersion", "be TLS_1_2 or TLS_1_3 (absent means TLS_1_0)", version, "set TLS_1_2"
        )
    if outside(profile, ("MODERN", "RESTRICTED", "FIPS_202205", "CUSTOM"), absent="COMPATIBLE"):
        yield say(
            resource,
            "profile",
            "be MODERN or RESTRICTED (absent means COMPATIBLE)",
            profile,
            "set RESTRICTED",
        )
    for cipher in resource.strings("customFeatures"):
        if cipher in _WEAK:
            yield say(resource, "customFeatures", "hold no weak cipher", cipher, "remove it")


@rule(
    "https-proxy-has-tls-policy",
    "Every HTTPS proxy has a TLS policy",
    controls=("LB-08",),
    source="CIS 3.9/3.11",
    types=(HTTPS_PROXY,),
)
def proxy_has_policy(resource: Resource) -> Iterator[str]:
    if is_missing(resource.get("sslPolicy")):
        yield say(
            resource, "sslPolicy", "name a policy (absent means TLS 1.0)", None, "attach the TLS policy"
        )


@rule(
    "forwarding-managed-scheme",
    "The load balancer is the current managed one",
    controls=("LB-11",),
    source="checkov CKV2_GCP_38; the classic one knows no outlier detection",
    types=(FORWARDING,),
)
def managed_scheme(resource: Resource) -> Iterator[str]:
    scheme = resource.get("loadBalancingScheme")
    if text(scheme) == "EXTERNAL":
        yield say(resource, "loadBalancingScheme", "be EXTERNAL_MANAGED", scheme, "set EXTERNAL_MANAGED")


@rule(
    "forwarding-one-way-in",
    "No regional forwarding rule opens a second way in",
    controls=("LB-11",),
    source="SEC-2.3: the global load balancer is the only way in",
    types=(REGIONAL_FORWARDING,),
)
def one_way_in(resource: Resource) -> Iterator[str]:
    scheme = resource.get("loadBalancingScheme")
    if text("EXTERNAL" if scheme is None else scheme) in _EXTERNAL:
        yield say(
            resource, "loadBalancingScheme", "be an internal one (absent means EXTERNAL)", scheme, "remove it"
        )


@rule(
    "certificate-google-managed",
    "Certificates are issued and renewed by Google, no private key is in the program",
    controls=("LB-15", "LB-16"),
    source="CRIT-1.6",
    types=(CERTIFICATE, *OWN_CERTIFICATES),
)
def google_managed(resource: Resource) -> Iterator[str]:
    if resource.type in OWN_CERTIFICATES:
        yield say(resource, "privateKey", "not be in a program", "[secret]", "use a managed certificate")
    elif is_given(resource.get("selfManaged")):
        yield say(resource, "selfManaged", "be absent", {"": ""}, "use managed with a DNS authorisation")


@stack_rule(
    "http-only-redirects",
    "Plain HTTP answers with a redirect to HTTPS and nothing else",
    controls=("LB-10",),
    source="checkov CKV2_GCP_37 and 38, CRIT-1.6",
)
def http_only_redirects(resources: Sequence[Resource]) -> Iterator[Finding]:
    maps = [one for one in resources if one.type == URL_MAP]
    for proxy in resources:
        if proxy.type != HTTP_PROXY:
            continue
        for url_map in maps:
            if relation(proxy, "urlMap", url_map) == "yes":
                yield from _serves(url_map)


def _serves(url_map: Resource) -> Iterator[Finding]:
    redirect = url_map.get("defaultUrlRedirect.httpsRedirect", default=False)
    if is_false(redirect):
        yield Finding(
            url_map.urn,
            say(
                url_map,
                "defaultUrlRedirect.httpsRedirect",
                "be true on a map that plain HTTP uses",
                redirect,
                "redirect to HTTPS",
            ),
        )
    for path in ("defaultService", "pathMatchers"):
        if is_given(url_map.get(path)):
            yield Finding(
                url_map.urn,
                say(
                    url_map,
                    path,
                    "be absent on a map that plain HTTP uses",
                    {"": ""},
                    "keep only the redirect",
                ),
            )


@stack_rule(
    "http-proxy-has-https-beside",
    "A program with a plain HTTP proxy has an HTTPS proxy as well",
    controls=("LB-10",),
    source="CRIT-1.6",
)
def https_beside(resources: Sequence[Resource]) -> Iterator[Finding]:
    if any(one.type == HTTPS_PROXY for one in resources):
        return
    for proxy in resources:
        if proxy.type == HTTP_PROXY:
            yield Finding(
                proxy.urn, say(proxy, "an HTTPS proxy", "stand beside it", None, "add the HTTPS front end")
            )


RULES = (
    behind_armor,
    logs_requests,
    tls_modern,
    proxy_has_policy,
    managed_scheme,
    one_way_in,
    google_managed,
    http_only_redirects,
    https_beside,
)
