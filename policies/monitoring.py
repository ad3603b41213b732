"""Cloud Monitoring: an alert reaches somebody who knows what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.model import Resource, contains_unknown, is_false, is_missing, rule, say, text

__all__ = ["RULES"]

ALERT: Final = "gcp:monitoring/alertPolicy:AlertPolicy"
UPTIME: Final = "gcp:monitoring/uptimeCheckConfig:UptimeCheckConfig"


@rule(
    "alert-has-channel",
    "Every alert notifies somebody",
    controls=("MON-01",),
    source="MON-2.6",
    types=(ALERT,),
)
def has_channel(resource: Resource) -> Iterator[str]:
    path = "notificationChannels"
    if is_missing(resource.get(path)):
        yield say(resource, path, "name a channel", None, "add the channels of its severity")


@rule(
    "alert-has-runbook",
    "Every alert links its runbook",
    controls=("MON-02",),
    source="MON-2.6",
    types=(ALERT,),
)
def has_runbook(resource: Resource) -> Iterator[str]:
    documentation = resource.get("documentation")
    if contains_unknown(documentation):
        return
    links = [block.get("url") for block in resource.each("documentation.links")]
    content = text(resource.get("documentation.content")) or ""
    if not any(is_link(link) for link in links) and "https://" not in content:
        yield say(
            resource, "documentation.links", "hold the address of a runbook", None, "link docs/runbooks"
        )


def is_link(value: object) -> bool:
    """Whether a value is an https address."""
    return isinstance(value, str) and value.startswith("https://")


@rule(
    "alert-has-severity",
    "Every alert states its severity",
    controls=("MON-03",),
    source="MON-2.8",
    types=(ALERT,),
)
def has_severity(resource: Resource) -> Iterator[str]:
    if is_missing(resource.get("severity")):
        yield say(resource, "severity", "be CRITICAL, ERROR or WARNING", None, "set it by the incident level")


@rule(
    "alert-has-owner",
    "Every alert names its owner",
    controls=("MON-06",),
    source="MON-2.6",
    types=(ALERT,),
)
def has_owner(resource: Resource) -> Iterator[str]:
    if is_missing(resource.get("userLabels.owner")):
        yield say(resource, "userLabels.owner", "name a team", None, "add the label")


@rule(
    "alert-enabled",
    "No alert is switched off",
    controls=("MON-04",),
    source="MON-2.6",
    types=(ALERT,),
)
def enabled(resource: Resource) -> Iterator[str]:
    if is_false(resource.get("enabled", default=True)):
        yield say(resource, "enabled", "be true", resource.get("enabled"), "snooze the alert instead")


@rule(
    "uptime-check-tls",
    "An uptime check asks over https and validates the certificate",
    controls=("MON-14",),
    source="CRIT-1.1, CRIT-1.6",
    types=(UPTIME,),
)
def uptime_tls(resource: Resource) -> Iterator[str]:
    if is_missing(resource.get("httpCheck")):
        return
    for path in ("httpCheck.useSsl", "httpCheck.validateSsl"):
        if is_false(resource.get(path, default=False)):
            yield say(resource, path, "be true", resource.get(path), "set it to true")


RULES = (has_channel, has_runbook, has_severity, has_owner, enabled, uptime_tls)
