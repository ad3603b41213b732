"""Ways to meet what the documentation of Cloud Armor and of the load balancer refuses."""

from __future__ import annotations

from typing import Any, Final

from tests.sandbox.cloud.case import Case
from tests.sandbox.cloud.cases_url_maps import matcher
from tests.sandbox.cloud.stage import BAN, NEG, RULE, RUN

_REGION: Final = f"{RUN}/regions/europe-west1"
_GROUP: Final = f"{RUN}/zones/europe-west1-b/instanceGroups/machines"
_WAF: Final = "evaluatePreconfiguredWaf('{0}', {{'sensitivity': 1}})"
_CLASSIC: Final = (("tune", "BackendService", {"loadBalancingScheme": "EXTERNAL"}),)
_LAYER_7: Final = "adaptiveProtectionConfig.layer7DdosDefenseConfig"
_NO_ENTRY: Final[tuple[tuple[str, str, dict[str, Any]], ...]] = (
    ("make", "Certificate", {"name": "wide"}),
    ("clear", "CertificateMapEntry", {}),
)


def _rule(**changes: Any) -> dict[str, Any]:
    return {"rules": [{**BAN, **changes}, RULE]}


def _limits(**changes: Any) -> dict[str, Any]:
    return _rule(rateLimitOptions={**BAN["rateLimitOptions"], **changes})


def _denied(**changes: Any) -> dict[str, Any]:
    rule = {"action": "deny(403)", "priority": 2000, "match": BAN["match"], **changes}
    return {"rules": [rule, RULE]}


def _alone(**changes: Any) -> dict[str, Any]:
    """One rule as a resource of its own."""
    return {
        "securityPolicy": "armor",
        "action": "deny(403)",
        "priority": 1000,
        "match": BAN["match"],
        **changes,
    }


def _expression(text: str) -> dict[str, Any]:
    return _denied(match={"expr": {"expression": text}})


def _excluded(*fields: dict[str, str]) -> dict[str, Any]:
    return _denied(
        match={"expr": {"expression": _WAF.format("sqli-v33-stable")}},
        preconfiguredWafConfig={
            "exclusions": [{"targetRuleSet": "sqli-v33-stable", "requestHeaders": list(fields)}]
        },
    )


def _threshold(**values: Any) -> dict[str, Any]:
    return {_LAYER_7: {"enable": True, "thresholdConfigs": [{"name": "busy", **values}]}}


_MIGRATED: Final = {
    "loadBalancingScheme": "EXTERNAL",
    "externalManagedBackendBucketMigrationState": "TEST_ALL_TRAFFIC",
}
_BEHIND: Final = (
    "tune",
    "URLMap",
    matcher(pathRules=[{"paths": ["/*"], "service": f"{RUN}/global/backendServices/other"}]),
)
_HEADER: Final = {"operator": "EQUALS", "value": "x-trace"}
_THROTTLE: Final = {key: value for key, value in BAN["rateLimitOptions"].items() if key != "banDurationSec"}

EDGE: Final = (
    Case(
        "ARM-011",
        "create",
        "SecurityPolicy",
        _limits(exceedRedirectOptions={"type": "GOOGLE_RECAPTCHA"}),
        fine=_limits(exceedAction="redirect", exceedRedirectOptions={"type": "GOOGLE_RECAPTCHA"}),
    ),
    Case("ARM-011", "update", "SecurityPolicy", _limits(exceedAction="redirect"), fine=_limits()),
    Case(
        "ARM-016",
        "update",
        "SecurityPolicy",
        _rule(action="throttle", rateLimitOptions=_THROTTLE),
        fine=_rule(action="throttle", rateLimitOptions=_THROTTLE, priority=2001),
    ),
    Case(
        "ARM-017",
        "create",
        "SecurityPolicy",
        _limits(enforceOnKeyConfigs=[{"enforceOnKeyType": "IP"}]),
        fine=_limits(enforceOnKey="", enforceOnKeyConfigs=[{"enforceOnKeyType": "IP"}]),
    ),
    Case(
        "ARM-017",
        "create",
        "SecurityPolicyRule",
        _alone(
            action="throttle",
            rateLimitOptions={
                **_THROTTLE,
                "enforceOnKey": "",
                "enforceOnKeyConfigs": [{"enforceOnKeyType": "IP"}] * 4,
            },
        ),
        fine=_alone(action="throttle", rateLimitOptions=_THROTTLE),
    ),
    Case(
        "ARM-018",
        "create",
        "SecurityPolicy",
        _limits(enforceOnKey="HTTP_HEADER"),
        fine=_limits(enforceOnKey="HTTP_HEADER", enforceOnKeyName="x-key"),
    ),
    Case(
        "ARM-018",
        "update",
        "SecurityPolicy",
        _limits(enforceOnKey="", enforceOnKeyConfigs=[{"enforceOnKeyType": "HTTP_COOKIE"}]),
        fine=_limits(
            enforceOnKey="",
            enforceOnKeyConfigs=[{"enforceOnKeyType": "HTTP_COOKIE", "enforceOnKeyName": "session"}],
        ),
    ),
    Case(
        "ARM-027",
        "create",
        "SecurityPolicy",
        _expression(_WAF.format("sql-v33-stable")),
        fine=_expression(_WAF.format("sqli-v422-stable")),
    ),
    Case(
        "ARM-027",
        "create",
        "SecurityPolicyRule",
        _alone(match={"expr": {"expression": "evaluatePreconfiguredExpr('xss-v99-stable')"}}),
        fine=_alone(match={"expr": {"expression": "evaluatePreconfiguredExpr('xss-stable')"}}),
    ),
    Case("ARM-029", "create", "SecurityPolicy", _excluded(*[_HEADER] * 11), fine=_excluded(*[_HEADER] * 10)),
    Case(
        "ARM-030",
        "create",
        "SecurityPolicy",
        _excluded({"operator": "EQUALS_ANY", "value": "x"}),
        fine=_excluded({"operator": "EQUALS_ANY"}),
    ),
    Case("ARM-030", "create", "SecurityPolicy", _excluded({"operator": "CONTAINS"}), fine=_excluded(_HEADER)),
    Case(
        "ARM-035",
        "create",
        "SecurityPolicy",
        _denied(action="redirect", redirectOptions={"type": "EXTERNAL_302"}),
        fine=_denied(
            action="redirect", redirectOptions={"type": "EXTERNAL_302", "target": "https://example.com"}
        ),
    ),
    Case(
        "ARM-035",
        "create",
        "SecurityPolicyRule",
        _alone(
            action="redirect", redirectOptions={"type": "GOOGLE_RECAPTCHA", "target": "https://example.com"}
        ),
        fine=_alone(action="redirect", redirectOptions={"type": "GOOGLE_RECAPTCHA"}),
    ),
    Case(
        "ARM-037",
        "create",
        "SecurityPolicy",
        {"type": "CLOUD_ARMOR_EDGE"},
        fine={"type": "CLOUD_ARMOR_EDGE", **_denied()},
    ),
    Case(
        "ARM-037",
        "create",
        "SecurityPolicy",
        {"type": "CLOUD_ARMOR_EDGE", **_expression(_WAF.format("sqli-v33-stable"))},
        fine={"type": "CLOUD_ARMOR_EDGE", **_expression("origin.region_code == 'KP'")},
    ),
    Case("ARM-047", "check", "SecurityPolicy", _threshold(name="x" * 64), fine=_threshold(name="x" * 63)),
    Case(
        "ARM-047",
        "check",
        "SecurityPolicy",
        _threshold(
            trafficGranularityConfigs=[{"type": "HTTP_PATH", "value": "/a", "enableEachUniqueValue": True}]
        ),
        fine=_threshold(trafficGranularityConfigs=[{"type": "HTTP_PATH", "value": "/a"}]),
    ),
    Case(
        "ARM-012",
        "create",
        "SecurityPolicy",
        _limits(banThreshold={"count": 10001, "intervalSec": 60}),
        fine=_limits(banThreshold={"count": 10000, "intervalSec": 60}),
    ),
    Case("ARM-003", "create", "SecurityPolicyRule", _alone(action="deny(413)"), fine=_alone()),
    Case(
        "ARM-023",
        "create",
        "SecurityPolicyRule",
        _alone(match={"expr": {"expression": "origin.region_code == 'KP"}}),
        fine=_alone(match={"expr": {"expression": "origin.region_code == 'KP'"}}),
    ),
    Case(
        "ARM-023",
        "create",
        "SecurityPolicy",
        _expression("origin.asn == '15169'"),
        fine=_expression("origin.asn == 15169"),
    ),
    Case(
        "ARM-024",
        "create",
        "SecurityPolicyRule",
        _alone(match={"expr": {"expression": "token.recaptcha_session.level < 0.5"}}),
        fine=_alone(match={"expr": {"expression": "token.recaptcha_session.score < 0.5"}}),
    ),
    Case(
        "ARM-021",
        "create",
        "SecurityPolicyRule",
        _alone(match={"expr": {"expression": " || ".join(["origin.asn == 1"] * 6)}}),
        fine=_alone(match={"expr": {"expression": " || ".join(["origin.asn == 1"] * 5)}}),
    ),
    Case("LB-001", "create", "GlobalForwardingRule", {}, _CLASSIC, {"loadBalancingScheme": "EXTERNAL"}),
    Case(
        "LB-001",
        "create",
        "GlobalForwardingRule",
        {"loadBalancingScheme": "INTERNAL_MANAGED"},
        fine={"loadBalancingScheme": "EXTERNAL"},
    ),
    Case(
        "LB-001",
        "create",
        "GlobalForwardingRule",
        {"loadBalancingScheme": None},
        (
            (
                "make",
                "BackendService",
                {"name": "other", "loadBalancingScheme": "EXTERNAL", "securityPolicy": None},
            ),
            _BEHIND,
        ),
        {"loadBalancingScheme": "EXTERNAL"},
    ),
    Case(
        "LB-001",
        "update",
        "GlobalForwardingRule",
        {},
        (*_CLASSIC, ("tune", "GlobalForwardingRule", _MIGRATED)),
        {"loadBalancingScheme": "EXTERNAL"},
    ),
    Case("LB-001", "update", "URLMap", {"description": "x"}, _CLASSIC),
    Case(
        "LB-002",
        "update",
        "BackendService",
        {"loadBalancingScheme": "EXTERNAL_MANAGED"},
        _CLASSIC,
        {"loadBalancingScheme": "EXTERNAL"},
    ),
    Case(
        "LB-003",
        "create",
        "GlobalForwardingRule",
        {"target": f"{_REGION}/targetHttpsProxies/front"},
        fine={"target": f"{RUN}/global/targetHttpsProxies/front"},
    ),
    Case(
        "LB-004",
        "create",
        "GlobalForwardingRule",
        {"ipVersion": "IPV6"},
        fine={"ipVersion": "IPV4"},
    ),
    Case(
        "LB-004",
        "create",
        "GlobalForwardingRule",
        {"ipAddress": f"{_REGION}/addresses/front"},
        (("make", "Address", {"name": "front", "region": "europe-west1"}),),
        {"ipAddress": "203.0.113.9"},
    ),
    Case(
        "LB-012",
        "create",
        "BackendService",
        {"backends": [{"group": NEG}, {"group": _GROUP}]},
        fine={"backends": [{"group": NEG}]},
    ),
    Case(
        "LB-052",
        "create",
        "BackendService",
        {"customResponseHeaders": ["no colon"]},
        fine={"customResponseHeaders": ["Strict-Transport-Security: max-age=31536000"]},
    ),
    Case(
        "LB-052",
        "update",
        "BackendService",
        {"customRequestHeaders": ["Host: api.example.com"]},
        fine={"customRequestHeaders": ["X-Client: {client_ip_address}"]},
    ),
    Case(
        "CRT-010",
        "create",
        "CertificateMapEntry",
        {"hostname": "www.example.com"},
        _NO_ENTRY,
        {"hostname": "api.example.com"},
    ),
    Case(
        "CRT-010",
        "create",
        "CertificateMapEntry",
        {"hostname": "api.example.com"},
        (*_NO_ENTRY, ("tune", "Certificate", {"scope": "ALL_REGIONS"})),
        {"hostname": "api.example.com", "certificates": [f"{RUN}/locations/global/certificates/wide"]},
    ),
    Case(
        "CRT-012",
        "create",
        "DnsAuthorization",
        {"name": "second", "domain": "api.example.com"},
        fine={"name": "second", "domain": "api.example.com", "type": "PER_PROJECT_RECORD"},
    ),
)
