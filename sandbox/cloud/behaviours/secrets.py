"""Secret Manager."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from facts.google.service_agents import agent_email
from sandbox.cloud.behaviours.durations import outside
from sandbox.cloud.behaviours.grants import granted
from sandbox.cloud.behaviours.table import Call, Phase, Problem, behaviour
from sandbox.cloud.data import as_map, at
from sandbox.cloud.paths import canonical

_SECRET: Final = "gcp:secretmanager/secret:Secret"
_VERSION: Final = "gcp:secretmanager/secretVersion:SecretVersion"
_BOTH: Final = (Phase.CREATE, Phase.UPDATE)
_REASON: Final = "INVALID_ARGUMENT"
_AHEAD: Final = timedelta(minutes=5)
_PUBLISHERS: Final = frozenset({"roles/pubsub.publisher", "roles/pubsub.editor", "roles/pubsub.admin"})


@behaviour(
    "SEC-003",
    _SECRET,
    _BOTH,
    400,
    _REASON,
    "terraform-provider-google-beta website/docs/r/secret_manager_secret",
)
def topic_form(call: Call) -> Iterator[Problem]:
    """A topic is given by its full name."""
    for index, topic in enumerate(call.blocks("topics")):
        name = str(topic.get("name"))
        if not re.fullmatch(r"projects/[^/]+/topics/[^/]+", name):
            where = f"topics[{index}].name"
            yield Problem(where, f"`{where}` must be projects/PROJECT/topics/NAME, not {name!r}.")


@behaviour(
    "SEC-002",
    _SECRET,
    _BOTH,
    403,
    "PERMISSION_DENIED",
    "terraform-provider-google-beta website/docs/r/secret_manager_secret",
)
def topic_grant(call: Call) -> Iterator[Problem]:
    """Secret Manager's service agent must be allowed to publish."""
    agent = agent_email("secretmanager", call.number) or ""
    for index, topic in enumerate(call.blocks("topics")):
        path = canonical(str(topic.get("name")))
        if not path.startswith(f"projects/{call.project}/") or call.world.at(path) is None:
            continue
        if not granted(call.world, path, _PUBLISHERS, agent, call.project):
            yield Problem(
                f"topics[{index}].name",
                f"`topics[{index}].name`: the service agent {agent} may not publish to {path}; grant it "
                "roles/pubsub.publisher and depend on that grant.",
            )


@behaviour(
    "SEC-005",
    _SECRET,
    _BOTH,
    400,
    _REASON,
    "terraform-provider-google-beta website/docs/r/secret_manager_secret",
)
def next_rotation(call: Call) -> Iterator[Problem]:
    """A rotation period needs its first moment."""
    if call.text("rotation.rotationPeriod") and call.absent("rotation.nextRotationTime"):
        yield Problem(
            "rotation.nextRotationTime", "`rotation.nextRotationTime` is needed with a period; set it."
        )


@behaviour(
    "SEC-006",
    _SECRET,
    _BOTH,
    400,
    _REASON,
    "google-cloud.md SEC-2.1; GoogleCloudPlatform/cloud-foundation-fabric#4141",
)
def rotation_in_the_future(call: Call) -> Iterator[Problem]:
    """A first rotation that is past or less than five minutes ahead; one that stands is not judged again."""
    path = "rotation.nextRotationTime"
    text = call.text(path)
    if not text or text == at(call.old_inputs, path):
        return
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return
    if moment.tzinfo is not None and moment < call.world.clock() + _AHEAD:
        yield Problem(
            path, f"`{path}` must be at least five minutes in the future, not {text}; choose a later day."
        )


@behaviour(
    "SEC-007",
    _SECRET,
    _BOTH,
    400,
    _REASON,
    "terraform-provider-google-beta website/docs/r/secret_manager_secret",
)
def rotation_period(call: Call) -> Iterator[Problem]:
    """A rotation period is an hour to a hundred years."""
    yield from outside(call, "rotation.rotationPeriod", 3600, 3153600000)


@behaviour(
    "SEC-010",
    _SECRET,
    Phase.CREATE,
    400,
    _REASON,
    "terraform-provider-google-beta website/docs/r/secret_manager_secret",
)
def replica_twice(call: Call) -> Iterator[Problem]:
    """A replica's location is given twice."""
    seen: set[str] = set()
    for index, replica in enumerate(call.blocks("replication.userManaged.replicas")):
        location = str(replica.get("location"))
        if location in seen:
            where = f"replication.userManaged.replicas[{index}].location"
            yield Problem(where, f"`{where}`: {location} is given twice; keep one.")
        seen.add(location)


@behaviour("SEC-013", _SECRET, _BOTH, 400, _REASON, "general knowledge of Secret Manager")
def secret_id(call: Call) -> Iterator[Problem]:
    """A secret id outside Google's form."""
    name = call.text("secretId")
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,255}", name):
        yield Problem(
            "secretId", f"`secretId` must be 1 to 255 letters, digits, dashes, underscores, not {name!r}."
        )


@behaviour(
    "SEC-016",
    _SECRET,
    _BOTH,
    400,
    _REASON,
    "terraform-provider-google-beta website/docs/r/secret_manager_secret",
)
def alias_form(call: Call) -> Iterator[Problem]:
    """An alias that Google reserves or cannot read."""
    for name in as_map(call.get("versionAliases")) or {}:
        if not re.fullmatch(r"[A-Za-z_-][A-Za-z0-9_-]{0,62}", name) or name in {"latest", "NEW"}:
            where = f"versionAliases.{name}"
            yield Problem(
                where, f"`{where}` must start with no digit, have 63 characters and not be latest or NEW."
            )


@behaviour("SEC-017", _SECRET, Phase.CREATE, 400, _REASON, "general knowledge of Secret Manager")
def alias_too_early(call: Call) -> Iterator[Problem]:
    """A new secret has no version to point to."""
    if call.get("versionAliases"):
        yield Problem("versionAliases", "`versionAliases` cannot be given at creation; add a version first.")


@behaviour(
    "SEC-022",
    _VERSION,
    Phase.CREATE,
    400,
    _REASON,
    "terraform-provider-google-beta website/docs/r/secret_manager_secret_vers",
)
def payload(call: Call) -> Iterator[Problem]:
    """A payload is 1 byte to 64 KiB."""
    for name in ("secretData", "secretDataWo"):
        value = call.get(name)
        if isinstance(value, str) and not 1 <= len(value.encode()) <= 65536:
            yield Problem(name, f"`{name}` must be 1 byte to 64 KiB, not {len(value.encode())} bytes.")


@behaviour(
    "SEC-024",
    _VERSION,
    Phase.CREATE,
    400,
    _REASON,
    "terraform-provider-google-beta services/secretmanager/resource_secret_manager_secret_version.go",
)
def secret_of_version(call: Call) -> Iterator[Problem]:
    """A version names its secret by the full name or the id alone."""
    name = call.text("secret")
    if name and not re.fullmatch(r"(?:projects/[^/]+/secrets/)?[A-Za-z0-9_-]+", name):
        yield Problem("secret", f"`secret` must be projects/PROJECT/secrets/NAME or NAME, not {name!r}.")
