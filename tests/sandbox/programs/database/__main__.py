"""Cloud SQL with a random password, a database and a user."""

import pulumi
import pulumi_gcp as gcp
import pulumi_random as random

suffix = random.RandomId("suffix", byte_length=3)
password = random.RandomPassword("app", length=24, override_special="_-")
instance = gcp.sql.DatabaseInstance(
    "main",
    name=suffix.hex.apply(lambda text: f"main-{text}"),
    database_version="POSTGRES_15",
    region="europe-west1",
    deletion_protection=False,
    settings=gcp.sql.DatabaseInstanceSettingsArgs(
        tier="db-f1-micro",
        backup_configuration=gcp.sql.DatabaseInstanceSettingsBackupConfigurationArgs(enabled=True),
    ),
)
database = gcp.sql.Database("app", instance=instance.name, name="app")
user = gcp.sql.User(
    "app",
    instance=instance.name,
    name="app",
    password=password.result,
    opts=pulumi.ResourceOptions(additional_secret_outputs=["password"]),
)
pulumi.export(
    "url",
    pulumi.Output.concat("postgresql://", user.name, ":", password.result, "@localhost/", database.name),
)
