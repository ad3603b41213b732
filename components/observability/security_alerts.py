"""Alerts on who touches what: keys, secrets, access, evidence, network, edge; and on quota and egress.

Pure: values in, alerts out. All but the last two read audit entries, matched by method name; short names are
matched with `:` (contains), because several API versions write the same event. A deployment changes settings
too, so what a deployment does every week is a WARNING and what it never does is more.
"""

from __future__ import annotations

from collections.abc import Sequence

from components.observability.alert_policy import Alert, LogMatch, Query, Severity

__all__ = ["AGE_WATCH_METRIC", "TOLD", "security_alerts"]

AGE_WATCH_METRIC = "age_watch_runs"
# Begins the id of the alert that tells of one secret's rotations.
TOLD = "rotation-told-"

_ACTIVITY = 'log_id("cloudaudit.googleapis.com/activity")'
_WHO = {
    "principal": "EXTRACT(protoPayload.authenticationInfo.principalEmail)",
    "method": "EXTRACT(protoPayload.methodName)",
    "target": "EXTRACT(protoPayload.resourceName)",
}


def security_alerts(owner: str, secrets: Sequence[str], clone_prefix: str | None = None) -> dict[str, Alert]:
    """Every alert of this page by id; each of `secrets` (short ids) has one of its own for its rotations.

    Database instances whose name begins with `clone_prefix` come and go on purpose and are left out.
    """
    return {
        **_key_and_secret_alerts(owner),
        **_rotation_alerts(owner, secrets),
        **_access_alerts(owner),
        **_change_alerts(owner, clone_prefix),
        **_limit_alerts(owner),
    }


def _key_and_secret_alerts(owner: str) -> dict[str, Alert]:
    kms, secrets = _service("cloudkms"), _service("secretmanager")
    return {
        "key-destroyed": _event(
            "A key version is being destroyed",
            "CRITICAL",
            owner,
            "Somebody scheduled the destruction of a key version; what it encrypts will be lost.",
            "key-change",
            f'{kms} AND protoPayload.methodName:"DestroyCryptoKeyVersion"',
        ),
        "key-disabled": _event(
            "A key version was changed",
            "CRITICAL",
            owner,
            "Somebody disabled or enabled a key version; a disabled one takes its database down.",
            "key-change",
            f'{kms} AND protoPayload.methodName:"UpdateCryptoKeyVersion"',
        ),
        "key-restored": _event(
            "A key version was brought back",
            "ERROR",
            owner,
            "Somebody took a key version back from its destruction; this follows one that was scheduled.",
            "key-change",
            f'{kms} AND protoPayload.methodName:"RestoreCryptoKeyVersion"',
        ),
        "key-access": _event(
            "Access to a key was changed",
            "ERROR",
            owner,
            "Somebody changed who may use or manage a key.",
            "key-change",
            f'{kms} AND protoPayload.methodName:"SetIamPolicy"',
        ),
        "secret-denied": _event(
            "Access to a secret was refused",
            "ERROR",
            owner,
            "Somebody or something tried to read a secret without being allowed to.",
            "secret-access",
            (
                'log_id("cloudaudit.googleapis.com/data_access") AND '
                'protoPayload.serviceName="secretmanager.googleapis.com" AND '
                'protoPayload.methodName:"AccessSecretVersion" AND protoPayload.status.code=7'
            ),
        ),
        "secret-destroyed": _event(
            "A secret was deleted or a version destroyed",
            "ERROR",
            owner,
            "Somebody deleted a secret or destroyed one of its versions.",
            "secret-access",
            f'{secrets} AND protoPayload.methodName:("DestroySecretVersion" OR "DeleteSecret")',
        ),
    }


def _rotation_alerts(owner: str, secrets: Sequence[str]) -> dict[str, Alert]:
    """What the rotator and the age watch write; neither ever writes a value."""
    told = "jsonPayload.rotation.kind"
    outcomes = '("rotated" OR "rolled-back" OR "retired" OR "ticket" OR "reminder")'
    cases: dict[str, tuple[str, Severity, str, str]] = {
        "rotation-failed": (
            "A secret could not be rotated",
            "ERROR",
            "The rotator failed or a vendor's key is beyond 90 days; the version in use stays in use.",
            f'{told}=("failed" OR "alarm")',
        ),
        "secret-old": (
            "A secret is older than 90 days",
            "ERROR",
            "The age watch found a secret whose newest enabled version is beyond its age.",
            'jsonPayload.ageWatch.kind="old"',
        ),
        # One each: a policy notifies once in its quiet time, and vendors' keys come due together.
        **{
            f"{TOLD}{secret}": (
                f"{secret} was rotated or is due",
                "WARNING",
                "The rotator put a version into use, took one out of it, or asks for a new key.",
                f'jsonPayload.rotation.secret="{secret}" AND {told}={outcomes}',
            )
            for secret in secrets
        },
    }
    silent = Alert(
        title="The age watch is silent",
        severity="ERROR",
        owner=owner,
        summary="The age watch has not looked at every secret for 26 hours. On its first day that is normal.",
        runbook="secret-rotation",
        condition=Query(
            promql=f"absent_over_time(logging_googleapis_com:user_{AGE_WATCH_METRIC}[26h])", for_seconds=3600
        ),
    )
    return {"secret-watch-silent": silent} | {
        key: Alert(
            title=title,
            severity=severity,
            owner=owner,
            summary=summary,
            runbook="secret-rotation",
            condition=LogMatch(
                filter=f'resource.type="cloud_run_revision" AND {match}',
                extractors={"said": "EXTRACT(jsonPayload.message)"},
                # What is told of one secret is told at once; a failure is swept, and told, every hour.
                quiet_seconds=60 if key.startswith(TOLD) else 3_600,
            ),
        )
        for key, (title, severity, summary, match) in cases.items()
    }


def _access_alerts(owner: str) -> dict[str, Alert]:
    project = f'{_service("cloudresourcemanager")} AND protoPayload.methodName:"SetIamPolicy"'
    deltas = "protoPayload.serviceData.policyDelta"
    return {
        "access-owner": _event(
            "Somebody became owner of the project",
            "CRITICAL",
            owner,
            "A basic role was granted on the project; this platform grants none.",
            "access-change",
            f'{project} AND {deltas}.bindingDeltas.action="ADD" AND '
            f'{deltas}.bindingDeltas.role=("roles/owner" OR "roles/editor")',
        ),
        "access-audit": _event(
            "Audit logging was changed",
            "ERROR",
            owner,
            "Somebody changed which access is logged.",
            "access-change",
            f"{project} AND {deltas}.auditConfigDeltas:*",
        ),
        "access-role": _event(
            "A custom role was changed",
            "WARNING",
            owner,
            "Somebody created, changed or deleted a custom role.",
            "access-change",
            f'{_service("iam")} AND protoPayload.methodName:("CreateRole" OR "UpdateRole" OR "DeleteRole")',
        ),
        "access-key": _event(
            "A service account key was made",
            "ERROR",
            owner,
            "Somebody made or uploaded a long-lived key of a service account; this platform uses none.",
            "access-change",
            f"{_service('iam')} AND "
            'protoPayload.methodName:("CreateServiceAccountKey" OR "UploadServiceAccountKey")',
        ),
        "access-bucket": _event(
            "Access to a bucket was changed",
            "WARNING",
            owner,
            "Somebody changed who may read or write a bucket.",
            "access-change",
            f'{_service("storage")} AND protoPayload.methodName="storage.setIamPermissions"',
        ),
    }


def _change_alerts(owner: str, clone_prefix: str | None) -> dict[str, Alert]:
    compute = _service("compute")
    lasting = "" if clone_prefix is None else f' AND NOT protoPayload.resourceName:"instances/{clone_prefix}"'
    return {
        "log-routing": _event(
            "Log routing was changed",
            "ERROR",
            owner,
            "Somebody changed or deleted a sink or a log bucket, or excluded logs: evidence may be missing.",
            "log-routing",
            f"{_service('logging')} AND protoPayload.methodName:"
            '("UpdateSink" OR "DeleteSink" OR "UpdateBucket" OR "DeleteBucket" '
            'OR "CreateExclusion" OR "DeleteLog")',
        ),
        "network-changed": _event(
            "The network was changed",
            "WARNING",
            owner,
            "Somebody changed firewall rules, routes or networks.",
            "configuration-change",
            f"{compute} AND protoPayload.methodName=~"
            '"compute[.](firewalls|routes|networks|subnetworks)[.](insert|patch|update|delete)$"',
        ),
        "edge-changed": _event(
            "The edge policy was changed",
            "WARNING",
            owner,
            "Somebody changed Cloud Armor's rules or detached the policy.",
            "configuration-change",
            f'{compute} AND protoPayload.methodName:("securityPolicies" OR "setSecurityPolicy")',
        ),
        "database-changed": _event(
            "The database's settings were changed",
            "WARNING",
            owner,
            "Somebody changed, deleted, promoted or failed over a database instance.",
            "configuration-change",
            f"{_service('cloudsql')} AND protoPayload.methodName=~"
            f'"cloudsql[.]instances[.](update|patch|delete|failover|promoteReplica)$"{lasting}',
        ),
    }


def _limit_alerts(owner: str) -> dict[str, Alert]:
    return {
        "quota-exceeded": Alert(
            title="A quota is used up",
            severity="WARNING",
            owner=owner,
            summary="Google refused something because a quota of this project is used up.",
            runbook="quota-exceeded",
            condition=Query(
                promql=(
                    "max by (service, quota_metric) "
                    "(max_over_time(serviceruntime_googleapis_com:quota_exceeded[35m])) > 0"
                )
            ),
        ),
        "egress-exhausted": Alert(
            title="Egress addresses run out of ports",
            severity="ERROR",
            owner=owner,
            summary="Cloud NAT could not give a port, so calls to vendors and webhooks fail.",
            runbook="egress-exhausted",
            condition=Query(
                promql=(
                    "max by (gateway_name, region) "
                    "(max_over_time(router_googleapis_com:nat_nat_allocation_failed[10m])) > 0"
                ),
                for_seconds=60,
            ),
        ),
    }


def _service(name: str) -> str:
    return f'{_ACTIVITY} AND protoPayload.serviceName="{name}.googleapis.com"'


def _event(title: str, severity: Severity, owner: str, summary: str, runbook: str, log_filter: str) -> Alert:
    return Alert(
        title=title,
        severity=severity,
        owner=owner,
        summary=summary,
        runbook=runbook,
        condition=LogMatch(filter=log_filter, extractors=_WHO),
    )
