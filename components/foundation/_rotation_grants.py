"""What the rotator may do: on each secret, on one database instance, on whoever reads the secrets."""

from __future__ import annotations

import pulumi
import pulumi_gcp as gcp

from components.foundation._rotation_args import SecretRotationArgs
from components.foundation.own_roles import OwnRole, make_role

__all__ = ["PASSWORDS_ROLE", "SECRETS_ROLE", "rotation_grants"]

SECRETS_ROLE = OwnRole(
    title="Secret rotation",
    description="Adds, reads, enables and disables versions; moves aliases",
    permissions=(
        *(f"secretmanager.secrets.{verb}" for verb in ("get", "update")),
        *(f"secretmanager.versions.{verb}" for verb in ("access", "add", "disable", "enable", "list")),
    ),
)
PASSWORDS_ROLE = OwnRole(
    title="Password rotation",
    description="Sets passwords of database users",
    permissions=("cloudsql.instances.get", "cloudsql.users.update"),
)


def rotation_grants(
    name: str, args: SecretRotationArgs, opts: pulumi.ResourceOptions
) -> list[pulumi.Resource]:
    """Every grant; the service waits for them."""
    role = args.secrets_role or make_role(
        f"{name}-secrets", args.project, f"{args.role_prefix}_secrets", SECRETS_ROLE, opts
    )
    made: list[pulumi.Resource] = [
        gcp.secretmanager.SecretIamMember(
            f"{name}-{secret}",
            project=args.project,
            secret_id=secret,
            role=role,
            member=args.member,
            opts=opts,
        )
        for secret in (*args.databases, *args.vendors)
    ]
    made.extend(_looks(name, args, opts))
    if not args.databases:
        return made
    passwords = args.passwords_role or make_role(
        f"{name}-passwords", args.project, f"{args.role_prefix}_passwords", PASSWORDS_ROLE, opts
    )
    # A condition holds for instances and backups only: with one, Google refuses what is done to a user
    # (terraform-google-modules/terraform-google-sql-db#616).
    made.append(
        gcp.projects.IAMMember(
            f"{name}-passwords", project=args.project, role=passwords, member=args.member, opts=opts
        )
    )
    # The client's role opens the connector; the login itself is the password's.
    made.extend(
        gcp.projects.IAMMember(
            f"{name}-client-{secret}",
            project=args.project,
            role="roles/cloudsql.client",
            member=args.member,
            condition={
                "title": "One instance",
                "expression": pulumi.Output.concat(
                    'resource.type == "sqladmin.googleapis.com/Instance" && resource.name == ',
                    f'"projects/{args.project}/instances/',
                    database.instance,
                    '"',
                ),
            },
            opts=opts,
        )
        for secret, database in args.databases.items()
    )
    return made


def _looks(name: str, args: SecretRotationArgs, opts: pulumi.ResourceOptions) -> list[pulumi.Resource]:
    """The right to see which versions a consumer's revisions read; never to change them."""
    made: list[pulumi.Resource] = []
    for key, consumer in args.consumers.items():
        if consumer.kind == "services":
            made.append(
                gcp.cloudrunv2.ServiceIamMember(
                    f"{name}-looks-{key}",
                    project=args.project,
                    location=consumer.location,
                    name=consumer.name,
                    role="roles/run.viewer",
                    member=args.member,
                    opts=opts,
                )
            )
        else:
            made.append(
                gcp.cloudrunv2.WorkerPoolIamMember(
                    f"{name}-looks-{key}",
                    project=args.project,
                    location=consumer.location,
                    name=consumer.name,
                    role="roles/run.viewer",
                    member=args.member,
                    opts=opts,
                )
            )
    return made
