"""A workflow under a key of its own, started every month as its own account."""

import base64

import pulumi
import pulumi_gcp as gcp

account = gcp.serviceaccount.Account("monthly", account_id="monthly-runs")
agent = gcp.projects.ServiceIdentity("agent", service="workflows.googleapis.com")
ring = gcp.kms.KeyRing("ring", name="ring", location="europe-west1")
key = gcp.kms.CryptoKey("key", name="key", key_ring=ring.id)
use = gcp.kms.CryptoKeyIAMMember(
    "use", crypto_key_id=key.id, role="roles/cloudkms.cryptoKeyEncrypterDecrypter", member=agent.member
)
workflow = gcp.workflows.Workflow(
    "monthly",
    name="monthly",
    region="europe-west1",
    service_account=account.email,
    crypto_key_name=key.id,
    source_contents="main:\n  steps:\n    - give:\n        return: 1\n",
    user_env_vars={"LIMIT": "10"},
    deletion_protection=False,
    opts=pulumi.ResourceOptions(depends_on=[use]),
)
gcp.cloudscheduler.Job(
    "monthly",
    region="europe-west1",
    schedule="30 8 1 * *",
    time_zone="Etc/UTC",
    http_target={
        "uri": pulumi.Output.concat(
            "https://workflowexecutions.googleapis.com/v1/", workflow.id, "/executions"
        ),
        "http_method": "POST",
        "body": base64.b64encode(b"{}").decode(),
        "oauth_token": {"service_account_email": account.email},
    },
)
pulumi.export("workflow", workflow.id)
