"""Names that the provider makes up when a program gives none.

The logical name, a dash and seven hexadecimal digits from the engine's seed, within the limits of the type.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from facts.provider import TypeFacts
from sandbox.cloud.data import DEFAULTS, Values, bare, names_by_default
from sandbox.cloud.package import package_type
from sandbox.cloud.results import CheckFailure

__all__ = ["autoname", "name_property"]

_DIGITS: Final = 7


@dataclass(frozen=True, slots=True)
class _Rule:
    limit: int = 255
    separator: str = "-"
    lower: bool = False


_GENERAL: Final = _Rule()
_COMPUTE: Final = _Rule(63, lower=True)
_RULES: Final[dict[str, _Rule]] = {
    **{
        f"gcp:compute/{token}": _COMPUTE
        for token in (
            "network:Network",
            "subnetwork:Subnetwork",
            "router:Router",
            "routerNat:RouterNat",
            "backendService:BackendService",
            "securityPolicy:SecurityPolicy",
            "targetHttpProxy:TargetHttpProxy",
            "targetHttpsProxy:TargetHttpsProxy",
            "uRLMap:URLMap",
            "httpHealthCheck:HttpHealthCheck",
            "httpsHealthCheck:HttpsHealthCheck",
        )
    },
    "gcp:cloudrunv2/service:Service": _Rule(50, lower=True),
    "gcp:storage/bucket:Bucket": _Rule(222),
    "gcp:cloudfunctions/function:Function": _Rule(63),
}
_OTHER_PROPERTY: Final[dict[str, tuple[str, _Rule]]] = {
    "gcp:serviceaccount/account:Account": ("accountId", _Rule(30)),
    "gcp:projects/iAMCustomRole:IAMCustomRole": ("roleId", _Rule(255)),
    "gcp:organizations/iAMCustomRole:IAMCustomRole": ("roleId", _Rule(255, separator="_")),
}
_NEVER: Final = frozenset({"gcp:dns/recordSet:RecordSet"})


def name_property(type: str, facts: TypeFacts | None) -> str | None:
    """The property that the provider fills with a name of its own, or None."""
    if type in _NEVER:
        return None
    if type in _OTHER_PROPERTY:
        return _OTHER_PROPERTY[type][0]
    if facts is None:
        known = package_type(type)
        return "name" if known is not None and "name" in known.inputs else None
    name = facts.properties.get("name")
    return "name" if name is not None and name.type == "string" and name.is_input else None


def autoname(
    type: str,
    facts: TypeFacts | None,
    urn: str,
    olds: Mapping[str, Any] | None,
    news: Values,
    seed: bytes,
) -> CheckFailure | None:
    """Give ``news`` a name when it has none: the old one if the provider made it, else a new one."""
    field = name_property(type, facts)
    if field is None or (bare(news.get(field)) is not None and field not in names_by_default(news)):
        return None
    if bare(news.get(field)) is None:
        if olds is not None and field in names_by_default(olds) and olds.get(field) is not None:
            news[field] = olds[field]
        else:
            _, rule = _OTHER_PROPERTY.get(type, ("name", _RULES.get(type, _GENERAL)))
            logical = urn.rsplit("::", 1)[-1]
            prefix = (logical.lower() if rule.lower else logical) + rule.separator
            if len(prefix) + _DIGITS > rule.limit:
                return CheckFailure(
                    field,
                    f"`{field}` cannot be made from the logical name {logical!r}: with {_DIGITS} digits more "
                    f"it is longer than {rule.limit} characters; shorten the logical name or set `{field}`.",
                )
            news[field] = prefix + hashlib.sha512(seed + prefix.encode()).hexdigest()[:_DIGITS]
    news[DEFAULTS] = sorted({*names_by_default(news), field})
    return None
