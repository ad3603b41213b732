"""The rotator on Cloud Run: built from this repository's source, called by the rotation topic and a clock.

Makes the archive of the source, the service that Google builds from it, the push subscription with its
account and dead letters, the hourly sweep, one custom role for versions, aliases and annotations of a secret
(granted on each secret, without deletion and destruction), one for passwords of users (granted on one
instance by condition), and the invoker's grant. One instance, one request at a time.

The service admits internal traffic only, which Pub/Sub of the same project is, at its run.app address: that
is why the address stays enabled. Google writes the digest of what it built, so the image is ignored later.
Does not make: the account that the rotator runs as (`ServiceIdentity`), the bucket of the source, the
builder's account, alerts. Its database login goes through the connector's socket. Cost: a few requests an
hour, and the scheduler's job by the month.

Sources: Cloud Run source deployments (`buildConfig`), Cloud SQL IAM conditions, Pub/Sub push authentication.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pulumi
import pulumi_gcp as gcp

from components.foundation._rotation_args import (
    RotatedDatabase,
    RotationConsumer,
    SecretRotationArgs,
    VendorProbe,
)
from components.foundation._rotation_grants import rotation_grants

__all__ = ["RotatedDatabase", "RotationConsumer", "SecretRotation", "SecretRotationArgs", "VendorProbe"]

_TARGET = "handle"
_PACKAGE = "rotation"
_BASE_IMAGE = "{region}-docker.pkg.dev/serverless-runtimes/google-24-full/runtimes/python313"


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
        caller = gcp.serviceaccount.Account(
            f"{name}-caller",
            project=args.project,
            account_id=args.caller_account_id,
            display_name="Calls the rotator",
            opts=child,
        )
        service = _service(name, args, pulumi.ResourceOptions(parent=self, depends_on=grants))
        invoker = gcp.cloudrunv2.ServiceIamMember(
            f"{name}-caller",
            project=args.project,
            location=service.location,
            name=service.name,
            role="roles/run.servicesInvoker",
            member=caller.member,
            opts=child,
        )
        subscription = _subscription(
            name, args, service, caller, pulumi.ResourceOptions(parent=self, depends_on=[invoker]), child
        )
        _sweep(name, args, child)
        self.service_name = service.name
        self.subscription_name = subscription.name
        outputs = {"service_name": self.service_name, "subscription_name": self.subscription_name}
        self.register_outputs(outputs)


def _service(name: str, args: SecretRotationArgs, opts: pulumi.ResourceOptions) -> gcp.cloudrunv2.Service:
    archive = gcp.storage.BucketObject(
        f"{name}-source",
        bucket=args.source_bucket,
        source=_archive(args.source),
        opts=pulumi.ResourceOptions(parent=opts.parent),
    )
    image = pulumi.Output.concat(args.image_repository, "/", args.service_name)
    connections = [database.connection_name for database in args.databases.values()]
    base = _BASE_IMAGE.format(region=args.location)
    return gcp.cloudrunv2.Service(
        name,
        project=args.project,
        name=args.service_name,
        location=args.location,
        ingress="INGRESS_TRAFFIC_INTERNAL_ONLY",
        build_config={
            # The generation is in it: another archive makes another build.
            "source_location": pulumi.Output.concat(
                "gs://", args.source_bucket, "/", archive.name, "#", archive.generation.apply(str)
            ),
            "function_target": _TARGET,
            "image_uri": image,
            "base_image": base,
            "enable_automatic_updates": True,
            "service_account": args.builder,
        },
        template={
            "service_account": args.service_account,
            "encryption_key": args.kms_key,
            "timeout": "540s",
            "max_instance_request_concurrency": 1,
            "scaling": {"min_instance_count": 0, "max_instance_count": 1},
            "vpc_access": {
                "egress": args.vpc.egress,
                "network_interfaces": [{"network": args.vpc.network, "subnetwork": args.vpc.subnetwork}],
            },
            "containers": [
                {
                    "image": image,
                    "base_image_uri": base,
                    "resources": {"limits": {"cpu": "1", "memory": "512Mi"}},
                    "envs": [{"name": "ROTATION_CONFIG", "value": _config(args)}],
                    "volume_mounts": [{"name": "cloudsql", "mount_path": "/cloudsql"}] if connections else [],
                }
            ],
            "volumes": [{"name": "cloudsql", "cloud_sql_instance": {"instances": connections}}]
            if connections
            else [],
            "labels": args.labels,
        },
        deletion_protection=args.deletion_protection,
        labels=args.labels,
        opts=pulumi.ResourceOptions.merge(
            opts, pulumi.ResourceOptions(ignore_changes=["template.containers[0].image"])
        ),
    )


def _archive(source: Path) -> pulumi.AssetArchive:
    """The package below its own name, with the file that functions-framework looks for."""
    files: dict[str, pulumi.Asset | pulumi.Archive] = {
        f"{_PACKAGE}/{path.name}": pulumi.FileAsset(str(path)) for path in sorted(source.glob("*.py"))
    }
    files["main.py"] = pulumi.StringAsset(f"from {_PACKAGE}.entry import {_TARGET}\n")
    files["requirements.txt"] = pulumi.FileAsset(str(source / "requirements.txt"))
    return pulumi.AssetArchive(files)


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
        {
            "name": pulumi.Output.concat(
                f"projects/{args.project}/locations/{one.location}/{one.kind}/", one.name
            ),
            "moved": False,
        }
        for one in args.consumers.values()
    ]
    config = {
        "project": args.project,
        "grace_seconds": args.grace_hours * 3_600,
        "databases": databases,
        "vendors": vendors,
        "consumers": dict.fromkeys((*args.databases, *args.vendors), consumers),
    }
    return pulumi.Output.json_dumps(config, sort_keys=True)


def _subscription(
    name: str,
    args: SecretRotationArgs,
    service: gcp.cloudrunv2.Service,
    caller: gcp.serviceaccount.Account,
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
        topic=dead.id,
        message_retention_duration="2678400s",
        expiration_policy={"ttl": ""},
        labels=args.labels,
        opts=opts,
    )
    subscription = gcp.pubsub.Subscription(
        name,
        project=args.project,
        topic=args.topic,
        ack_deadline_seconds=600,
        message_retention_duration="604800s",
        expiration_policy={"ttl": ""},
        push_config={
            "push_endpoint": service.uri,
            "oidc_token": {"service_account_email": caller.email, "audience": service.uri},
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
