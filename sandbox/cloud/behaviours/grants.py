"""Who may do what, as the grants in the world say."""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.cloud.behaviours.iam_forms import bindings_of
from sandbox.cloud.data import as_list, plain
from sandbox.cloud.paths import render_parent
from sandbox.cloud.scope import Scope, with_scope
from sandbox.cloud.world import Record, World

__all__ = ["granted", "members_of"]

_PROJECT_LEVEL = "gcp:projects/iAM"


def _policy_target(record: Record, project: str) -> str | None:
    values = plain(with_scope(None, record.inputs, Scope()))
    values.setdefault("project", plain(record.outputs.get("project")) or project)
    return render_parent(record.type, values)


def members_of(world: World, path: str, project: str) -> Iterator[tuple[str, str]]:
    """The (role, member) pairs granted on a resource itself."""
    for record in world:
        lower = record.type.lower()
        if not lower.endswith(("iammember", "iambinding", "iampolicy")):
            continue
        if _policy_target(record, project) != path:
            continue
        inputs = plain(record.inputs)
        if lower.endswith("iammember"):
            yield str(inputs.get("role")), str(inputs.get("member"))
        elif lower.endswith("iambinding"):
            for member in as_list(inputs.get("members")) or []:
                yield str(inputs.get("role")), str(member)
        else:
            for binding in bindings_of(inputs.get("policyData")):
                for member in as_list(binding.get("members")) or []:
                    yield str(binding.get("role")), str(member)


def granted(world: World, path: str, roles: frozenset[str], email: str, project: str) -> bool:
    """Whether an account holds one of the roles on the resource, its parent key ring or its project."""
    member = f"serviceAccount:{email}".lower()
    places = [path, project]
    if "/cryptoKeys/" in path:
        places.append(path.rpartition("/cryptoKeys/")[0])
    return any(
        role in roles and who.lower() == member
        for place in places
        for role, who in members_of(world, place, project)
    )
