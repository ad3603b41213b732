"""Who logs in to a database: service accounts and groups without a password, built-in users with one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_gcp as gcp

from facts.refusal import RefusedError

__all__ = ["PasswordUser", "Users", "make_users"]

_ACCOUNT_SUFFIX = ".gserviceaccount.com"


@dataclass(frozen=True, kw_only=True, slots=True)
class PasswordUser:
    """A built-in user whose password goes to the server and is not kept in the state as an output."""

    password: pulumi.Output[str]
    """The password, from the database secret."""
    password_version: int
    """Raised by one to send another password, 1 or more."""
    roles: tuple[str, ...] = ()
    """Roles inside the database; none by default, so that the user owns nothing and reads nothing."""

    def __post_init__(self) -> None:
        if self.password_version < 1:
            message = f"password_version must be 1 or more, got {self.password_version}"
            raise RefusedError(message)


@dataclass(frozen=True, kw_only=True, slots=True)
class Users:
    """Everyone who logs in, by a key that ends the child's name."""

    accounts: Mapping[str, pulumi.Input[str]]
    groups: Mapping[str, pulumi.Input[str]]
    passwords: Mapping[str, PasswordUser]
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    def __post_init__(self) -> None:
        for key in self.roles:
            if key not in self.accounts and key not in self.groups:
                raise RefusedError(
                    f"iam_roles must name a key of iam_users or iam_groups, got {key!r}; correct or remove it"
                )
        twice = {*self.accounts} & {*self.groups} | {*self.passwords} & {*self.accounts, *self.groups}
        if twice:
            raise RefusedError(
                f"users must have keys of their own, got {sorted(twice)} in two kinds; rename one of them"
            )


def make_users(
    name: str,
    project: pulumi.Input[str],
    users: Users,
    primary: gcp.sql.DatabaseInstance,
    opts: pulumi.ResourceOptions,
) -> dict[str, pulumi.Output[str]]:
    """Make the users; the names under which accounts and groups log in, by their keys."""

    def iam(key: str, login: pulumi.Output[str], kind: str) -> pulumi.Output[str]:
        # A user that owns objects cannot be dropped: leaving this program leaves the user.
        return gcp.sql.User(
            f"{name}-user-{key}",
            project=project,
            instance=primary.name,
            name=login,
            type=kind,
            database_roles=list(users.roles[key]) if key in users.roles else None,
            deletion_policy="ABANDON",
            opts=opts,
        ).name

    for user, password in users.passwords.items():
        gcp.sql.User(
            f"{name}-user-{user}",
            project=project,
            instance=primary.name,
            name=user,
            type="BUILT_IN",
            password_wo=password.password,
            password_wo_version=password.password_version,
            database_roles=list(password.roles) or None,
            deletion_policy="ABANDON",
            opts=opts,
        )
    return {
        key: iam(key, pulumi.Output.from_input(email).apply(_login_name), "CLOUD_IAM_SERVICE_ACCOUNT")
        for key, email in users.accounts.items()
    } | {
        key: iam(key, pulumi.Output.from_input(email).apply(str.lower), "CLOUD_IAM_GROUP")
        for key, email in users.groups.items()
    }


def _login_name(email: str) -> str:
    """PostgreSQL knows a service account without the end of its address."""
    return email.removesuffix(_ACCOUNT_SUFFIX)
