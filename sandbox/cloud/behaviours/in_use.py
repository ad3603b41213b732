"""Deletions that wait for a user, and locks against deletion: one row a pair of types."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from sandbox.cloud.behaviours.references import used_by
from sandbox.cloud.behaviours.table import Call, Phase, Problem, behaviour
from sandbox.cloud.data import at, bare, plain

_USED: Final = "RESOURCE_IN_USE_BY_ANOTHER_RESOURCE"
_PRECONDITION: Final = "FAILED_PRECONDITION"
_COMPUTE: Final = "gcp:compute/"
_CRT: Final = "gcp:certificatemanager/"
_MAP_ENTRY: Final = f"{_CRT}certificateMapEntry:CertificateMapEntry"
_PROXIES: Final = (
    f"{_COMPUTE}targetHttpProxy:TargetHttpProxy",
    f"{_COMPUTE}targetHttpsProxy:TargetHttpsProxy",
)
_NETWORK_USERS: Final = (
    f"{_COMPUTE}firewall:Firewall",
    f"{_COMPUTE}router:Router",
    f"{_COMPUTE}subnetwork:Subnetwork",
)
# id, the type that stays, its users, the reason word, where it is known from.
_ROWS: Final[tuple[tuple[str, tuple[str, ...], tuple[str, ...], str, str], ...]] = (
    (
        "ARM-040",
        (f"{_COMPUTE}securityPolicy:SecurityPolicy",),
        (f"{_COMPUTE}backendService:BackendService",),
        _USED,
        "general knowledge of Cloud Armor",
    ),
    (
        "CRT-005",
        (f"{_CRT}certificate:Certificate",),
        (_MAP_ENTRY,),
        _PRECONDITION,
        "Google Cloud documentation: Certificate Manager, manage certificates",
    ),
    (
        "CRT-006",
        (f"{_CRT}certificateMap:CertificateMap",),
        (_MAP_ENTRY,),
        _PRECONDITION,
        "general knowledge of Certificate Manager",
    ),
    (
        "CRT-007",
        (f"{_CRT}certificateMap:CertificateMap",),
        (_PROXIES[1],),
        _PRECONDITION,
        "general knowledge of Certificate Manager",
    ),
    (
        "CRT-014",
        (f"{_CRT}dnsAuthorization:DnsAuthorization",),
        (f"{_CRT}certificate:Certificate",),
        _PRECONDITION,
        "general knowledge of Certificate Manager",
    ),
    (
        "LB-019",
        (f"{_COMPUTE}backendService:BackendService",),
        (f"{_COMPUTE}uRLMap:URLMap",),
        _USED,
        "hashicorp/terraform-provider-google, deletion of a backend service in use",
    ),
    (
        "LB-020",
        (f"{_COMPUTE}regionNetworkEndpointGroup:RegionNetworkEndpointGroup",),
        (f"{_COMPUTE}backendService:BackendService",),
        _USED,
        "hashicorp/terraform-provider-google, replacement of a network endpoint group in use",
    ),
    (
        "LB-024",
        (f"{_COMPUTE}uRLMap:URLMap",),
        _PROXIES,
        _USED,
        "hashicorp/terraform-provider-google, deletion of a URL map in use",
    ),
    (
        "LB-041",
        _PROXIES,
        (f"{_COMPUTE}globalForwardingRule:GlobalForwardingRule",),
        _USED,
        "general knowledge of target proxies",
    ),
    (
        "LB-042",
        (f"{_COMPUTE}globalAddress:GlobalAddress",),
        (f"{_COMPUTE}globalForwardingRule:GlobalForwardingRule",),
        _USED,
        "general knowledge of compute addresses",
    ),
    (
        "LB-046",
        (f"{_COMPUTE}sSLPolicy:SSLPolicy",),
        _PROXIES,
        _USED,
        "terraform-provider-google-beta google-beta/services/compute",
    ),
    (
        "MON-029",
        ("gcp:monitoring/notificationChannel:NotificationChannel",),
        ("gcp:monitoring/alertPolicy:AlertPolicy",),
        _PRECONDITION,
        "general knowledge of Cloud Monitoring",
    ),
    (
        "NET-010",
        (f"{_COMPUTE}network:Network",),
        _NETWORK_USERS,
        _USED,
        "general knowledge of VPC networks",
    ),
    (
        "SVN-006",
        (f"{_COMPUTE}network:Network",),
        (f"{_COMPUTE}globalAddress:GlobalAddress",),
        _USED,
        "Google Cloud documentation: private services access",
    ),
    (
        "NET-012",
        (f"{_COMPUTE}subnetwork:Subnetwork",),
        (f"{_COMPUTE}routerNat:RouterNat",),
        _USED,
        "hashicorp/terraform-provider-google, deletion of a subnetwork that NAT lists",
    ),
    (
        "NET-022",
        (f"{_COMPUTE}address:Address",),
        (f"{_COMPUTE}routerNat:RouterNat",),
        _USED,
        "hashicorp/terraform-provider-google, deletion of an address that NAT uses",
    ),
    (
        "DNS-006",
        ("gcp:dns/managedZone:ManagedZone",),
        ("gcp:dns/recordSet:RecordSet",),
        "containerNotEmpty",
        "hashicorp/terraform-provider-google, deletion of a zone with records",
    ),
    (
        "SQL-036",
        ("gcp:sql/databaseInstance:DatabaseInstance",),
        ("gcp:sql/databaseInstance:DatabaseInstance",),
        "invalidOperation",
        "general knowledge of Cloud SQL",
    ),
)


def _short(type: str) -> str:
    return type.rsplit(":", 1)[-1]


def _in_use(users: tuple[str, ...]) -> Callable[[Call], Iterator[Problem]]:
    def rule(call: Call) -> Iterator[Problem]:
        if call.get("forceDestroy") or call.get("forceDelete"):
            return
        yield from used_by(call, *users)

    return rule


for _id, _types, _users, _reason, _source in _ROWS:
    behaviour(
        _id,
        _types,
        Phase.DELETE,
        400,
        _reason,
        _source,
        title=f"{' and '.join(map(_short, _types))}: still named by {' or '.join(map(_short, _users))}.",
    )(_in_use(_users))

# Locks of the provider (property deletionProtection) and of Google.
_LOCKS: Final[tuple[tuple[str, str, str, str], ...]] = (
    ("SQL-034", "gcp:sql/databaseInstance:DatabaseInstance", "deletionProtection", "resource_sql_dat"),
    ("RED-016", "gcp:redis/instance:Instance", "deletionProtection", "resource_redis"),
    ("RUN-050", "gcp:cloudrunv2/service:Service", "deletionProtection", "resource_cloud_run_v2_service"),
    ("RUN-051", "gcp:cloudrunv2/job:Job", "deletionProtection", "resource_cloud_run_v2_job"),
    ("RUN-052", "gcp:cloudrunv2/workerPool:WorkerPool", "deletionProtection", "resource_cloud_run_v2_worker"),
    ("SEC-020", "gcp:secretmanager/secret:Secret", "deletionProtection", "resource_secret_manager_secret"),
    ("WFL-006", "gcp:workflows/workflow:Workflow", "deletionProtection", "resource_workflows_workflow"),
    ("BQ-014", "gcp:bigquery/table:Table", "deletionProtection", "resource_bigquery_table"),
    (
        "SQL-035",
        "gcp:sql/databaseInstance:DatabaseInstance",
        "settings.deletionProtectionEnabled",
        "resource_sql_dat",
    ),
    ("VAL-003", "gcp:memorystore/instance:Instance", "deletionProtectionEnabled", "resource_memorystore"),
)


def _locked(path: str) -> Callable[[Call], Iterator[Problem]]:
    def rule(call: Call) -> Iterator[Problem]:
        if bare(at(dict(call.outputs), path)) is True:
            yield Problem(path, f"{call.id} cannot be deleted while `{path}` is true; deploy false first.")

    return rule


for _id, _type, _path, _file in _LOCKS:
    behaviour(
        _id,
        _type,
        Phase.DELETE,
        400,
        _PRECONDITION,
        f"terraform-provider-google-beta google-beta/services ({_file})",
        title=f"{_short(_type)}: `{_path}` is true.",
    )(_locked(_path))


def _named_by_text(call: Call, type: str, text: str) -> Iterator[Problem]:
    for record in call.world.find(type):
        if text in str(plain(record.inputs)):
            yield Problem("", f"{call.id} is still used by {record.id}; delete or change that one first.")


@behaviour(
    "MON-036",
    "gcp:monitoring/uptimeCheckConfig:UptimeCheckConfig",
    Phase.DELETE,
    400,
    _PRECONDITION,
    "hashicorp/terraform-provider-google, deletion of an uptime check with alerts",
)
def check_with_alerts(call: Call) -> Iterator[Problem]:
    """An alert policy refers to the check."""
    check = call.id.rsplit("/", 1)[-1]
    yield from _named_by_text(call, "gcp:monitoring/alertPolicy:AlertPolicy", check)


@behaviour(
    "MON-046",
    "gcp:monitoring/customService:CustomService",
    Phase.DELETE,
    400,
    _PRECONDITION,
    "general knowledge of Cloud Monitoring",
)
def service_with_goals(call: Call) -> Iterator[Problem]:
    """Goals of the service exist."""
    own = call.id.rsplit("/", 1)[-1]
    for record in call.world.find("gcp:monitoring/slo:Slo"):
        if str(plain(record.inputs).get("service")).rsplit("/", 1)[-1] == own:
            yield Problem("", f"{call.id} still has the goal {record.id}; delete that one first.")


@behaviour(
    "NET-011",
    f"{_COMPUTE}subnetwork:Subnetwork",
    Phase.DELETE,
    400,
    _USED,
    "hashicorp/terraform-provider-google, subnetwork in use by serverless addresses",
)
def subnetwork_of_run(call: Call) -> Iterator[Problem]:
    """A Cloud Run revision uses the subnetwork for Direct VPC egress."""
    record = call.world.get(call.type, call.id)
    for kind in ("service:Service", "job:Job", "workerPool:WorkerPool"):
        if record is not None:
            yield from _named_by_text(call, f"gcp:cloudrunv2/{kind}", record.path)


@behaviour(
    "NET-027",
    f"{_COMPUTE}router:Router",
    Phase.DELETE,
    400,
    _USED,
    "general knowledge of Cloud Router",
)
def router_with_nat(call: Call) -> Iterator[Problem]:
    """A NAT of the router exists."""
    for record in call.world.find(f"{_COMPUTE}routerNat:RouterNat"):
        inputs = plain(record.inputs)
        region = inputs.get("region") or call.scope.region
        if str(inputs.get("router")).rsplit("/", 1)[-1] == call.text("name") and region == call.location:
            yield Problem("", f"{call.id} is still used by the NAT {record.id}; delete that one first.")
