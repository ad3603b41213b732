"""What others change after a deployment: who owns which property, and how drift treats it.

Makes nothing. `OWNED` is the only place that says which properties a component ignores: a component asks
`ignored`, `docs/ownership.md` is generated from it, and a test changes each property in the sandbox and sees
an `up` without a step. `BESIDE` lists what changes without being a property that a program sets.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

__all__ = [
    "BESIDE",
    "DATABASE",
    "FUNCTION",
    "GENERATED_SECRET",
    "HTTP_SERVICE",
    "OWNED",
    "SECRET",
    "SECRET_VERSION",
    "SERVICE",
    "WORKER_POOL",
    "Beside",
    "Owned",
    "Owner",
    "Played",
    "ignored",
]

Owner: TypeAlias = Literal["Google", "rotator", "scaler", "schedule", "drill", "release"]

SECRET: Final = "gcp:secretmanager/secret:Secret"
SECRET_VERSION: Final = "gcp:secretmanager/secretVersion:SecretVersion"
DATABASE: Final = "gcp:sql/databaseInstance:DatabaseInstance"
CACHE: Final = "gcp:redis/instance:Instance"
KEY: Final = "gcp:kms/cryptoKey:CryptoKey"
SERVICE: Final = "gcp:cloudrunv2/service:Service"
# Components whose resources have an owner that others of the type have not.
FUNCTION: Final = "aiprod:compute:SourceFunction"
GENERATED_SECRET: Final = "aiprod:foundation:GeneratedSecret"
HTTP_SERVICE: Final = "aiprod:compute:HttpService"
WORKER_POOL: Final = "gcp:cloudrunv2/workerPool:WorkerPool"
JOB: Final = "gcp:cloudrunv2/job:Job"


@dataclass(frozen=True, kw_only=True, slots=True)
class Owned:
    """One property that Pulumi sets once and then leaves to its owner."""

    type: str
    # As `ignore_changes` takes it.
    property: str
    owner: Owner
    # What the owner does to it.
    change: str
    # What a drift report does with a difference.
    drift: str
    # Left to the owner only where the component is told that it is there (`scheduled`, `scaled`).
    told: bool = False
    # Left to the owner only where the component is told that a release owns it.
    released: Literal["image", "shares"] | None = None
    # The component whose resources it is about; empty means every one of that type.
    within: str = ""
    # A value that the owner may leave there; the test plays it.
    example: Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Played:
    """How the test plays a change beside the program on every resource of a type."""

    type: str
    # An output that gets the value of `example`; empty means that another resource of the type comes to be.
    output: str = ""
    example: Any = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Beside:
    """Something that changes and is no property a program sets, so that there is nothing to ignore."""

    what: str
    owner: Owner
    change: str
    why_no_step: str
    # What the test plays; a text says why it cannot.
    played: tuple[Played, ...] | str


OWNED: Final[tuple[Owned, ...]] = (
    Owned(
        type=SECRET,
        property="rotation.nextRotationTime",
        owner="Google",
        change="moves on by the period with each rotation message",
        drift="not reported",
        example="2099-12-31T00:00:00Z",
    ),
    Owned(
        type=SECRET,
        property="versionAliases",
        owner="rotator",
        change="points `current` at the version that was proven, back again on a rollback",
        drift="not reported; the age watch looks at versions itself",
        example={"current": "2"},
    ),
    Owned(
        type=SECRET_VERSION,
        property="enabled",
        owner="rotator",
        change="disables a generated first version once its successor serves; never destroys it",
        drift="not reported",
        within=GENERATED_SECRET,
        example=False,
    ),
    Owned(
        type=SERVICE,
        property="template.containers[0].image",
        owner="Google",
        change="writes the digest of what it built from source, anew with each base image",
        drift="not reported; the source in the archive is what is reviewed",
        within=FUNCTION,
        example="europe-docker.pkg.dev/p/functions/rotator@sha256:" + "0" * 64,
    ),
    Owned(
        type=DATABASE,
        property="settings.diskSize",
        owner="Google",
        change="grows the disk up to its limit; it never shrinks",
        drift="not reported; the disk alert watches the limit",
        example=250,
    ),
    Owned(
        type=DATABASE,
        property="settings.activationPolicy",
        owner="schedule",
        change="stops the instance outside office hours or by `make sleep`, and starts it again",
        drift="not reported where a schedule runs; reported where none does",
        told=True,
        example="NEVER",
    ),
    Owned(
        type=WORKER_POOL,
        property="scaling.manualInstanceCount",
        owner="scaler",
        change="sets the number of workers each minute; a schedule or `make sleep` sets it to 0",
        drift="not reported where the pool is scaled; reported where it is not",
        told=True,
        example=3,
    ),
    Owned(
        type=SERVICE,
        property="template.containers[0].image",
        owner="release",
        change="deploys another digest",
        drift="not reported where a workflow owns it; an `up` reads it first, for it sends it again",
        released="image",
        within=HTTP_SERVICE,
        example="europe-docker.pkg.dev/p/aiprod/api@sha256:" + "0" * 64,
    ),
    Owned(
        type=SERVICE,
        property="traffics",
        owner="release",
        change="moves shares from one revision to the next, or back",
        drift="not reported where a release owns it; an `up` reads it first, for it sends it again",
        released="shares",
        within=HTTP_SERVICE,
        example=[
            {
                "type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION",
                "revision": "aiprod-v33-api-2",
                "percent": 100,
            }
        ],
    ),
    Owned(
        type=WORKER_POOL,
        property="template.containers[0].image",
        owner="release",
        change="deploys another digest",
        drift="not reported where a workflow owns it; an `up` reads it first, for it sends it again",
        released="image",
        example="europe-docker.pkg.dev/p/aiprod/worker@sha256:" + "0" * 64,
    ),
    Owned(
        type=WORKER_POOL,
        property="instanceSplits",
        owner="release",
        change="moves instances from one revision to the next",
        drift="not reported where a workflow owns it; an `up` reads it first, for it sends it again",
        released="shares",
        example=[
            {"type": "INSTANCE_SPLIT_ALLOCATION_TYPE_REVISION", "revision": "aiprod-worker-2", "percent": 100}
        ],
    ),
)

BESIDE: Final[tuple[Beside, ...]] = (
    Beside(
        what="further versions of a secret",
        owner="rotator",
        change="adds one for each rotation; a vendor's key is added by an operator",
        why_no_step="the program makes a generated first version at most",
        played=(Played(type=SECRET_VERSION),),
    ),
    Beside(
        what="annotations of a secret",
        owner="rotator",
        change="keeps its lease, the end of the grace period and what is untold in them",
        why_no_step="the program sets no annotation, and a refresh takes over only those that it set",
        played=(
            Played(type=SECRET, output="effectiveAnnotations", example={"aiprod-lease": "a/2026-01-05"}),
        ),
    ),
    Beside(
        what="annotations of a service",
        owner="release",
        change="keeps its record in `release-walk`: stable and walked revision, whether the walk has ended",
        why_no_step="the program sets no annotation, and a refresh takes over only those that it set",
        played=(
            Played(
                type=SERVICE, output="effectiveAnnotations", example={"release-walk": '{"state":"walking"}'}
            ),
        ),
    ),
    Beside(
        what="passwords of database users",
        owner="rotator",
        change="sets a generated password of the user that is not in use",
        why_no_step="the password is write-only: Google never gives it back, so nothing is compared",
        played="no: the stand-in cloud keeps no password; `operations/rotation` is tested on PostgreSQL",
    ),
    Beside(
        what="primary versions of encryption keys",
        owner="Google",
        change="makes a new one at the end of each period; old ones stay enabled",
        why_no_step="the program sets the period, the version is an output",
        played=(Played(type=KEY, output="primaries", example=[{"name": "KEY/2", "state": "ENABLED"}]),),
    ),
    Beside(
        what="maintenance versions of database and cache",
        owner="Google",
        change="installs one in the maintenance window",
        why_no_step="the program sets the window, the version is an output",
        played=(
            Played(type=DATABASE, output="maintenanceVersion", example="POSTGRES_17_9.R20991231.01_00"),
            Played(type=CACHE, output="maintenanceVersion", example="20991231_00_00"),
        ),
    ),
    Beside(
        what="instances restored by a drill",
        owner="drill",
        change="makes one from a backup, checks it, deletes it",
        why_no_step="the instance has a name of its own and is in no stack",
        played=(Played(type=DATABASE),),
    ),
    Beside(
        what="executions of the job that migrates the schema",
        owner="release",
        change="starts one before what serves it changes",
        why_no_step="their number and the last of them are outputs",
        played=(Played(type=JOB, output="executionCount", example=3),),
    ),
    Beside(
        what="images and secret versions that run",
        owner="release",
        change="writes digests and version numbers into the stack file",
        why_no_step="the stack file is the program's input: it is a change with steps, by intention",
        played="no: `make diff` shows the steps of a release",
    ),
)


def ignored(type: str, *, told: bool = False, released: Collection[str] = (), within: str = "") -> list[str]:
    """The properties of a type, made by the component `within`, that their owner changes, for
    `ignore_changes`.
    """
    return [
        row.property
        for row in OWNED
        if row.type == type
        and (told or not row.told)
        and (row.released is None or row.released in released)
        and row.within in ("", within)
    ]
