"""The observability layer: logs, audit, channels, counters, objectives, the uptime check, alerts.

The budget is bootstrap's: it lives on the billing account, where a deployer of the project has no rights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.messaging.work_queue import DEAD_LETTER_SUFFIX
from components.observability.alert_policy import Alert, AlertPolicies, AlertPoliciesArgs, Severity
from components.observability.audit_logging import AuditLogging, AuditLoggingArgs
from components.observability.data_alerts import (
    DataTargets,
    QueueTargets,
    data_alerts,
    queue_alerts,
)
from components.observability.drill_alerts import drill_alerts
from components.observability.log_archive import LogArchive, LogArchiveArgs
from components.observability.log_counters import log_counters
from components.observability.log_metric import LogMetric
from components.observability.notification_channels import (
    Channel,
    Email,
    NotificationChannels,
    NotificationChannelsArgs,
    Slack,
    Sms,
)
from components.observability.scaler_alerts import scaler_alerts
from components.observability.security_alerts import TOLD, security_alerts
from components.observability.service_alerts import ServiceTargets, service_alerts
from components.observability.service_objectives import ServiceObjectives, ServiceObjectivesArgs
from components.observability.uptime_check import UptimeCheck, UptimeCheckArgs
from config import Settings
from config_edge import SLACK_KEY
from naming import Names
from stacks.operations import CLONES, DRILL, ROTATION_SUBSCRIPTION

__all__ = ["Observability", "observability"]

_BATCH_AGE_SECONDS = 3_600
_ROTATION_AGE_SECONDS = 3_600
# The mail channel of the team that acts on rotations.
_DEVOPS = "devops"


@dataclass(frozen=True, kw_only=True, slots=True)
class Observability:
    """What other layers and the stack's outputs take from observability."""

    channel_names: Mapping[str, pulumi.Output[str]]
    log_bucket_id: pulumi.Output[str]
    security_log_bucket_id: pulumi.Output[str]


def observability(
    *,
    settings: Settings,
    names: Names,
    log_key_id: pulumi.Input[str],
    rotated_secrets: Sequence[str],
    after: Sequence[pulumi.Resource],
    opts: pulumi.ResourceOptions,
) -> Observability:
    """`rotated_secrets`: short ids of what the rotator tells of. `after`: the key ring whose grant lets the
    logging agent use `log_key_id`.
    """
    labels = names.labels("observability")
    config = settings.observability
    split = config.security_log_retention_days != config.log_retention_days
    archive = LogArchive(
        names.resource("logs"),
        LogArchiveArgs(
            project=settings.project_id,
            location=settings.region,
            retention_days=config.log_retention_days,
            security_retention_days=config.security_log_retention_days if split else None,
            exclusions={
                "probes": (
                    'resource.type="http_load_balancer" AND '
                    f'httpRequest.requestUrl=~"{settings.api.health_path}$" '
                    "AND httpRequest.status<400 AND severity<WARNING"
                ),
                "debug": "severity<=DEBUG AND severity!=DEFAULT AND severity<WARNING",
            },
            kms_key_id=log_key_id,
        ),
        pulumi.ResourceOptions.merge(
            opts, pulumi.ResourceOptions(depends_on=list(after), protect=settings.deletion_protection)
        ),
    )
    AuditLogging(
        "audit",
        AuditLoggingArgs(
            project=settings.project_id,
            services={
                "secretmanager.googleapis.com": ("ADMIN_READ", "DATA_READ", "DATA_WRITE"),
                "cloudkms.googleapis.com": ("ADMIN_READ", "DATA_READ", "DATA_WRITE"),
                "cloudsql.googleapis.com": ("ADMIN_READ", "DATA_READ", "DATA_WRITE"),
                # Who looks at rights, and who becomes an account: tokens and signatures are ADMIN_READ.
                "iam.googleapis.com": ("ADMIN_READ", "DATA_READ", "DATA_WRITE"),
                "iamcredentials.googleapis.com": ("ADMIN_READ", "DATA_READ", "DATA_WRITE"),
            },
        ),
        opts,
    )
    channels = NotificationChannels(
        "channel", NotificationChannelsArgs(channels=_channels(settings), labels=labels), opts
    )
    for name, args in log_counters(drilled=settings.drill is not None).items():
        LogMetric(name, args, opts)
    objectives = ServiceObjectives(
        "api",
        ServiceObjectivesArgs(
            service_name=settings.api.service,
            display_name=f"API ({settings.environment})",
            availability_goal=config.objectives.availability,
            latency_goal=config.objectives.latency,
            latency_threshold_ms=config.objectives.latency_threshold_ms,
            labels=labels,
        ),
        opts,
    )
    if settings.release is not None:
        UptimeCheck(
            "api",
            UptimeCheckArgs(
                project=settings.project_id,
                host=settings.host,
                path=settings.api.health_path,
                display_name=f"{settings.host}{settings.api.health_path}",
                json_path="$.status",
                json_value="ok",
                labels=labels,
            ),
            opts,
        )
    AlertPolicies(
        "alert",
        AlertPoliciesArgs(
            alerts=_alerts(settings, names, objectives, rotated_secrets),
            channels=_by_severity(settings, channels.names),
            besides={
                f"{TOLD}{secret}": _mail_besides(settings, channels.names) for secret in rotated_secrets
            },
            environment=settings.environment,
            runbook_base_url=config.runbook_base_url,
            labels=labels,
        ),
        opts,
    )
    return Observability(
        channel_names=channels.names,
        log_bucket_id=archive.bucket_id,
        security_log_bucket_id=archive.security_bucket_id,
    )


def _channels(settings: Settings) -> dict[str, Channel]:
    config = settings.observability
    channels: dict[str, Channel] = {key: Email(address=address) for key, address in config.emails.items()}
    if config.slack_channel is not None and settings.slack_token is not None:
        channels[SLACK_KEY] = Slack(channel=config.slack_channel, token=settings.slack_token)
    return channels | {key: Sms(number=number) for key, number in config.sms_numbers.items()}


def _by_severity(
    settings: Settings, names: Mapping[str, pulumi.Output[str]]
) -> dict[Severity, list[pulumi.Input[str]]]:
    """P1 reaches everybody, P2 mail and Slack, P3 Slack; who has no Slack gets mail instead."""
    mail: list[pulumi.Input[str]] = [names[key] for key in settings.observability.emails]
    slack: list[pulumi.Input[str]] = [names[SLACK_KEY]] if SLACK_KEY in names else []
    texts: list[pulumi.Input[str]] = [names[key] for key in settings.observability.sms_numbers]
    return {"CRITICAL": [*mail, *slack, *texts], "ERROR": [*mail, *slack], "WARNING": slack or mail}


def _mail_besides(settings: Settings, names: Mapping[str, pulumi.Output[str]]) -> list[pulumi.Input[str]]:
    """SEC-2.1 asks for mail on every rotation; a warning is mail already where there is no Slack."""
    emails = settings.observability.emails
    keys = [_DEVOPS] if _DEVOPS in emails else list(emails)
    return [names[key] for key in keys] if SLACK_KEY in names else []


def _alerts(
    settings: Settings, names: Names, objectives: ServiceObjectives, rotated_secrets: Sequence[str]
) -> dict[str, Alert]:
    owner, drilled = settings.observability.owner, settings.drill is not None
    clones = f"{names.resource(CLONES)}-" if drilled else None
    return {
        **service_alerts(
            ServiceTargets(
                owner=owner,
                service=settings.api.service,
                host=settings.host,
                maximum_instances={
                    region: scaling.max_instances for region, scaling in settings.api_regions.items()
                },
                availability_objective=objectives.availability,
                latency_objective=objectives.latency,
            )
        ),
        **data_alerts(
            DataTargets(
                owner=owner,
                connection_limit=settings.postgres.connection_limit,
                disk_limit_gb=settings.postgres.disk_autoresize_limit_gb,
                always_on=settings.postgres.schedule.kind == "always",
                has_replicas=bool(settings.postgres.replicas),
                cache_has_standby=settings.redis.tier == "STANDARD_HA",
                migration_job=settings.migration.job,
                clone_prefix=clones,
            )
        ),
        **(
            {}
            if settings.release is None
            else scaler_alerts(owner, always_on=settings.workers.schedule.kind == "always")
        ),
        **queue_alerts(
            {
                key: QueueTargets(
                    owner=owner,
                    subscription=queue.subscription,
                    dead_letter_subscription=queue.subscription + DEAD_LETTER_SUFFIX,
                    dead_letter_retention_days=settings.messaging.dead_letter_retention_days,
                    maximum_age_seconds=_BATCH_AGE_SECONDS if key == "batch" else 300,
                )
                for key, queue in settings.messaging.queues.items()
            }
            | {
                # A message waits while its rotation's lease is held, and for a new attempt after a failure.
                ROTATION_SUBSCRIPTION: QueueTargets(
                    owner=owner,
                    subscription=ROTATION_SUBSCRIPTION,
                    dead_letter_subscription=ROTATION_SUBSCRIPTION + DEAD_LETTER_SUFFIX,
                    maximum_age_seconds=_ROTATION_AGE_SECONDS,
                    pulled=False,
                )
            }
        ),
        **security_alerts(owner, rotated_secrets, clones),
        **(drill_alerts(owner, names.resource(DRILL)) if drilled else {}),
    }
