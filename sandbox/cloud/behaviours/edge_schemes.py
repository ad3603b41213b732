"""The scheme of a forwarding rule and of the backend services that its URL map leads to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sandbox.cloud.behaviours.table import Call, Phase, Problem, behaviour
from sandbox.cloud.data import as_list, as_map, plain
from sandbox.cloud.paths import canonical

_BACKEND: Final = "gcp:compute/backendService:BackendService"
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


@behaviour(
    "LB-001",
    "gcp:compute/globalForwardingRule:GlobalForwardingRule",
    (Phase.CREATE, Phase.UPDATE),
    400,
    "invalid",
    "Google Cloud documentation: backend services; GoogleCloudPlatform/cloud-foundation-fabric#1065",
)
def scheme_differs(call: Call) -> Iterator[Problem]:
    """The rule's scheme is not that of the backend services behind it; a classic rule takes managed ones."""
    proxy = call.target("target")
    url_map = call.world.at(canonical(str(plain(proxy.inputs).get("urlMap") or ""))) if proxy else None
    if url_map is None or (
        call.get("loadBalancingScheme") is None and not call.absent("loadBalancingScheme")
    ):
        return
    own = call.text("loadBalancingScheme") or _SCHEME
    for path in sorted(set(_services(plain(url_map.inputs)))):
        backend = call.world.at(path)
        if backend is None or backend.type != _BACKEND:
            continue
        theirs = plain(backend.inputs).get("loadBalancingScheme") or _SCHEME
        if theirs != own and (own, theirs) != ("EXTERNAL", "EXTERNAL_MANAGED"):
            yield Problem(
                "loadBalancingScheme",
                f"`loadBalancingScheme` must be {theirs} as of {backend.id}, not {own}.",
            )
