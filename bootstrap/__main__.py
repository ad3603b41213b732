"""Once per project: the services that everything needs, and where the state and its secrets are kept.

Runs on a local backend with a passphrase first and moves into the bucket that it made afterwards.
"""

from __future__ import annotations

import pulumi
import pulumi_gcp as gcp

from bootstrap.settings import BootstrapSettings, SettingsError, load
from components.delivery.project_services import ProjectServices, ProjectServicesArgs
from components.delivery.state_bucket import StateBucket, StateBucketArgs
from components.foundation.key_ring import Key, KeyRing, KeyRingArgs
from naming import Names

SERVICES = frozenset(
    {
        "artifactregistry",
        "billingbudgets",
        "certificatemanager",
        "cloudkms",
        "cloudresourcemanager",
        "cloudscheduler",
        "cloudtasks",
        "compute",
        "dns",
        "iam",
        "iamcredentials",
        "logging",
        "monitoring",
        "pubsub",
        "redis",
        "run",
        "secretmanager",
        "servicenetworking",
        "serviceusage",
        "sqladmin",
        "storage",
        "sts",
        "workflowexecutions",
        "workflows",
    }
)


def bootstrap(settings: BootstrapSettings) -> None:
    """Services, then keys, then the bucket under one of them."""
    project = settings.project_id
    names = Names(system="aiprod", environment=settings.environment, project_id=project)
    google = gcp.Provider(
        "google",
        project=project,
        region=settings.region,
        user_project_override=True,
        billing_project=project,
    )
    opts = pulumi.ResourceOptions(providers=[google])
    services = ProjectServices("services", ProjectServicesArgs(project_id=project, services=SERVICES), opts)
    after_services = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[services]))
    storage = gcp.storage.get_project_service_account_output(
        project=project, opts=pulumi.InvokeOutputOptions(provider=google, depends_on=[services])
    )
    keys = KeyRing(
        "state-keys",
        KeyRingArgs(
            project_id=project,
            location=settings.region,
            ring_name=names.resource("state-keyring"),
            keys={
                # Encrypts the secrets inside the state: Pulumi's secrets provider.
                "state": Key(name=names.key("state"), members={}),
                # Encrypts the bucket.
                "bucket": Key(
                    name=names.key("state-bucket"),
                    members={"storage": pulumi.Output.concat("serviceAccount:", storage.email_address)},
                ),
            },
            labels=names.labels("state"),
        ),
        after_services,
    )
    bucket = StateBucket(
        "state",
        StateBucketArgs(
            project_id=project,
            bucket_name=names.bucket("pulumi-state"),
            location=settings.region,
            kms_key_id=keys.key_ids["bucket"],
            labels=names.labels("state", "restricted"),
        ),
        pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[services, keys])),
    )
    pulumi.export("backend", bucket.url)
    pulumi.export("secrets_provider", pulumi.Output.concat("gcpkms://", keys.key_ids["state"]))
    number = gcp.organizations.get_project_output(
        project_id=project, opts=pulumi.InvokeOutputOptions(provider=google, depends_on=[services])
    ).number
    pulumi.export("project_number", number)
    pulumi.export("services", services.enabled)


def main() -> None:
    """One project, as its stack file says."""
    try:
        settings = load()
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from None
    bootstrap(settings)


main()
