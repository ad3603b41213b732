"""Service accounts with project roles in nested loops."""

import pulumi
import pulumi_gcp as gcp

roles = pulumi.Config().require_object("roles")
accounts = {
    name: gcp.serviceaccount.Account(name, account_id=f"svc-{name}", display_name=f"The {name} service")
    for name in ("web", "worker", "cron")
}
for name, account in accounts.items():
    for role in roles:
        gcp.projects.IAMMember(
            f"{name}-{role.removeprefix('roles/')}",
            project="example-project",
            role=role,
            member=pulumi.Output.concat("serviceAccount:", account.email),
        )
gcp.serviceaccount.IAMMember(
    "cron-acts-as-worker",
    service_account_id=accounts["worker"].name,
    role="roles/iam.serviceAccountUser",
    member=accounts["cron"].member,
)
found = gcp.serviceaccount.get_account_output(account_id=accounts["web"].account_id)
pulumi.export("emails", {name: account.email for name, account in accounts.items()})
pulumi.export("web", found.email)
