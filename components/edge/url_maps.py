"""The URL maps of the load balancer: the one that serves and the one that only redirects.

Both carry tests that Google evaluates before it takes a new version of the map: every route but splits on
the canonical host, one request on each other host, a host that is not ours, and the redirect to HTTPS. A map
that fails one is refused and the old one keeps serving.

Error pages are shown in place of an answer of 400 to 599, whoever gave it, the application's JSON among them;
so an API has none unless asked for. They come from a bucket that everyone may read; the guards of this
platform refuse such a bucket in its own project, so it is named and lives elsewhere, without secrets. No
route leads into it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import pulumi
import pulumi_gcp as gcp

from components.edge.route_compiler import MAX_TESTS, RoutePlan, other_tests, route_rules, route_tests
from components.edge.routes import MAIN
from facts.refusal import RefusedError

__all__ = ["ErrorPages", "check_count", "error_policy", "main_map", "redirect_map"]

_ADDRESS: Final = "X-Client-Address"
_REGION: Final = "X-Client-Region"
_BRAND: Final = "X-Brand"
_STRANGE: Final = "host-of-others.example.com"
_PATH: Final = "/url-map-test"
_MATCHER: Final = "api"


@dataclass(frozen=True, kw_only=True, slots=True)
class ErrorPages:
    """Pages that stand in for errors."""

    bucket: pulumi.Input[str]
    """Name of a bucket that everyone may read."""
    pages: Mapping[int | Literal["4xx", "5xx"], str]
    """Status, 400 to 599, or class of them, to the page's path in the bucket; a status beats its class."""

    def __post_init__(self) -> None:
        if not self.pages:
            raise RefusedError("pages must name one page at least, got none: add one or drop error_pages")
        for status, path in self.pages.items():
            if isinstance(status, int) and not 400 <= status <= 599:
                raise RefusedError(f"pages must be for statuses of 400 to 599, got {status}: correct it")
            if not path.startswith("/"):
                raise RefusedError(f"pages.{status} must begin with a slash, got {path!r}: correct it")


def check_count(plan: RoutePlan, hosts: Sequence[str], brands: Mapping[str, str]) -> None:
    """Refuse more tests than Google takes."""
    count = len(plan.requests) + len(hosts) + len(brands) + 1
    if count > MAX_TESTS:
        raise RefusedError(
            f"hosts, brands, closed_paths and routes must need at most {MAX_TESTS} tests together, "
            f"got {count}: merge routes or serve fewer domains"
        )


def main_map(
    name: str,
    plan: RoutePlan,
    hosts: Sequence[str],
    brands: Mapping[str, str],
    backends: Mapping[str, pulumi.Output[str]],
    errors: gcp.compute.URLMapDefaultCustomErrorResponsePolicyArgsDict | None,
    child: pulumi.ResourceOptions,
) -> gcp.compute.URLMap:
    """The map of HTTPS; `backends` by variant."""
    rules = route_rules(plan, backends)
    matchers: dict[str, Sequence[str]] = {_MATCHER: list(hosts)}
    matchers.update({f"brand-{brand}": [host] for brand, host in brands.items()})
    return gcp.compute.URLMap(
        name,
        default_url_redirect={
            "host_redirect": hosts[0],
            "https_redirect": True,
            "redirect_response_code": "MOVED_PERMANENTLY_DEFAULT",
            "strip_query": False,
        },
        header_action={
            "request_headers_to_adds": [
                {"header_name": _ADDRESS, "header_value": "{client_ip_address}", "replace": True},
                {"header_name": _REGION, "header_value": "{client_region}", "replace": True},
            ]
        },
        host_rules=[{"hosts": served, "path_matcher": matcher} for matcher, served in matchers.items()],
        path_matchers=[
            {
                "name": matcher,
                "default_service": backends[MAIN],
                "route_rules": rules,
                "header_action": _brand_header(matcher),
            }
            for matcher in matchers
        ],
        default_custom_error_response_policy=errors,
        tests=_tests(plan, hosts, brands, backends),
        opts=child,
    )


def redirect_map(name: str, host: str, child: pulumi.ResourceOptions) -> gcp.compute.URLMap:
    """The map of plain HTTP."""
    return gcp.compute.URLMap(
        name,
        default_url_redirect={
            "https_redirect": True,
            "redirect_response_code": "MOVED_PERMANENTLY_DEFAULT",
            "strip_query": False,
        },
        tests=[_redirected(host, host)],
        opts=child,
    )


def error_policy(
    name: str, pages: ErrorPages, headers: Sequence[str], child: pulumi.ResourceOptions
) -> gcp.compute.URLMapDefaultCustomErrorResponsePolicyArgsDict:
    """The policy and the way to the bucket, whose pages carry `headers` as every answer does."""
    bucket = gcp.compute.BackendBucket(
        f"{name}-pages",
        bucket_name=pages.bucket,
        enable_cdn=False,
        custom_response_headers=list(headers),
        opts=child,
    )
    return {
        "error_service": bucket.id,
        "error_response_rules": [
            {"match_response_codes": [str(status)], "path": path} for status, path in pages.pages.items()
        ],
    }


def _brand_header(matcher: str) -> gcp.compute.URLMapPathMatcherHeaderActionArgsDict:
    """The brand of the host, and never what a client says of it."""
    if matcher == _MATCHER:
        return {"request_headers_to_removes": [_BRAND]}
    brand = matcher.removeprefix("brand-")
    return {
        "request_headers_to_adds": [{"header_name": _BRAND, "header_value": brand, "replace": True}],
    }


def _tests(
    plan: RoutePlan,
    hosts: Sequence[str],
    brands: Mapping[str, str],
    backends: Mapping[str, pulumi.Output[str]],
) -> list[gcp.compute.URLMapTestArgsDict]:
    return [
        *route_tests(plan, hosts[0], backends),
        *(test for host in (*hosts, *brands.values()) for test in other_tests(plan, host, backends)),
        _redirected(_STRANGE, hosts[0]),
    ]


def _redirected(asked: str, to: str) -> gcp.compute.URLMapTestArgsDict:
    return {
        "description": f"{asked}: redirected to https://{to}",
        "host": asked,
        "path": _PATH,
        "expected_output_url": f"https://{to}{_PATH}",
        "expected_redirect_response_code": 301,
    }
