"""The good platform's workloads, network, edge, rights and watch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from policies.model import Resource
from tests.policies.builders import AGENT, DIGEST, KEY, LABELS, NETWORK, resource

__all__ = ["SERVING"]


def _workload(token: str, name: str, **extra: Any) -> Resource:
    container: dict[str, Any] = {
        "image": f"europe-docker.pkg.dev/p/aiprod/{name}@sha256:{DIGEST}",
        "resources": {"limits": {"cpu": "1", "memory": "1Gi"}},
        "envs": [
            {"name": "LOG_LEVEL", "value": "info"},
            {"name": "SUNO_API_KEY", "valueSource": {"secretKeyRef": {"secret": "suno", "version": "1"}}},
            {"name": "DATABASE_INSTANCE", "value": "p:europe-west1:postgres"},
            {"name": "DATABASE_POOL_SIZE", "value": "3"},
        ],
    }
    template: dict[str, Any] = {
        "serviceAccount": f"aiprod-{name}@p.iam.gserviceaccount.com",
        "encryptionKey": KEY,
        "vpcAccess": {"egress": "ALL_TRAFFIC", "networkInterfaces": [{"subnetwork": "run"}]},
        "containers": [container],
    }
    if token.startswith("cloudrunv2/service"):
        probe = {"httpGet": {"path": "/health"}}
        container |= {"ports": {"containerPort": 8080}, "startupProbe": probe, "livenessProbe": probe}
        template["scaling"] = {"minInstanceCount": 2, "maxInstanceCount": 20}
    whole = {"template": template} if token.startswith("cloudrunv2/job") else template
    common = {"name": name, "location": "europe-west1", "deletionProtection": True, "labels": LABELS}
    return resource(token, name, {**common, **extra, "template": whole})


def _built() -> Resource:
    """A service that Cloud Run builds from source, called by Google's own senders only."""
    made = _workload("cloudrunv2/service:Service", "built", ingress="INGRESS_TRAFFIC_INTERNAL_ONLY")
    image = "europe-docker.pkg.dev/p/aiprod/built"
    made.props["template"]["containers"][0]["image"] = image
    return replace(made, props={**made.props, "buildConfig": {"imageUri": image}})


def _armor_rule(priority: int, action: str, expression: str, **extra: Any) -> dict[str, Any]:
    return {"priority": priority, "action": action, "match": {"expr": {"expression": expression}}, **extra}


_SETS = (
    "sqli",
    "xss",
    "lfi",
    "rfi",
    "rce",
    "protocolattack",
    "scannerdetection",
    "sessionfixation",
    "generic",
)
_ARMOR_RULES = [
    _armor_rule(
        100,
        "allow",
        "request.path.matches('^(?:/health)$') && request.method.matches('^(?:GET|HEAD)$') "
        "&& request.query == ''",
    ),
    *(
        _armor_rule(
            1000 + index, "deny(403)", f"evaluatePreconfiguredWaf('{name}-v422-stable')", preview=False
        )
        for index, name in enumerate(_SETS)
    ),
    _armor_rule(1100, "deny(403)", "evaluatePreconfiguredWaf('cve-canary')", preview=False),
    _armor_rule(2100, "rate_based_ban", "true", rateLimitOptions={"enforceOnKey": "IP"}),
    {"priority": 2147483647, "action": "allow", "match": {"versionedExpr": "SRC_IPS_V1"}},
]

_CLOSED = {
    "priority": 10,
    "service": "backend",
    "matchRules": [{"fullPathMatch": "/metrics"}, {"prefixMatch": "/metrics/"}],
    "routeAction": {"faultInjectionPolicy": {"abort": {"httpStatus": 404, "percentage": 100}}},
}

SERVING: tuple[Resource, ...] = (
    _workload(
        "cloudrunv2/service:Service",
        "api",
        ingress="INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER",
        defaultUriDisabled=True,
        invokerIamDisabled=True,
        traffics=[
            {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 10},
            {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", "revision": "api-1", "percent": 90},
        ],
    ),
    _built(),
    _workload(
        "cloudrunv2/workerPool:WorkerPool",
        "worker",
        instanceSplits=[{"type": "INSTANCE_SPLIT_ALLOCATION_TYPE_LATEST", "percent": 100}],
    ),
    _workload("cloudrunv2/job:Job", "migrate"),
    resource(
        "cloudrunv2/jobIamMember:JobIamMember",
        "executor",
        {"name": "migrate", "role": "roles/run.jobsExecutor", "member": "group:dba@example.com"},
    ),
    resource(
        "cloudrunv2/serviceIamMember:ServiceIamMember",
        "open",
        {"name": "api", "role": "roles/run.invoker", "member": "allUsers"},
    ),
    resource("compute/network:Network", "vpc", {"name": "aiprod", "autoCreateSubnetworks": False}),
    *(
        resource(
            "compute/subnetwork:Subnetwork",
            name,
            {
                "name": name,
                "network": NETWORK,
                "region": "europe-west1",
                "purpose": "PRIVATE",
                "ipCidrRange": ranges,
                "privateIpGoogleAccess": True,
                "logConfig": {"flowSampling": 0.5},
            },
        )
        for name, ranges in (("run", "10.0.0.0/24"), ("jump", "10.0.1.0/24"))
    ),
    resource(
        "compute/firewall:Firewall",
        "probes",
        {
            "direction": "INGRESS",
            "sourceRanges": ["35.191.0.0/16"],
            "allows": [{"protocol": "tcp", "ports": ["443"]}],
            "logConfig": {"metadata": "INCLUDE_ALL_METADATA"},
        },
    ),
    *(
        resource(
            "compute/firewall:Firewall",
            f"deny-{direction.lower()}",
            {
                "network": NETWORK,
                "direction": direction,
                "priority": 65534,
                ranges: ["0.0.0.0/0"],
                "denies": [{"protocol": "all"}],
                "logConfig": {"metadata": "INCLUDE_ALL_METADATA"},
            },
        )
        for direction, ranges in (("INGRESS", "sourceRanges"), ("EGRESS", "destinationRanges"))
    ),
    resource("dns/policy:Policy", "queries", {"enableLogging": True, "networks": [{"networkUrl": NETWORK}]}),
    resource("compute/routerNat:RouterNat", "nat", {"region": "europe-west1", "logConfig": {"enable": True}}),
    resource(
        "compute/instance:Instance",
        "machine",
        {"zone": "europe-west1-b", "labels": LABELS, "networkInterfaces": [{}]},
    ),
    resource(
        "dns/managedZone:ManagedZone",
        "zone",
        {
            "visibility": "public",
            "dnssecConfig": {"state": "on", "defaultKeySpecs": [{"algorithm": "ecdsap256sha256"}]},
            "labels": LABELS,
        },
    ),
    resource(
        "compute/backendService:BackendService",
        "backend",
        {
            "loadBalancingScheme": "EXTERNAL_MANAGED",
            "securityPolicy": "projects/p/global/securityPolicies/armor",
            "logConfig": {"enable": True, "sampleRate": 1},
            "customResponseHeaders": ["Strict-Transport-Security: max-age=31536000; includeSubDomains"],
            "connectionDrainingTimeoutSec": 30,
            "backends": [{"group": "group"}],
        },
    ),
    resource(
        "compute/regionNetworkEndpointGroup:RegionNetworkEndpointGroup",
        "group",
        {"name": "group", "region": "europe-west1", "cloudRun": {"service": "api"}},
    ),
    resource(
        "compute/securityPolicy:SecurityPolicy",
        "armor",
        {
            "name": "armor",
            "type": "CLOUD_ARMOR",
            "rules": _ARMOR_RULES,
            "adaptiveProtectionConfig": {"layer7DdosDefenseConfig": {"enable": True}},
            "advancedOptionsConfig": {"logLevel": "VERBOSE", "jsonParsing": "STANDARD"},
            "labels": LABELS,
        },
    ),
    resource("compute/sSLPolicy:SSLPolicy", "tls", {"minTlsVersion": "TLS_1_2", "profile": "RESTRICTED"}),
    resource(
        "compute/targetHttpsProxy:TargetHttpsProxy",
        "https",
        {"urlMap": "projects/p/urlMaps/main", "sslPolicy": "tls"},
    ),
    resource("compute/targetHttpProxy:TargetHttpProxy", "http", {"urlMap": "projects/p/urlMaps/redirect"}),
    resource(
        "compute/uRLMap:URLMap",
        "redirect",
        {"name": "redirect", "defaultUrlRedirect": {"httpsRedirect": True, "stripQuery": False}},
    ),
    resource(
        "compute/uRLMap:URLMap",
        "main",
        {
            "name": "main",
            "defaultService": "backend",
            "hostRules": [{"hosts": ["api.aiprod.ai"], "pathMatcher": "api"}],
            "pathMatchers": [{"name": "api", "defaultService": "backend", "routeRules": [_CLOSED]}],
            "tests": [{"host": "api.aiprod.ai", "path": "/", "service": "backend"}],
        },
    ),
    resource(
        "compute/globalForwardingRule:GlobalForwardingRule",
        "front",
        {"loadBalancingScheme": "EXTERNAL_MANAGED", "ipAddress": "front", "labels": LABELS},
    ),
    resource(
        "compute/forwardingRule:ForwardingRule",
        "inner",
        {"region": "europe-west1", "loadBalancingScheme": "INTERNAL_MANAGED", "labels": LABELS},
    ),
    resource(
        "certificatemanager/certificate:Certificate",
        "certificate",
        {"managed": {"domains": ["api.aiprod.ai"]}, "labels": LABELS},
    ),
    resource(
        "projects/service:Service", "run-api", {"service": "run.googleapis.com", "disableOnDestroy": False}
    ),
    resource(
        "projects/iAMMember:IAMMember", "metrics", {"role": "roles/monitoring.metricWriter", "member": AGENT}
    ),
    resource(
        "projects/iAMMember:IAMMember",
        "deployer-run",
        {"role": "roles/run.admin", "member": "serviceAccount:deployer@p.iam.gserviceaccount.com"},
    ),
    resource("serviceaccount/account:Account", "deployer", {"accountId": "deployer"}),
    resource(
        "serviceaccount/iAMMember:IAMMember",
        "deployer-login",
        {
            "serviceAccountId": "projects/p/serviceAccounts/deployer@p.iam.gserviceaccount.com",
            "role": "roles/iam.workloadIdentityUser",
            "member": "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/g/subject/1::prod",
        },
    ),
    resource("projects/iAMCustomRole:IAMCustomRole", "rotator", {"permissions": ["cloudsql.users.update"]}),
    resource(
        "projects/apiKey:ApiKey",
        "key",
        {"restrictions": {"apiTargets": [{"service": "maps.googleapis.com"}]}},
    ),
    resource(
        "projects/iAMAuditConfig:IAMAuditConfig",
        "audit",
        {"service": "allServices", "auditLogConfigs": [{"logType": "DATA_READ", "exemptedMembers": []}]},
    ),
    resource(
        "iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider",
        "github",
        {
            "attributeCondition": "assertion.repository_id == '1' && assertion.repository_owner_id == '2' && "
            "assertion.environment in ['prod', 'prod-drift']",
            "oidc": {"issuerUri": "https://token.actions.githubusercontent.com"},
        },
    ),
    resource(
        "logging/projectBucketConfig:ProjectBucketConfig",
        "security-logs",
        {
            "bucketId": "security",
            "location": "europe-west1",
            "retentionDays": 400,
            "cmekSettings": {"kmsKeyName": KEY},
        },
    ),
    resource(
        "logging/projectSink:ProjectSink",
        "sink",
        {
            "disabled": False,
            "uniqueWriterIdentity": True,
            "exclusions": [{"name": "health", "filter": 'httpRequest.requestUrl:"/health"'}],
        },
    ),
    resource(
        "monitoring/alertPolicy:AlertPolicy",
        "errors",
        {
            "enabled": True,
            "severity": "CRITICAL",
            "notificationChannels": ["projects/p/notificationChannels/1"],
            "documentation": {
                "links": [{"displayName": "Runbook", "url": "https://docs.aiprod.ai/runbooks/errors"}]
            },
            "userLabels": {"owner": "platform"},
            "conditions": [
                {
                    "conditionPrometheusQueryLanguage": {
                        "query": "max(cloudsql_googleapis_com:database_replication_replica_lag) > 10"
                    }
                }
            ],
        },
    ),
    resource(
        "monitoring/uptimeCheckConfig:UptimeCheckConfig",
        "uptime",
        {"httpCheck": {"useSsl": True, "validateSsl": True}},
    ),
    resource(
        "cloudscheduler/job:Job",
        "schedule",
        {
            "region": "europe-west1",
            "httpTarget": {"oidcToken": {"serviceAccountEmail": "s@p.iam.gserviceaccount.com"}},
        },
    ),
    resource(
        "cloudtasks/queue:Queue",
        "webhooks",
        {
            "location": "europe-west1",
            "retryConfig": {"maxAttempts": 5},
            "httpTarget": {
                "uriOverride": {"scheme": "HTTPS", "host": "send.example.com"},
                "oidcToken": {"serviceAccountEmail": "s@p.iam.gserviceaccount.com"},
            },
        },
    ),
)
