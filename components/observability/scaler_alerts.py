"""Alerts on the scaler of the worker pools: what it says of itself, and its silence."""

from __future__ import annotations

from components.observability.alert_policy import Alert, LogMatch, Query

__all__ = ["SCALER_CEILING_METRIC", "SCALER_RUNS_METRIC", "scaler_alerts"]

SCALER_RUNS_METRIC = "scaler_runs"
SCALER_CEILING_METRIC = "scaler_ceiling"
_RUNBOOK = "worker-scaling"
_SAID = {"said": "EXTRACT(jsonPayload.message)"}


def scaler_alerts(owner: str, *, always_on: bool) -> dict[str, Alert]:
    """`always_on`: its clock never rests; where it does, silence is told by the age of messages alone."""
    service = 'resource.type="cloud_run_revision" AND jsonPayload.scaler.kind='
    alerts = {
        "scaler-failed": Alert(
            title="A worker pool could not be scaled",
            severity="ERROR",
            owner=owner,
            summary="The scaler could not read or set a pool, or Google did not make the instances that were "
            "asked for. The pool may be too small.",
            runbook=_RUNBOOK,
            condition=LogMatch(filter=f'{service}"failed"', extractors=_SAID, quiet_seconds=3_600),
        ),
        "scaler-stalled": Alert(
            title="Workers finish nothing",
            severity="ERROR",
            owner=owner,
            summary="A queue holds messages and none was finished for long; the scaler adds no more workers.",
            runbook=_RUNBOOK,
            condition=LogMatch(filter=f'{service}"stalled"', extractors=_SAID, quiet_seconds=3_600),
        ),
        "scaler-ceiling": Alert(
            title="A worker pool has been at its ceiling for half an hour",
            severity="WARNING",
            owner=owner,
            summary="The queues ask for more workers than the configuration allows; waits grow.",
            runbook=_RUNBOOK,
            condition=Query(
                promql=f"sum(increase(logging_googleapis_com:user_{SCALER_CEILING_METRIC}[30m])) > 25"
            ),
        ),
    }
    silent = Alert(
        title="The scaler is silent",
        severity="ERROR",
        owner=owner,
        summary="The scaler has not looked at every pool for 15 minutes. On its first run that is normal.",
        runbook=_RUNBOOK,
        condition=Query(promql=f"absent_over_time(logging_googleapis_com:user_{SCALER_RUNS_METRIC}[15m])"),
    )
    return alerts | ({"scaler-silent": silent} if always_on else {})
