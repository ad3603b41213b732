"""What the provider's documentation says of subnetworks, NAT and DNSSEC, and Google enforces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sandbox.cloud.behaviours.table import Call, Phase, Problem, behaviour
from sandbox.cloud.data import Values, as_list, as_map, at, plain
from sandbox.cloud.paths import canonical

_NAT: Final = "gcp:compute/routerNat:RouterNat"
_BOTH: Final = (Phase.CREATE, Phase.UPDATE)
_PAGES: Final = "terraform-provider-google-beta website/docs/r"
_SIGNED: Final = ("on", "transfer")
_WITHOUT_LOGS: Final = ("REGIONAL_MANAGED_PROXY", "GLOBAL_MANAGED_PROXY", "PRIVATE_SERVICE_CONNECT")


@behaviour(
    "NET-014",
    "gcp:compute/subnetwork:Subnetwork",
    _BOTH,
    400,
    "invalid",
    f"{_PAGES}/compute_subnetwork",
)
def logs_of_proxies(call: Call) -> Iterator[Problem]:
    """Subnetworks of proxies and of Private Service Connect have no flow logs."""
    purpose = call.text("purpose")
    if purpose in _WITHOUT_LOGS and call.get("logConfig"):
        yield Problem("logConfig", f"`logConfig` must be absent with the purpose {purpose}.")


@behaviour("NET-023", _NAT, _BOTH, 400, "invalid", f"{_PAGES}/compute_router_nat")
def ports(call: Call) -> Iterator[Problem]:
    """Ports of dynamic allocation are powers of two, and a maximum needs dynamic allocation."""
    dynamic = call.get("enableDynamicPortAllocation") is True
    static = not dynamic and (
        call.absent("enableDynamicPortAllocation") or call.get("enableDynamicPortAllocation") is False
    )
    if static and call.get("maxPortsPerVm"):
        yield Problem("maxPortsPerVm", "`maxPortsPerVm` needs enableDynamicPortAllocation; turn it on.")
    for name in ("minPortsPerVm", "maxPortsPerVm"):
        count = call.get(name)
        if dynamic and isinstance(count, int) and count > 0 and count & (count - 1):
            yield Problem(name, f"`{name}` must be a power of two, not {count}.")


@behaviour(
    "DNS-010",
    "gcp:dns/managedZone:ManagedZone",
    Phase.UPDATE,
    400,
    "invalid",
    f"{_PAGES}/dns_managed_zone",
)
def signing_changed(call: Call) -> Iterator[Problem]:
    """Keys and denial of DNSSEC change only while it is off."""
    old = as_map(at(dict(call.old_inputs), "dnssecConfig")) or {}
    if old.get("state") not in _SIGNED or call.text("dnssecConfig.state") not in _SIGNED:
        return
    denial = call.text("dnssecConfig.nonExistence")
    specs, before = as_list(call.get("dnssecConfig.defaultKeySpecs")), as_list(old.get("defaultKeySpecs"))
    changed = {
        "nonExistence": bool(denial) and denial != (old.get("nonExistence") or "nsec3"),
        "defaultKeySpecs": bool(specs) and bool(before) and specs != before,
    }
    for name, differs in changed.items():
        path = f"dnssecConfig.{name}"
        if differs:
            yield Problem(path, f"`{path}` changes only while dnssecConfig.state is off; turn it off first.")


def _networks(values: Values) -> set[str]:
    listed = as_list(at(values, "privateVisibilityConfig.networks")) or []
    return {canonical(str((as_map(item) or {}).get("networkUrl"))) for item in listed}


@behaviour(
    "DNS-009",
    "gcp:dns/managedZone:ManagedZone",
    (Phase.CREATE, Phase.UPDATE),
    400,
    "invalid",
    "general knowledge of Cloud DNS",
)
def bound_twice(call: Call) -> Iterator[Problem]:
    """A network that another private zone of this name is bound to."""
    if call.text("visibility") != "private":
        return
    for record in call.world.find(call.type):
        inputs = plain(record.inputs)
        same = inputs.get("visibility") == "private" and inputs.get("dnsName") == call.get("dnsName")
        shared = _networks(inputs) & _networks(call.inputs)
        if same and shared and record.id != call.id:
            yield Problem(
                "privateVisibilityConfig.networks",
                f"`privateVisibilityConfig.networks`: {min(shared)} has {record.id} for "
                f"{call.text('dnsName')} already; use that zone.",
            )
