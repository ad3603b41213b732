"""The restore drill: it is there where it must be, and can harm nothing but its own clones."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from policies.model import SECRET, UNKNOWN, Finding, Resource, is_missing, relation, say, stack_rule, text
from policies.places import environment
from policies.recovery_declared import primaries
from policies.sql_instances import INSTANCE, PROMOTED, follows

__all__ = ["RULES"]

WORKFLOW: Final = "gcp:workflows/workflow:Workflow"
MEMBER: Final = "gcp:projects/iAMMember:IAMMember"
ROLE: Final = "gcp:projects/iAMCustomRole:IAMCustomRole"
SOURCE: Final = "userEnvVars.SOURCE"
PREFIX: Final = "userEnvVars.CLONE_PREFIX"

# Bootstrap makes the role where its deployer deploys: then the stack knows it by its name alone.
_CLONES_ROLE: Final = re.compile(r"/roles/\w*restore_drill_clones$")
_DESTRUCTIVE: Final = frozenset({"cloudsql.instances.delete", "cloudsql.instances.restoreBackup"})


@stack_rule(
    "sql-restore-drilled",
    "A restore of the database is rehearsed every month outside of dev",
    controls=("SQL-08",),
    source="DB-3.5",
)
def drilled(resources: Sequence[Resource]) -> Iterator[Finding]:
    drills = [one for one in resources if one.type == WORKFLOW and not is_missing(one.get(SOURCE))]
    found = primaries(resources)
    bare = [one for one in found if all(relation(drill, SOURCE, one) == "no" for drill in drills)]
    # Beside a promoted replica stands what was given up, and the drill of a lost region cannot follow yet: a
    # rule that asked for both would refuse the very `up` that promotes.
    if len(bare) < len(found) and any(one.get("instanceType") == PROMOTED for one in found):
        return
    for one in bare:
        if environment(one) == "dev" or follows(one) != "no":
            continue
        yield Finding(
            one.urn,
            say(one, "workflow of the restore drill", "be in the stack", None, "set aiprod:drill"),
        )


@stack_rule(
    "sql-drill-clones-only",
    "Whoever may delete or overwrite a database instance by a custom role may do so to clones alone",
    controls=("IAM-13",),
    source="DB-3.5; Cloud SQL, IAM Conditions: delete development and test instances only",
)
def clones_only(resources: Sequence[Resource]) -> Iterator[Finding]:
    names = [text(one.get("name")) for one in resources if one.type == INSTANCE]
    for drill in resources:
        prefix = text(drill.get(PREFIX)) if drill.type == WORKFLOW else None
        for name in names:
            if prefix is not None and name is not None and name.startswith(prefix):
                yield Finding(
                    drill.urn,
                    say(drill, PREFIX, f"not begin the name of {name}", prefix, "choose another prefix"),
                )
    roles = [one for one in resources if one.type == ROLE and _DESTRUCTIVE & set(one.strings("permissions"))]
    for grant in resources:
        if grant.type != MEMBER or not _grants(grant, roles):
            continue
        condition = grant.get("condition.expression")
        if condition not in (UNKNOWN, SECRET) and not _on_clones(text(condition) or "", names):
            yield Finding(
                grant.urn,
                say(
                    grant,
                    "condition",
                    "hold it to instances whose name begins as no instance of the stack does",
                    condition,
                    "compare resource.name with startsWith",
                ),
            )


def _grants(grant: Resource, roles: Sequence[Resource]) -> bool:
    role = text(grant.get("role")) or ""
    return bool(_CLONES_ROLE.search(role)) or any(relation(grant, "role", one) == "yes" for one in roles)


def _on_clones(condition: str, names: Sequence[str | None]) -> bool:
    """One prefix of names, joined with nothing that could widen it."""
    prefix = re.search(
        r"""resource\.name\.startsWith\(["']projects/[^/]+/instances/([^"']+)["']\)""", condition
    )
    if prefix is None or "||" in condition or "!" in condition:
        return False
    return not any(name is not None and name.startswith(prefix[1]) for name in names)


RULES = (drilled, clones_only)
