"""The scheme of a forwarding rule and of the backend services that its URL map leads to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sandbox.cloud.behaviours.table import Call, Phase, Problem, behaviour
from sandbox.cloud.data import as_list, as_map, plain
from sandbox.cloud.paths import canonical
from sandbox.cloud.world import Record, World

_BACKEND: Final = "gcp:compute/backendService:BackendService"
_MAP: Final = "gcp:compute/uRLMap:URLMap"
_RULE: Final = "gcp:compute/globalForwardingRule:GlobalForwardingRule"
# The provider's default of both types.
_SCHEME: Final = "EXTERNAL_MANAGED"
_SERVICES: Final = frozenset({"defaultService", "service", "backendService"})


def _services(value: object) -> Iterator[str]:
    """Every service that a URL map names, in its matchers, rules, weights and mirrors too."""
    block = as_map(value)
    for name, inner in (block or {}).items():
        if name in _SERVICES and isinstance(inner, str):
            yield canonical(inner)
        elif name != "tests":
            yield from _services(inner)
    for item in as_list(value) or []:
        yield from _services(item)


def _behind(world: World, url_map: object) -> Iterator[tuple[str, str]]:
    """The id and the scheme of every backend service behind a URL map."""
    for path in sorted(set(_services(url_map))):
        backend = world.at(path)
        if backend is not None and backend.type == _BACKEND:
            yield backend.id, str(plain(backend.inputs).get("loadBalancingScheme") or _SCHEME)


def _fits(rule: str, backend: str) -> bool:
    """A classic rule takes managed backends too."""
    return rule == backend or (rule, backend) == ("EXTERNAL", "EXTERNAL_MANAGED")


def _rules_of(world: World, url_map: str) -> Iterator[Record]:
    """The forwarding rules that lead to a URL map."""
    for rule in world.find(_RULE):
        proxy = world.at(canonical(str(plain(rule.inputs).get("target") or "")))
        if proxy is not None and canonical(str(plain(proxy.inputs).get("urlMap") or "")) == canonical(
            url_map
        ):
            yield rule


@behaviour(
    "LB-001",
    (_RULE, _MAP),
    (Phase.CREATE, Phase.UPDATE),
    400,
    "invalid",
    "Google Cloud documentation: backend services; GoogleCloudPlatform/cloud-foundation-fabric#1065",
)
def scheme_differs(call: Call) -> Iterator[Problem]:
    """A rule's scheme is not that of the backend services behind it; a classic rule takes managed ones."""
    if call.type == _MAP:
        for rule in _rules_of(call.world, call.id):
            own = str(plain(rule.inputs).get("loadBalancingScheme") or _SCHEME)
            for id, theirs in _behind(call.world, call.inputs):
                if not _fits(own, theirs):
                    yield Problem(
                        "defaultService",
                        f"{rule.id} is {own}, and {id} behind this map {theirs}; change one.",
                    )
        return
    proxy = call.target("target")
    url_map = call.world.at(canonical(str(plain(proxy.inputs).get("urlMap") or ""))) if proxy else None
    if url_map is None or (
        call.get("loadBalancingScheme") is None and not call.absent("loadBalancingScheme")
    ):
        return
    own = call.text("loadBalancingScheme") or _SCHEME
    for id, theirs in _behind(call.world, plain(url_map.inputs)):
        if not _fits(own, theirs):
            yield Problem(
                "loadBalancingScheme", f"`loadBalancingScheme` must be {theirs} as of {id}, not {own}."
            )
