"""Cloud Run with a secret, made readable for the service's own account."""

import pulumi
import pulumi_gcp as gcp
import pulumi_random as random

gcp_config = pulumi.Config("gcp")
project = gcp_config.require("project")
region = gcp_config.require("region")
config = pulumi.Config()
token = config.get_secret("token") or pulumi.Output.secret("example")

account = gcp.serviceaccount.Account("api", account_id="api-runtime")
password = random.RandomPassword("session", length=32, special=False)
secret = gcp.secretmanager.Secret(
    "session",
    secret_id="session-key",
    replication=gcp.secretmanager.SecretReplicationArgs(auto=gcp.secretmanager.SecretReplicationAutoArgs()),
)
version = gcp.secretmanager.SecretVersion("session", secret=secret.id, secret_data=password.result)
access = gcp.secretmanager.SecretIamMember(
    "session",
    secret_id=secret.id,
    role="roles/secretmanager.secretAccessor",
    member=account.email.apply(lambda email: f"serviceAccount:{email}"),
)
service = gcp.cloudrunv2.Service(
    "api",
    location=region,
    deletion_protection=False,
    template={
        "service_account": account.email,
        "containers": [
            {
                "image": "us-docker.pkg.dev/cloudrun/container/hello",
                "envs": [
                    {"name": "PROJECT", "value": project},
                    {
                        "name": "SESSION_KEY",
                        "value_source": {"secret_key_ref": {"secret": secret.secret_id, "version": "latest"}},
                    },
                ],
            }
        ],
    },
    opts=pulumi.ResourceOptions(depends_on=[access, version]),
)
gcp.cloudrunv2.ServiceIamMember(
    "public", name=service.name, location=region, role="roles/run.invoker", member="allUsers"
)
pulumi.export("uri", service.uri)
pulumi.export("token", token)
