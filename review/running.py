"""What Google says of a digest before somebody vouches for it: whether it runs, and whether it is kept.

Reads Cloud Run (Admin API v2: services, workerPools and jobs of a region) and Artifact Registry (v1:
dockerImages) as whoever is logged in with the Google Cloud CLI. Changes nothing. What the template of a
service names runs where its newest revision has everything; a job runs what its template names.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Collection, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, cast
from urllib.parse import quote, urlencode

from review.contract.asking import NoAnswerError, ask, target_of
from sandbox.errors import UsageError

__all__ = ["ROOTS", "refuse_not_running", "refuse_untagged"]

ROOTS: Final[dict[str, str]] = {
    "run": "https://run.googleapis.com/v2",
    "registry": "https://artifactregistry.googleapis.com/v1",
}
"""Where each service is asked."""
# Image of a release: the kind that runs it, and where that says who has which share.
_RUNS: Final[Mapping[str, tuple[str, str]]] = {
    "api": ("services", "trafficStatuses"),
    "collector": ("services", "trafficStatuses"),
    "worker": ("workerPools", "instanceSplitStatuses"),
    "migration": ("jobs", ""),
}
_WORDS: Final = {"services": "service", "workerPools": "worker pool", "jobs": "job"}
_Json = dict[str, Any]


def refuse_not_running(project: str, regions: Collection[str], key: str, image: str) -> None:
    """Refuse a digest that what runs image ``key`` does not run alone. Raises UsageError."""
    kind, statuses = _RUNS[key]
    path = image.partition("@")[0]
    found = [
        (region, one)
        for region in regions
        for one in _listed(f"{ROOTS['run']}/projects/{project}/locations/{region}/{kind}", kind)
        if any(name.partition("@")[0] == path for name in _images(one))
    ]
    if not found:
        raise UsageError(
            f"a {_WORDS[kind]} of {project} in {' or '.join(regions)} must run {path}, got none: deploy "
            "the release there first"
        )
    for region, one in found:
        runs = _runs_instead(one, statuses, image)
        if runs:
            raise UsageError(
                f"{_WORDS[kind]} {_short(one.get('name'))} in {region} must run {image} alone, got "
                f"{runs}: deploy it there and end its release first"
            )


def refuse_untagged(image: str) -> None:
    """Refuse a digest without a tag, which the registry deletes one day. Raises UsageError."""
    host, project, repository, package = image.split("/", 3)
    location = host.removesuffix("-docker.pkg.dev")
    name = quote(package, safe="@:")
    found = _get(
        f"{ROOTS['registry']}/projects/{project}/locations/{location}/repositories/{repository}"
        f"/dockerImages/{name}"
    )
    if not found.get("tags"):
        raise UsageError(
            f"{image} must have a tag, got none: the registry deletes one without it in time; push it again "
            "with a tag of its own"
        )


def _images(resource: _Json) -> Sequence[str]:
    """Of every container; the template of a job lies in that of its executions."""
    template = cast("_Json", resource.get("template") or {})
    containers = cast("list[_Json]", (template.get("template") or template).get("containers") or [])
    return [str(one.get("image", "")) for one in containers]


def _runs_instead(resource: _Json, statuses: str, image: str) -> str:
    """What it runs instead of the image, or beside it; empty where it runs that alone."""
    images = _images(resource)
    if image not in images:
        return ", ".join(images)
    if not statuses:
        return ""
    newest, ready = _short(resource.get("latestCreatedRevision")), _short(resource.get("latestReadyRevision"))
    shares: dict[str, int] = {}
    for entry in cast("list[_Json]", resource.get(statuses) or []):
        revision = _short(entry.get("revision")) or ready
        shares[revision] = shares.get(revision, 0) + int(entry.get("percent") or 0)
    serving = {revision: percent for revision, percent in shares.items() if percent}
    if serving == {newest: 100}:
        return ""
    return ", ".join(f"{percent} % {revision}" for revision, percent in serving.items()) or "no revision"


def _listed(url: str, kind: str) -> Iterator[_Json]:
    token = ""
    while True:
        page = _get(url, f"?{urlencode({'pageToken': token})}" if token else "")
        yield from cast("list[_Json]", page.get(kind) or [])
        token = str(page.get("nextPageToken") or "")
        if not token:
            return


def _get(url: str, query: str = "") -> _Json:
    target = target_of(url)
    try:
        answer = ask(target, "GET", query, headers={"Authorization": f"Bearer {_token()}"})
    except NoAnswerError as error:
        raise UsageError(f"{target.host} must answer, got {error}: try again") from error
    if answer.status != HTTPStatus.OK:
        raise UsageError(
            f"{target.host} answered {answer.status} to GET {target.prefix}: log in with `gcloud auth login` "
            "as one of aiprod:admission.promoters, and see that it stands"
        )
    try:
        found: Any = json.loads(answer.body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise UsageError(f"{target.host} must answer with a JSON object, got something else: try again")
    return cast("_Json", found)


def _token() -> str:
    command = shutil.which("gcloud")
    if command is None:
        raise UsageError(
            "the Google Cloud CLI (gcloud) is not on PATH: install it, Google is asked with its login"
        )
    done = subprocess.run(
        [command, "auth", "print-access-token"], capture_output=True, text=True, check=False
    )
    if done.returncode or not done.stdout.strip():
        lines = done.stderr.strip().splitlines() or ["no reason given"]
        raise UsageError(f"gcloud has no login ({lines[-1]}): log in with `gcloud auth login`")
    return done.stdout.strip()


def _short(name: Any) -> str:
    return str(name or "").rsplit("/", 1)[-1]
