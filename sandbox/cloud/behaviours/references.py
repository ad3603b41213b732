"""What a resource refers to, and what refers to it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from facts.google.service_agents import service_of
from sandbox.cloud.behaviours.iam_forms import bindings_of
from sandbox.cloud.behaviours.table import ANY, Call, Phase, Problem, behaviour
from sandbox.cloud.data import as_list, at, plain, strings
from sandbox.cloud.paths import canonical, render_parent, type_of_path
from sandbox.cloud.world import Record, World

__all__ = ["Reference", "references", "used_by"]


class Reference(NamedTuple):
    """One value that names another resource: where it stands, and the other's relative name."""

    property: str
    path: str


_CHECKED: Final = frozenset(
    {
        "gcp:certificatemanager/certificate:Certificate",
        "gcp:certificatemanager/certificateMap:CertificateMap",
        "gcp:certificatemanager/dnsAuthorization:DnsAuthorization",
        "gcp:compute/address:Address",
        "gcp:compute/backendService:BackendService",
        "gcp:compute/globalAddress:GlobalAddress",
        "gcp:compute/healthCheck:HealthCheck",
        "gcp:compute/network:Network",
        "gcp:compute/regionNetworkEndpointGroup:RegionNetworkEndpointGroup",
        "gcp:compute/router:Router",
        "gcp:compute/sSLPolicy:SSLPolicy",
        "gcp:compute/securityPolicy:SecurityPolicy",
        "gcp:compute/subnetwork:Subnetwork",
        "gcp:compute/targetHttpProxy:TargetHttpProxy",
        "gcp:compute/targetHttpsProxy:TargetHttpsProxy",
        "gcp:compute/uRLMap:URLMap",
        "gcp:kms/cryptoKey:CryptoKey",
        "gcp:kms/keyRing:KeyRing",
        "gcp:monitoring/notificationChannel:NotificationChannel",
        "gcp:pubsub/schema:Schema",
        "gcp:pubsub/subscription:Subscription",
        "gcp:pubsub/topic:Topic",
        "gcp:secretmanager/secret:Secret",
    }
)
# Inputs that name another resource by its short name: the property and the other's relative name.
_SHORT: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "gcp:certificatemanager/certificateMapEntry:CertificateMapEntry": (
        ("map", "projects/{project}/locations/global/certificateMaps/{name}"),
    ),
    "gcp:compute/router:Router": (("network", "projects/{project}/global/networks/{name}"),),
    "gcp:compute/routerNat:RouterNat": (("router", "projects/{project}/regions/{region}/routers/{name}"),),
    "gcp:compute/subnetwork:Subnetwork": (("network", "projects/{project}/global/networks/{name}"),),
    "gcp:compute/regionNetworkEndpointGroup:RegionNetworkEndpointGroup": (
        ("cloudRun.service", "projects/{project}/locations/{region}/services/{name}"),
    ),
    "gcp:dns/recordSet:RecordSet": (("managedZone", "projects/{project}/managedZones/{name}"),),
    "gcp:pubsub/subscription:Subscription": (("topic", "projects/{project}/topics/{name}"),),
    "gcp:sql/database:Database": (("instance", "projects/{project}/instances/{name}"),),
    "gcp:sql/databaseInstance:DatabaseInstance": (
        ("masterInstanceName", "projects/{project}/instances/{name}"),
    ),
    "gcp:sql/user:User": (("instance", "projects/{project}/instances/{name}"),),
    "gcp:storage/bucketObject:BucketObject": (("bucket", "b/{name}"),),
}
_FUNCTION: Final = "gcp:cloudfunctionsv2/function:Function"
_BY_DEFAULT: Final = re.compile(
    r".*/(?:networks/default|buckets/_(?:Default|Required)|topics/_deleted-topic_)"
)
_ACCOUNT: Final = re.compile(
    r"(?:serviceAccount:)?([a-z][a-z0-9-]{4,28}[a-z0-9])@([a-z][a-z0-9-]+)\.iam\.gserviceaccount\.com"
)


def references(
    type: str, inputs: Mapping[str, Any], project: str, region: str, world: World
) -> Iterator[Reference]:
    """Everything that these inputs name in their own project."""
    number = world.project_number(project)
    for where, text in (*strings(inputs), *_policy_members(inputs)):
        if len(text) < 8 or "\n" in text:
            continue
        path = canonical(text)
        if path.startswith(f"projects/{number}/"):
            path = path.replace(number, project, 1)
        if path.startswith(f"projects/{project}/") and type_of_path(path) in _CHECKED:
            yield Reference(where, path)
        account = _ACCOUNT.fullmatch(text)
        if account is not None and account[2] == project and service_of(account[0]) is None:
            yield Reference(
                where, f"projects/{project}/serviceAccounts/{account[1]}@{account[2]}.iam.gserviceaccount.com"
            )
    for where, form in _SHORT.get(type, ()):
        value = at(dict(inputs), where)
        if isinstance(value, str) and value and "/" not in value:
            yield Reference(where, form.format(project=project, region=region, name=value))
    parent = render_parent(type, inputs)
    if parent is not None and (parent.startswith((f"projects/{project}/", "b/"))):
        yield Reference("", parent)


def _policy_members(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The members of a policy, which is given as one text."""
    for binding in bindings_of(inputs.get("policyData")):
        for member in as_list(binding.get("members")) or []:
            yield "policyData", str(member)


def _references_of(record: Record, world: World) -> Iterator[Reference]:
    inputs = plain(record.inputs)
    outputs = record.outputs
    project = str(plain(inputs.get("project") or outputs.get("project") or ""))
    region = str(plain(inputs.get("region") or outputs.get("region") or inputs.get("location") or ""))
    inputs.setdefault("project", project)
    yield from references(record.type, inputs, project, region, world)


@behaviour("REF-001", ANY, (Phase.CREATE, Phase.UPDATE), 404, "NOT_FOUND", "google-cloud.md, every service")
def target_missing(call: Call) -> Iterator[Problem]:
    """A resource named in the inputs does not exist."""
    for where, path in references(call.type, call.inputs, call.project, call.location, call.world):
        if _exists(call, path):
            continue
        place = f"`{where}` names" if where else "it is granted on"
        yield Problem(where, f"{place} {path}, which does not exist; create it first and depend on it.")


def _exists(call: Call, path: str) -> bool:
    if path == call.id or _BY_DEFAULT.fullmatch(path) or call.world.at(path) is not None:
        return True
    # A function of the second generation runs as a Cloud Run service of its name.
    if call.world.get(_FUNCTION, path.replace("/services/", "/functions/")) is not None:
        return True
    # What the world cannot know of: parents of kinds that it does not check.
    if path.startswith(("b/", "projects/")):
        type = type_of_path(path)
        known = (
            type in _CHECKED or "/serviceAccounts/" in path or path.startswith("b/") or _short_target(path)
        )
        return not known
    return True


def _short_target(path: str) -> bool:
    return any(
        part in path
        for part in ("/instances/", "/managedZones/", "/services/", "/routers/", "/repositories/")
    )


_COMPUTE_USERS: Final = (
    "gcp:compute/address:Address",
    "gcp:compute/firewall:Firewall",
    "gcp:compute/forwardingRule:ForwardingRule",
    "gcp:compute/globalAddress:GlobalAddress",
    "gcp:compute/regionNetworkEndpointGroup:RegionNetworkEndpointGroup",
    "gcp:compute/router:Router",
    "gcp:compute/routerNat:RouterNat",
    "gcp:compute/subnetwork:Subnetwork",
)
_USERS: Final[dict[str, tuple[str, ...]]] = {
    "gcp:certificatemanager/certificate:Certificate": (
        "gcp:certificatemanager/certificateMapEntry:CertificateMapEntry",
    ),
    "gcp:certificatemanager/certificateMap:CertificateMap": (
        "gcp:certificatemanager/certificateMapEntry:CertificateMapEntry",
        "gcp:compute/targetHttpsProxy:TargetHttpsProxy",
    ),
    "gcp:certificatemanager/dnsAuthorization:DnsAuthorization": (
        "gcp:certificatemanager/certificate:Certificate",
    ),
    "gcp:compute/address:Address": (
        "gcp:compute/forwardingRule:ForwardingRule",
        "gcp:compute/routerNat:RouterNat",
    ),
    "gcp:compute/backendService:BackendService": ("gcp:compute/uRLMap:URLMap",),
    "gcp:compute/globalAddress:GlobalAddress": ("gcp:compute/globalForwardingRule:GlobalForwardingRule",),
    "gcp:compute/healthCheck:HealthCheck": ("gcp:compute/backendService:BackendService",),
    "gcp:compute/network:Network": _COMPUTE_USERS,
    "gcp:compute/regionNetworkEndpointGroup:RegionNetworkEndpointGroup": (
        "gcp:compute/backendService:BackendService",
    ),
    "gcp:compute/sSLPolicy:SSLPolicy": ("gcp:compute/targetHttpsProxy:TargetHttpsProxy",),
    "gcp:compute/securityPolicy:SecurityPolicy": ("gcp:compute/backendService:BackendService",),
    "gcp:compute/subnetwork:Subnetwork": ("gcp:compute/address:Address", "gcp:compute/routerNat:RouterNat"),
    "gcp:compute/targetHttpProxy:TargetHttpProxy": ("gcp:compute/globalForwardingRule:GlobalForwardingRule",),
    "gcp:compute/targetHttpsProxy:TargetHttpsProxy": (
        "gcp:compute/globalForwardingRule:GlobalForwardingRule",
    ),
    "gcp:compute/uRLMap:URLMap": (
        "gcp:compute/targetHttpProxy:TargetHttpProxy",
        "gcp:compute/targetHttpsProxy:TargetHttpsProxy",
    ),
    "gcp:dns/managedZone:ManagedZone": ("gcp:dns/recordSet:RecordSet",),
    "gcp:monitoring/notificationChannel:NotificationChannel": ("gcp:monitoring/alertPolicy:AlertPolicy",),
    "gcp:sql/databaseInstance:DatabaseInstance": ("gcp:sql/databaseInstance:DatabaseInstance",),
}


@behaviour(
    "REF-002",
    tuple(sorted(_USERS)),
    Phase.DELETE,
    400,
    "RESOURCE_IN_USE_BY_ANOTHER_RESOURCE",
    "google-cloud.md 2.0, 3.2; deletions of load balancing, networks, certificates, channels and primaries",
)
def still_used(call: Call) -> Iterator[Problem]:
    """Another resource still uses it, and it is not to go along."""
    if not (call.get("forceDestroy") or call.get("forceDelete")):
        yield from used_by(call, *_USERS[call.type])


def used_by(call: Call, *types: str) -> Iterator[Problem]:
    """A problem for each live resource of these types that names the one of the call."""
    record = call.world.get(call.type, call.id)
    if record is None:
        return
    for user in call.world.find(*types):
        if user is not record and any(path == record.path for _, path in _references_of(user, call.world)):
            yield Problem("", f"{call.id} is still used by {user.id}; delete or change that one first.")


@behaviour(
    "SVN-003",
    "gcp:servicenetworking/connection:Connection",
    Phase.DELETE,
    400,
    "FAILED_PRECONDITION",
    "hashicorp/terraform-provider-google#16275",
)
def producers_left(call: Call) -> Iterator[Problem]:
    """A database or cache still uses the private connection."""
    network = canonical(str(call.get("network") or ""))
    for user in call.world.find("gcp:sql/databaseInstance:DatabaseInstance", "gcp:redis/instance:Instance"):
        inputs = plain(user.inputs)
        used = at(inputs, "settings.ipConfiguration.privateNetwork") or inputs.get("authorizedNetwork")
        if isinstance(used, str) and canonical(used) == network:
            yield Problem(
                "", f"the private connection of {network} is still used by {user.id}; delete that one first."
            )


@behaviour(
    "SVN-001",
    "gcp:servicenetworking/connection:Connection",
    (Phase.CREATE, Phase.UPDATE),
    400,
    "FAILED_PRECONDITION",
    "hashicorp/terraform-provider-google#11100",
)
def range_missing(call: Call) -> Iterator[Problem]:
    """A reserved range of the connection does not exist."""
    network = canonical(call.text("network"))
    if network.startswith("projects/") and network.split("/")[1] not in {call.project, call.number}:
        return  # The ranges of a shared network are where it is.
    for index, name in enumerate(as_list(call.get("reservedPeeringRanges")) or []):
        path = f"projects/{call.project}/global/addresses/{name}"
        if call.world.at(path) is None:
            where = f"reservedPeeringRanges[{index}]"
            yield Problem(
                where, f"`{where}` must be the name of a reserved range of the network, not {name!r}."
            )
