"""Logging and monitoring."""

from __future__ import annotations

from sandbox.cloud.computed.making import Making, computes
from sandbox.cloud.data import Values


@computes("gcp:logging/projectSink:ProjectSink")
def _project_sink(making: Making) -> Values:
    if making.get("customWriterIdentity"):
        return {"writerIdentity": making.get("customWriterIdentity")}
    if making.get("uniqueWriterIdentity") is False:
        return {"writerIdentity": "serviceAccount:cloud-logs@system.gserviceaccount.com"}
    if str(making.get("destination")).startswith(f"logging.googleapis.com/projects/{making.project}/"):
        return {"writerIdentity": ""}
    agent = f"service-{making.number}@gcp-sa-logging.iam.gserviceaccount.com"
    making.world.facts.asked_agents.add(agent)
    return {"writerIdentity": f"serviceAccount:{agent}"}


@computes("gcp:logging/projectBucketConfig:ProjectBucketConfig")
def _log_bucket(making: Making) -> Values:
    return {"name": making.id, "lifecycleState": "ACTIVE"}


@computes("gcp:monitoring/alertPolicy:AlertPolicy")
def _alert_policy(making: Making) -> Values:
    record = {
        "mutateTime": making.seeds.time(),
        "mutatedBy": f"deployer@{making.project}.iam.gserviceaccount.com",
    }
    return {"name": making.id, "creationRecords": [record]}


@computes("gcp:monitoring/uptimeCheckConfig:UptimeCheckConfig")
def _uptime_check(making: Making) -> Values:
    return {"name": making.id, "uptimeCheckId": making.id.rsplit("/", 1)[-1]}


@computes("gcp:monitoring/notificationChannel:NotificationChannel")
def _notification_channel(making: Making) -> Values:
    verified = "VERIFIED" if making.get("type") == "sms" else ""
    return {"name": making.id, "verificationStatus": verified}


@computes("gcp:monitoring/slo:Slo")
def _slo(making: Making) -> Values:
    return {"name": making.id}
