"""Small requests and policies that the tests are made of."""

from __future__ import annotations

from typing import Any

import pytest

from review.waf.corpus import Request, make_request
from review.waf.policy import Policy, read_policy
from review.waf.rulesets import CoreRules, NotEvaluatedError

__all__ = ["SQLI", "core_rules", "deny", "everybody", "policy", "request_of", "rule", "sets", "throttle"]

SQLI = "/jobs?id=1%27%20or%20%271%27=%271"


def request_of(id: str = "one", **fields: Any) -> Request:
    """A request; `group` stands for the field `class`."""
    line: dict[str, Any] = {
        "id": id,
        "kind": "benign",
        "class": fields.pop("group", "any"),
        "expect": "allow",
    }
    return make_request({"path": "/jobs", **line, **fields})


def rule(priority: int, action: str, expression: str, **fields: Any) -> dict[str, Any]:
    """One rule as the engine holds it."""
    return {"priority": priority, "action": action, "match": {"expr": {"expression": expression}}, **fields}


def deny(priority: int, expression: str, **fields: Any) -> dict[str, Any]:
    """A denying rule."""
    return rule(priority, "deny(403)", expression, **fields)


def sets(
    priority: int = 1000, name: str = "sqli-v33-stable", sensitivity: int = 1, **fields: Any
) -> dict[str, Any]:
    """A rule that asks one preconfigured set."""
    return deny(priority, f"evaluatePreconfiguredWaf('{name}', {{'sensitivity': {sensitivity}}})", **fields)


def everybody(priority: int, action: str, *ranges: str, **fields: Any) -> dict[str, Any]:
    """A rule over addresses, all of them when none is given."""
    match = {"versionedExpr": "SRC_IPS_V1", "config": {"srcIpRanges": list(ranges) or ["*"]}}
    return {"priority": priority, "action": action, "match": match, **fields}


def throttle(priority: int, count: int, seconds: int, expression: str = "", **fields: Any) -> dict[str, Any]:
    """A rate rule by address; over all requests without an expression."""
    options = {
        "rateLimitThreshold": {"count": count, "intervalSec": seconds},
        "conformAction": "allow",
        "exceedAction": "deny(429)",
        "enforceOnKey": "IP",
        **fields,
    }
    action = "rate_based_ban" if "banDurationSec" in fields else "throttle"
    made = rule(priority, action, expression) if expression else everybody(priority, action)
    return {**made, "rateLimitOptions": options}


def policy(*rules: dict[str, Any], probes: tuple[str, ...] = ("/health",), **options: Any) -> Policy:
    """A policy of these rules; Google's default allows."""
    options = {"jsonParsing": "STANDARD", "requestBodyInspectionSize": "64KB", **options}
    return read_policy("armor", {"rules": list(rules), "advancedOptionsConfig": options}, (), probes)


def core_rules() -> CoreRules:
    """The installed Core Rule Set."""
    try:
        return CoreRules.find()
    except NotEvaluatedError as error:
        pytest.skip(f"the OWASP Core Rule Set is not installed: apt-get install modsecurity-crs ({error})")
