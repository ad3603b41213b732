"""Ways to meet what a build from source needs, each with the nearest build that goes through."""

from __future__ import annotations

from typing import Any, Final

from tests.sandbox.cloud.case import Case
from tests.sandbox.cloud.stage import ACCOUNT, CONTAINER, PROJECT

_BUCKET: Final = "aiprod-test-files"
_MEMBER: Final = {"member": f"serviceAccount:{ACCOUNT}"}
_REPOSITORY: Final = {**_MEMBER, "location": "europe", "repository": "images"}
_IMAGE: Final = f"europe-docker.pkg.dev/{PROJECT}/images/watch"

Before = tuple[tuple[str, str, dict[str, Any]], ...]

_ARCHIVE: Final = ("make", "BucketObject", {"name": "watch.zip", "bucket": _BUCKET, "content": "x"})
_READS: Final = (
    "make",
    "BucketIAMMember",
    {**_MEMBER, "bucket": _BUCKET, "role": "roles/storage.objectViewer"},
)
_PUSHES: Final = ("make", "RepositoryIamMember", {**_REPOSITORY, "role": "roles/artifactregistry.writer"})
_LOGS: Final = ("make", "IAMMember", {**_MEMBER, "project": PROJECT, "role": "roles/logging.logWriter"})
_READY: Final[Before] = (_ARCHIVE, _READS, _PUSHES, _LOGS)


def _built(**build: str) -> dict[str, Any]:
    image = build.get("imageUri", _IMAGE)
    return {
        "buildConfig": {
            "sourceLocation": f"gs://{_BUCKET}/watch.zip#1",
            "functionTarget": "watch",
            "imageUri": image,
            "serviceAccount": f"projects/{PROJECT}/serviceAccounts/{ACCOUNT}",
            **build,
        },
        "template.containers": [{**CONTAINER, "image": image}],
    }


def _base(stack: str, runtime: str) -> str:
    return f"europe-west1-docker.pkg.dev/serverless-runtimes/{stack}/runtimes/{runtime}"


_FINE: Final = _built()

BUILDS: Final = (
    Case("RUN-100", "create", "Service", _FINE, (_READS, _PUSHES, _LOGS)),
    Case("RUN-100", "create", "Service", _built(sourceLocation=f"gs://{_BUCKET}/other.zip"), _READY),
    Case(
        "RUN-101",
        "create",
        "Service",
        _built(imageUri=f"europe-docker.pkg.dev/{PROJECT}/functions/watch"),
        _READY,
    ),
    Case("RUN-102", "create", "Service", _FINE, (_ARCHIVE, _PUSHES, _LOGS)),
    Case("RUN-102", "create", "Service", _FINE, (_ARCHIVE, _READS, _LOGS)),
    Case("RUN-102", "update", "Service", _FINE, (_ARCHIVE, _READS, _PUSHES)),
    Case("RUN-103", "create", "Service", _built(baseImage=_base("google-24-full", "python313")), _READY),
    Case("RUN-103", "create", "Service", _built(baseImage=_base("google-22", "python314")), _READY),
)

BUILDS_FINE: Final = (
    Case("RUN-100", "create", "Service", _FINE, _READY),
    Case("RUN-100", "create", "Service", _built(sourceLocation="gs://bucket-of-others/watch.zip"), _READY),
    Case(
        "RUN-101",
        "create",
        "Service",
        _built(imageUri="europe-docker.pkg.dev/project-of-others/functions/watch"),
        _READY,
    ),
    Case(
        "RUN-102",
        "create",
        "Service",
        _FINE,
        (_ARCHIVE, ("make", "IAMMember", {**_MEMBER, "project": PROJECT, "role": "roles/run.builder"})),
    ),
    *(
        Case("RUN-103", "create", "Service", _built(baseImage=_base(stack, runtime)), _READY)
        for stack, runtime in (
            ("google-22-full", "python313"),
            ("google-24", "python314"),
            ("any", "nodejs22"),
        )
    ),
    # What Google builds needs no push, its digest neither.
    Case("RUN-029", "create", "Service", _FINE, (("release", "", {}), *_READY)),
    Case(
        "RUN-029",
        "create",
        "Service",
        {**_FINE, "template.containers": [{**CONTAINER, "image": f"{_IMAGE}@sha256:{'c' * 64}"}]},
        (("release", "", {}), *_READY),
    ),
)
