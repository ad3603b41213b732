"""Cloud Run built from source: what the build needs, so that there is an image to start.

The build runs as an account of its own; it reads the archive, pushes the image and writes its log.
Sources: the roles that Cloud Run's pages name for the build account, `roles/run.builder`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from sandbox.cloud.behaviours.grants import granted
from sandbox.cloud.behaviours.table import Call, Phase, Problem, behaviour

__all__ = ["built_image"]

_SERVICE: Final = ("gcp:cloudrunv2/service:Service",)
_BOTH: Final = (Phase.CREATE, Phase.UPDATE)
_SOURCE: Final = re.compile(r"gs://([^/]+)/([^#]+)(?:#\d+)?")
_IMAGE: Final = re.compile(r"([a-z0-9-]+)-docker\.pkg\.dev/([^/]+)/([^/]+)/.+")
_EMAIL: Final = re.compile(r"projects/[^/]+/serviceAccounts/([^/]+)")
_ALL: Final = frozenset(
    {"roles/run.builder", "roles/cloudbuild.builds.builder", "roles/editor", "roles/owner"}
)
_READ: Final = _ALL | {
    f"roles/storage.{name}" for name in ("objectViewer", "objectUser", "objectAdmin", "admin")
}
_PUSH: Final = _ALL | {f"roles/artifactregistry.{name}" for name in ("writer", "repoAdmin", "admin")}
_LOG: Final = _ALL | {"roles/logging.logWriter", "roles/logging.admin"}


_BASE: Final = re.compile(
    r"[a-z0-9-]+-docker\.pkg\.dev/serverless-runtimes/([a-z0-9-]+)/runtimes/([a-z]+[0-9]+)"
)
# Stacks of a runtime; of other languages nothing is known here.
_STACKS: Final[Mapping[str, tuple[str, ...]]] = {
    "python314": ("google-24", "google-24-full"),
    **dict.fromkeys(("python310", "python311", "python312", "python313"), ("google-22", "google-22-full")),
    **dict.fromkeys(("python37", "python38", "python39"), ("google-18-full",)),
}


def built_image(call: Call, image: str) -> bool:
    """Whether Google builds this image with the service, so that it needs no push."""
    built = call.text("buildConfig.imageUri")
    return bool(built and call.text("buildConfig.sourceLocation")) and image.partition("@")[0] == built


def _archive(call: Call) -> tuple[str, str] | None:
    """Bucket and object of the source, where the bucket is one of this deployment."""
    match = _SOURCE.fullmatch(call.text("buildConfig.sourceLocation"))
    if match is None or call.world.get("gcp:storage/bucket:Bucket", match[1]) is None:
        return None
    return match[1], match[2]


def _repository(call: Call) -> str | None:
    match = _IMAGE.fullmatch(call.text("buildConfig.imageUri"))
    if match is None or match[2] != call.project:
        return None
    return f"projects/{match[2]}/locations/{match[1]}/repositories/{match[3]}"


@behaviour("RUN-100", _SERVICE, _BOTH, 400, "INVALID_ARGUMENT", "general knowledge of Cloud Build")
def source_missing(call: Call) -> Iterator[Problem]:
    """The archive that Cloud Run is to build from does not exist."""
    where = "buildConfig.sourceLocation"
    found = _archive(call)
    if found is None:
        return
    bucket, name = found
    if not any(
        record.inputs.get("bucket") == bucket
        and (record.outputs.get("name") or record.inputs.get("name")) == name
        for record in call.world.find("gcp:storage/bucketObject:BucketObject")
    ):
        yield Problem(where, f"`{where}`: gs://{bucket}/{name} does not exist; upload the archive first.")


@behaviour("RUN-101", _SERVICE, _BOTH, 404, "NOT_FOUND", "general knowledge of Cloud Build")
def repository_missing(call: Call) -> Iterator[Problem]:
    """The repository that a build pushes to does not exist."""
    where, path = "buildConfig.imageUri", _repository(call)
    if path is not None and call.world.at(path) is None:
        yield Problem(where, f"`{where}`: the build pushes to {path}, which does not exist; create it first.")


@behaviour(
    "RUN-102",
    _SERVICE,
    _BOTH,
    403,
    "PERMISSION_DENIED",
    "cloud.google.com/run/docs/configuring/services/build-service-account",
)
def builder_rights(call: Call) -> Iterator[Problem]:
    """The account that builds may not read the source, push the image or write its log."""
    where = "buildConfig.serviceAccount"
    match = _EMAIL.fullmatch(call.text(where))
    if match is None:
        return
    needs: list[tuple[str, str, frozenset[str]]] = [("write logs in", call.project, _LOG)]
    if (found := _archive(call)) is not None:
        needs.append(("read", f"b/{found[0]}", _READ))
    path = _repository(call)
    if path is not None and call.world.at(path) is not None:
        needs.append(("push to", path, _PUSH))
    for verb, target, roles in needs:
        if not granted(call.world, target, roles, match[1], call.project):
            role = min(role for role in roles if role not in _ALL and "admin" not in role.lower())
            yield Problem(
                where,
                f"`{where}`: {match[1]} may not {verb} {target}; grant it {role} and depend on that grant.",
            )


@behaviour("RUN-103", _SERVICE, _BOTH, 404, "NOT_FOUND", "docs.cloud.google.com/run/docs/runtimes/python")
def base_image_missing(call: Call) -> Iterator[Problem]:
    """A base image of a runtime that its stack does not have."""
    where = "buildConfig.baseImage"
    match = _BASE.fullmatch(call.text(where))
    if match is None or (stacks := _STACKS.get(match[2])) is None or match[1] in stacks:
        return
    yield Problem(
        where,
        f"`{where}`: {match[2]} is built on {' and '.join(stacks)}, not on {match[1]}; name one of them.",
    )
