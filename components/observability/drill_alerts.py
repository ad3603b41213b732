"""Alerts on the restore drill: it failed, its clone is left, or nobody has heard of a good one for a month.

Pure: values in, alerts out. The last one is on silence: the drill's daily watch writes `fresh` while the last
drill that passed is at most 32 days old, so a missing `fresh` tells of a drill that failed or never started,
of a watch that fails, and of a schedule, an account or a definition that is gone.
"""

from __future__ import annotations

from components.observability.alert_policy import Alert, LogMatch, Query

__all__ = ["DRILL_METRIC", "drill_alerts"]

DRILL_METRIC = "restore_drill_fresh"
_RUNBOOK = "restore-drill"


def drill_alerts(owner: str, workflow: str) -> dict[str, Alert]:
    """Every alert of this page by id; `workflow` is the physical name of the drill's."""
    runs = f'resource.type="workflows.googleapis.com/Workflow" AND resource.labels.workflow_id="{workflow}"'
    return {
        "drill-failed": Alert(
            title="The restore drill failed",
            severity="ERROR",
            owner=owner,
            summary="A restore failed, was too slow or gave other data; or the drill or its watch broke off.",
            runbook=_RUNBOOK,
            condition=LogMatch(
                filter=(
                    f"{runs} AND (jsonPayload.restoreDrill.passed=false "
                    'OR jsonPayload.restoreDrill.kind=("left" OR "overdue") '
                    'OR jsonPayload.state=("FAILED" OR "CANCELLED"))'
                ),
                extractors={"said": "EXTRACT(jsonPayload.message)"},
                quiet_seconds=3_600,
            ),
        ),
        "drill-clone-left": Alert(
            title="A clone of the production data is left",
            severity="CRITICAL",
            owner=owner,
            summary="The drill could not delete its clone, which costs and holds what the database does.",
            runbook=_RUNBOOK,
            condition=LogMatch(
                filter=f"{runs} AND jsonPayload.restoreDrill.cloneDeleted=false",
                extractors={"clone": "EXTRACT(jsonPayload.restoreDrill.clone)"},
                quiet_seconds=3_600,
            ),
        ),
        "drill-overdue": Alert(
            title="No restore drill has passed for a month",
            severity="ERROR",
            owner=owner,
            summary="Nothing has told of a good drill for 26 hours. On the first day that is normal.",
            runbook=_RUNBOOK,
            condition=Query(
                promql=f"absent_over_time(logging_googleapis_com:user_{DRILL_METRIC}[26h])", for_seconds=3600
            ),
        ),
    }
