"""The three kinds of IAM resources, read alike: member, binding and whole policy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from facts.provider import all_types
from sandbox.cloud.behaviours.table import Call
from sandbox.cloud.data import as_list, as_map

__all__ = ["GRANTS", "POLICIES", "Grant", "bindings_of", "grants"]

POLICIES: Final = tuple(type for type in all_types() if type.lower().endswith("iampolicy"))
GRANTS: Final = (
    *(type for type in all_types() if type.lower().endswith(("iammember", "iambinding"))),
    *POLICIES,
)


class Grant(NamedTuple):
    """One member of one role: where it is written, and whether a condition stands on it."""

    where: str
    role: str
    member: str
    conditional: bool


def bindings_of(policy: Any) -> list[dict[str, Any]]:
    """The bindings of a policy given as JSON; none when it is not."""
    try:
        found = as_map(json.loads(policy)) if isinstance(policy, str) else None
    except ValueError:
        return []
    return [item for each in as_list((found or {}).get("bindings")) or [] if (item := as_map(each))]


def grants(call: Call) -> Iterator[Grant]:
    """Every grant that the inputs of an IAM resource make; values not known yet are left out."""
    role, conditional = call.text("role"), bool(call.get("condition"))
    member = call.get("member")
    if isinstance(member, str):
        yield Grant("member", role, member, conditional)
    for index, each in enumerate(call.texts("members")):
        yield Grant(f"members[{index}]", role, each, conditional)
    for binding in bindings_of(call.get("policyData")):
        for each in as_list(binding.get("members")) or []:
            yield Grant("policyData", str(binding.get("role")), str(each), bool(binding.get("condition")))
