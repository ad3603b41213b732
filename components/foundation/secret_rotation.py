"""The rotator on Cloud Run: built from this repository's source, called by the rotation topic and a clock.

Makes the function, the push subscription with its dead letters, the hourly sweep, the grants of two custom
roles, and these where it is not given them: one for versions, aliases and annotations of a secret (granted on
each secret, without deletion and destruction), one for passwords of database users (on the project: Google
knows no condition on users). The connection is held to the instances by condition.

Does not make: the accounts that the rotator runs as and is called by (`ServiceIdentity`), what builds the
function, alerts. Its database login goes through the connector's socket. Cost: a few requests an hour, and
the scheduler's job by the month.

Sources: Cloud SQL IAM conditions, Pub/Sub push authentication, dead letter policies.
"""

from __future__ import annotations

from dataclasses import asdict

import pulumi
import pulumi_gcp as gcp

from components.compute.source_function import SourceFunction, hosted
from components.foundation._rotation_args import (
    RotatedDatabase,
    RotationConsumer,
    SecretRotationArgs,
    VendorProbe,
)
from components.foundation._rotation_grants import PASSWORDS_ROLE, SECRETS_ROLE, rotation_grants

__all__ = [
    "PASSWORDS_ROLE",
    "SECRETS_ROLE",
    "RotatedDatabase",
    "RotationConsumer",
    "SecretRotation",
    "SecretRotationArgs",
    "VendorProbe",
]


class SecretRotation(pulumi.ComponentResource):
    """The rotator and everything that calls it."""

    service_name: pulumi.Output[str]
    """Physical name."""
    subscription_name: pulumi.Output[str]
    """Short name of the push subscription, as metrics carry it."""

    def __init__(
        self, name: str, args: SecretRotationArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Make the service, its rights and its callers."""
        super().__init__("aiprod:foundation:SecretRotation", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        grants = rotation_grants(name, args, child)
        function = SourceFunction(
            name,
            hosted(
                args,
                "entry",
                "handle",
                {"ROTATION_CONFIG": _config(args)},
                {"caller": args.caller_member},
                cloud_sql_instances=tuple(one.connection_name for one in args.databases.values()),
            ),
            pulumi.ResourceOptions(parent=self, depends_on=grants),
        )
        subscription = _subscription(
            name,
            args,
            function,
            pulumi.ResourceOptions(parent=self, depends_on=[function]),
            child,
        )
        _sweep(name, args, child)
        self.service_name = function.service_name
        self.subscription_name = subscription.name
        outputs = {"service_name": self.service_name, "subscription_name": self.subscription_name}
        self.register_outputs(outputs)


def _config(args: SecretRotationArgs) -> pulumi.Output[str]:
    databases = {
        secret: {
            "instance": one.instance,
            "database": one.database,
            "users": list(one.users),
            "host": pulumi.Output.concat("/cloudsql/", one.connection_name),
        }
        for secret, one in args.databases.items()
    }
    vendors = {secret: None if one is None else asdict(one) for secret, one in args.vendors.items()}
    consumers = [
        pulumi.Output.concat(f"projects/{args.project}/locations/{one.location}/{one.kind}/", one.name)
        for one in args.consumers.values()
    ]
    config = {
        "project": args.project,
        "grace_seconds": args.grace_hours * 3_600,
        "databases": databases,
        "vendors": vendors,
        "reminders": dict(args.reminders),
        "consumers": dict.fromkeys((*args.databases, *args.vendors), consumers),
    }
    return pulumi.Output.json_dumps(config, sort_keys=True)


def _subscription(
    name: str,
    args: SecretRotationArgs,
    function: SourceFunction,
    ready: pulumi.ResourceOptions,
    opts: pulumi.ResourceOptions,
) -> gcp.pubsub.Subscription:
    dead = gcp.pubsub.Topic(
        f"{name}-dead-letter",
        project=args.project,
        kms_key_name=args.topic_kms_key,
        message_storage_policy={"allowed_persistence_regions": [args.location]},
        labels=args.labels,
        opts=opts,
    )
    gcp.pubsub.Subscription(
        f"{name}-dead-letter",
        project=args.project,
        name=f"{args.subscription_name}-dlq",
        topic=dead.id,
        message_retention_duration="2678400s",
        expiration_policy={"ttl": ""},
        labels=args.labels,
        opts=opts,
    )
    subscription = gcp.pubsub.Subscription(
        name,
        project=args.project,
        name=args.subscription_name,
        topic=args.topic,
        ack_deadline_seconds=600,
        message_retention_duration="604800s",
        expiration_policy={"ttl": ""},
        push_config={
            "push_endpoint": function.uri,
            "oidc_token": {"service_account_email": args.caller, "audience": function.uri},
        },
        # Longer than a dead holder's lease lasts, in all attempts together.
        retry_policy={"minimum_backoff": "60s", "maximum_backoff": "600s"},
        dead_letter_policy={"dead_letter_topic": dead.id, "max_delivery_attempts": 20},
        labels=args.labels,
        opts=ready,
    )
    gcp.pubsub.TopicIAMMember(
        f"{name}-dead-letter-agent",
        project=args.project,
        topic=dead.name,
        role="roles/pubsub.publisher",
        member=args.pubsub_agent,
        opts=opts,
    )
    gcp.pubsub.SubscriptionIAMMember(
        f"{name}-agent",
        project=args.project,
        subscription=subscription.name,
        role="roles/pubsub.subscriber",
        member=args.pubsub_agent,
        opts=opts,
    )
    return subscription


def _sweep(name: str, args: SecretRotationArgs, opts: pulumi.ResourceOptions) -> None:
    gcp.cloudscheduler.Job(
        f"{name}-sweep",
        project=args.project,
        region=args.location,
        description="Goes on with rotations, retires old versions, reminds",
        schedule="7 * * * *",
        time_zone="Etc/UTC",
        pubsub_target={
            "topic_name": args.topic,
            "attributes": {"eventType": "AIPROD_SWEEP"},
            "data": "e30=",
        },
        opts=opts,
    )
