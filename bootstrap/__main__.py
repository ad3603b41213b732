"""Once per project: services, where the state and its secrets are kept, who may deploy, who is guarded.

Runs on a local backend with a passphrase first and moves into the bucket that it made afterwards
(`make bootstrap-migrate`).
"""

from __future__ import annotations

import pulumi
import pulumi_gcp as gcp

from bootstrap.access import StateAccess, organisation_level, project_level
from bootstrap.settings import (
    BillingLevel,
    BootstrapSettings,
    OrganisationLevel,
    ProjectLevel,
    SettingsError,
    load,
    unguarded,
)
from components.delivery.project_services import ProjectServices, ProjectServicesArgs
from components.delivery.state_bucket import StateBucket, StateBucketArgs
from components.foundation.key_ring import Key, KeyRing, KeyRingArgs
from components.observability.budget import Budget, BudgetArgs
from components.observability.notification_channels import (
    Email,
    NotificationChannels,
    NotificationChannelsArgs,
)
from facts.refusal import RefusedError
from naming import Names

SERVICES = frozenset(
    {
        "artifactregistry",
        "binaryauthorization",
        "billingbudgets",
        "certificatemanager",
        "cloudbuild",
        "cloudkms",
        "cloudresourcemanager",
        "cloudscheduler",
        "cloudtasks",
        "compute",
        "containeranalysis",
        "dns",
        "essentialcontacts",
        "iam",
        "iamcredentials",
        "logging",
        "monitoring",
        "orgpolicy",
        "privilegedaccessmanager",
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
    """Services, then who there is, then keys, then the bucket under one of them."""
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
    after = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[services]))
    number = gcp.organizations.get_project_output(
        project_id=project, opts=pulumi.InvokeOutputOptions(provider=google, depends_on=[services])
    ).number
    ring = names.resource("state-keyring")
    access = StateAccess()
    if isinstance(settings.project, ProjectLevel):
        path = f"projects/{project}/locations/{settings.region}/keyRings/{ring}"
        access = project_level(settings, settings.project, names, path, number, after)
    if isinstance(settings.billing, BillingLevel):
        _budget(settings.billing, names, number, after)
    if isinstance(settings.organisation, OrganisationLevel):
        organisation_level(settings, settings.organisation, names, after)
    _state(settings, names, ring, access, google, services)
    pulumi.export("project_number", number)
    pulumi.export("services", services.enabled)
    pulumi.export("unguarded", unguarded(settings))


def _state(
    settings: BootstrapSettings,
    names: Names,
    ring: str,
    access: StateAccess,
    google: gcp.Provider,
    services: ProjectServices,
) -> None:
    """The keys of the state and its bucket."""
    project = settings.project_id
    opts = pulumi.ResourceOptions(providers=[google], depends_on=[services])
    storage = gcp.storage.get_project_service_account_output(
        project=project, opts=pulumi.InvokeOutputOptions(provider=google, depends_on=[services])
    )
    keys = KeyRing(
        "state-keys",
        KeyRingArgs(
            project_id=project,
            location=settings.region,
            ring_name=ring,
            keys={
                # Encrypts the secrets inside the state: Pulumi's secrets provider.
                "state": Key(name=names.key("state"), members=access.writers, decrypters=access.readers),
                # Encrypts the bucket.
                "bucket": Key(
                    name=names.key("state-bucket"),
                    members={"storage": pulumi.Output.concat("serviceAccount:", storage.email_address)},
                ),
            },
            labels=names.labels("state"),
        ),
        opts,
    )
    bucket = StateBucket(
        "state",
        StateBucketArgs(
            project_id=project,
            bucket_name=names.bucket("pulumi-state"),
            location=settings.region,
            kms_key_id=keys.key_ids["bucket"],
            labels=names.labels("state", "restricted"),
            writers=access.writers,
            readers=access.readers,
        ),
        pulumi.ResourceOptions(providers=[google], depends_on=[services, keys]),
    )
    pulumi.export("backend", bucket.url)
    pulumi.export("secrets_provider", pulumi.Output.concat("gcpkms://", keys.key_ids["state"]))


def _budget(
    level: BillingLevel, names: Names, number: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> None:
    """Mail when the project has spent too much."""
    channels = NotificationChannels(
        "budget-channels",
        NotificationChannelsArgs(
            channels={"mail": Email(address=level.notify)}, labels=names.labels("budget")
        ),
        opts,
    )
    Budget(
        "budget",
        BudgetArgs(
            billing_account=level.billing_account,
            project_number=number,
            display_name=f"aiprod {names.environment}: everything",
            monthly_amount=level.monthly_amount,
            currency=level.currency,
            email_channels=[channels.names["mail"]],
        ),
        opts,
    )


def main() -> None:
    """One project, as its stack file says."""
    try:
        settings = load()
        bootstrap(settings)
    except (SettingsError, RefusedError) as error:
        raise pulumi.RunError(str(error)) from None


main()
