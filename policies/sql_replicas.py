"""Cloud SQL: replicas beside their primary, and database users."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from policies.model import (
    SECRET,
    UNKNOWN,
    Finding,
    Resource,
    contains_unknown,
    is_given,
    is_missing,
    relation,
    rule,
    say,
    stack_rule,
    text,
)
from policies.places import environment
from policies.recovery_declared import parted
from policies.sql_instances import INSTANCE, follows

__all__ = ["RULES"]

USER: Final = "gcp:sql/user:User"


@rule(
    "sql-user-password-write-only",
    "A database password is never kept in the state",
    controls=("SQL-39",),
    source="CIS 6.6 (v5)",
    types=(USER,),
)
def user_password(resource: Resource) -> Iterator[str]:
    if is_given(resource.get("password")):
        yield say(
            resource,
            "password",
            "be absent, since the state would keep it",
            SECRET,
            "use an IAM user, or passwordWo with passwordWoVersion",
        )


@stack_rule(
    "sql-replica-elsewhere",
    "A production database has a replica in another region, a staging database a replica",
    controls=("SQL-37",),
    source="DB-3.3",
)
def replica_elsewhere(resources: Sequence[Resource]) -> Iterator[Finding]:
    instances = [resource for resource in resources if resource.type == INSTANCE]
    followers = [one for one in instances if follows(one) != "no"]
    for primary in () if parted(resources) else instances:
        where = environment(primary)
        if where in (None, "dev") or follows(primary) != "no":
            continue
        replicas = [one for one in followers if relation(one, "masterInstanceName", primary) != "no"]
        regions = [one.get("region") for one in replicas]
        here = primary.get("region")
        if not replicas:
            must = f"have a replica in {where}"
        elif where == "prod" and here is not UNKNOWN and all(region == here for region in regions):
            must = "have a replica in another region in prod"
        else:
            continue
        yield Finding(
            primary.urn,
            say(
                primary,
                "masterInstanceName of some instance",
                must,
                f"{len(replicas)} replicas",
                "add one, for prod in the second region",
            ),
        )


@stack_rule(
    "sql-replica-like-primary",
    "A replica repeats the network and the TLS mode of its primary, and names a key in another region",
    controls=("SQL-38",),
    source="DB-3.3",
)
def replica_like_primary(resources: Sequence[Resource]) -> Iterator[Finding]:
    instances = [resource for resource in resources if resource.type == INSTANCE]
    for replica in (one for one in instances if follows(one) != "no"):
        primary = next(
            (one for one in instances if relation(replica, "masterInstanceName", one) == "yes"), None
        )
        if primary is None:
            continue
        for path in ("settings.ipConfiguration.sslMode", "settings.ipConfiguration.privateNetwork"):
            mine, theirs = replica.get(path), primary.get(path)
            if not contains_unknown([mine, theirs]) and mine != theirs:
                yield Finding(
                    replica.urn,
                    say(replica, path, f"equal that of {primary.name}", mine, "use the same value"),
                )
        regions = (text(replica.get("region")), text(primary.get("region")))
        apart = None not in regions and regions[0] != regions[1]
        if apart and is_missing(replica.get("encryptionKeyName")):
            yield Finding(
                replica.urn,
                say(
                    replica,
                    "encryptionKeyName",
                    "name a key of its own region",
                    None,
                    "set the key of that region",
                ),
            )


RULES = (user_password, replica_elsewhere, replica_like_primary)
