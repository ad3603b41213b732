"""Cloud Scheduler."""

from __future__ import annotations

import base64
import binascii
import re
import zoneinfo
from collections.abc import Iterator
from typing import Final

from sandbox.cloud.behaviours.durations import outside
from sandbox.cloud.behaviours.table import Call, Phase, Problem, behaviour
from sandbox.cloud.data import as_map

_JOB: Final = "gcp:cloudscheduler/job:Job"
_ACCOUNT: Final = "gcp:serviceaccount/account:Account"
_BOTH: Final = (Phase.CREATE, Phase.UPDATE)
_REASON: Final = "INVALID_ARGUMENT"
_SOURCE: Final = "terraform-provider-google-beta google-beta/services/cloudscheduler"
_DOCS: Final = "terraform-provider-google-beta website/docs/r/cloud_scheduler_job"
_TARGETS: Final = ("httpTarget", "appEngineHttpTarget", "pubsubTarget")
_MONTHS: Final = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS: Final = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_FIELDS: Final[tuple[tuple[int, int, list[str]], ...]] = (
    (0, 59, []),
    (0, 23, []),
    (1, 31, []),
    (1, 12, ["", *_MONTHS]),
    (0, 7, _DAYS),
)


@behaviour("SCH-001", _JOB, Phase.CHECK, 400, _REASON, _SOURCE)
def one_token(call: Call) -> Iterator[Problem]:
    """Two kinds of token."""
    if call.get("httpTarget.oauthToken") and call.get("httpTarget.oidcToken"):
        path = "httpTarget.oauthToken"
        yield Problem(path, f"`{path}` excludes oidcToken; keep oidcToken for Cloud Run, else oauthToken.")


@behaviour("SCH-002", _JOB, Phase.CHECK, 400, _REASON, _SOURCE)
def headers(call: Call) -> Iterator[Problem]:
    """A header that Cloud Scheduler sets itself."""
    for target in _TARGETS[:2]:
        for name in as_map(call.get(f"{target}.headers")) or {}:
            if re.match(r"(?i)content-length$|x-google-|x-appengine-", name):
                path = f"{target}.headers"
                yield Problem(path, f"`{path}` cannot hold {name}, which Google sets itself; remove it.")


@behaviour("SCH-003", _JOB, Phase.CHECK, 400, _REASON, _SOURCE)
def body(call: Call) -> Iterator[Problem]:
    """A body that is not in base64."""
    for path in ("httpTarget.body", "appEngineHttpTarget.body", "pubsubTarget.data"):
        try:
            base64.b64decode(call.text(path), validate=True)
        except (binascii.Error, ValueError):
            yield Problem(path, f"`{path}` must be base64; encode it first.")


def _part(text: str, low: int, high: int, names: list[str]) -> bool:
    """Whether one of the comma-separated parts of a cron field is fine."""
    match = re.fullmatch(r"(\*|\w+)(?:-(\w+))?(?:/(\d+))?", text)
    if match is None or (match[3] is not None and int(match[3]) < 1):
        return False
    ends: list[int] = []
    for word in match.groups()[:2]:
        if word is None or word == "*":
            continue
        value = int(word) if word.isdigit() else names.index(word.lower()) if word.lower() in names else -1
        if not low <= value <= high:
            return False
        ends.append(value)
    return match[2] is None or (len(ends) == 2 and ends[0] <= ends[1])


@behaviour("SCH-004", _JOB, _BOTH, 400, _REASON, _DOCS)
def schedule(call: Call) -> Iterator[Problem]:
    """A schedule that is not unix-cron, or a time zone that does not exist."""
    text, zone = call.text("schedule"), call.text("timeZone")
    fields = text.split()
    # App Engine's older form, "every 5 minutes", is understood as well.
    if text and not re.match(r"(?i)every\s|\d+(st|nd|rd|th)\s|(first|second|third|fourth|last)\s", text):
        fine = len(fields) == 5 and all(
            _part(part, *limits)
            for field, limits in zip(fields, _FIELDS, strict=True)
            for part in field.split(",")
        )
        if not fine:
            yield Problem("schedule", f"`schedule` must be five cron fields, not {text!r}; correct it.")
    if zone and zone not in zoneinfo.available_timezones():
        yield Problem("timeZone", f"`timeZone` must be in the time zone database, not {zone!r}; use Etc/UTC.")


@behaviour("SCH-005", _JOB, _BOTH, 400, _REASON, _DOCS)
def deadline(call: Call) -> Iterator[Problem]:
    """An attempt takes 15 seconds to 30 minutes, on App Engine to 24 hours and 15 seconds."""
    if call.absent("pubsubTarget"):
        yield from outside(call, "attemptDeadline", 15, 1800 if call.absent("appEngineHttpTarget") else 86415)


@behaviour("SCH-006", _JOB, _BOTH, 400, _REASON, "general knowledge of Cloud Scheduler")
def retries(call: Call) -> Iterator[Problem]:
    """At most five attempts more."""
    count = call.get("retryConfig.retryCount")
    if isinstance(count, int) and not 0 <= count <= 5:
        yield Problem("retryConfig.retryCount", f"`retryConfig.retryCount` must be from 0 to 5, not {count}.")


@behaviour("SCH-007", _JOB, _BOTH, 400, _REASON, _DOCS)
def message(call: Call) -> Iterator[Problem]:
    """A message of nothing, or a topic that is not a whole path."""
    if call.absent("pubsubTarget"):
        return
    if call.absent("pubsubTarget.data") and not call.get("pubsubTarget.attributes"):
        yield Problem("pubsubTarget.data", "`pubsubTarget.data` or an attribute must be given; set one.")
    topic = call.text("pubsubTarget.topicName")
    if topic and not re.fullmatch(r"projects/[^/]+/topics/[^/]+", topic):
        path = "pubsubTarget.topicName"
        yield Problem(path, f"`{path}` must be projects/P/topics/T, not {topic!r}; use the topic's id.")


@behaviour("SCH-008", _JOB, _BOTH, 400, _REASON, _DOCS)
def account(call: Call) -> Iterator[Problem]:
    """A token of an account that is of another project, or does not exist."""
    for kind in ("oauthToken", "oidcToken"):
        path = f"httpTarget.{kind}.serviceAccountEmail"
        email = call.text(path)
        made = re.fullmatch(r"[^@]+@([^.]+)\.iam\.gserviceaccount\.com", email)
        if made is None:
            continue
        exists = any(record.id.endswith(f"/{email}") for record in call.world.find(_ACCOUNT))
        if made[1] != call.project or not exists:
            yield Problem(
                path, f"`{path}` must be an account of {call.project}, not {email}; create it there."
            )
