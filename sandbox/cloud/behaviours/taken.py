"""Names that are taken, by a live object or by one that Google still remembers after its deletion."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from sandbox.cloud.behaviours.table import Call, Phase, Problem, behaviour
from sandbox.cloud.data import plain
from sandbox.cloud.remembered import REMEMBERED

_SQL: Final = "gcp:sql/databaseInstance:DatabaseInstance"
_POOL: Final = "gcp:iam/workloadIdentityPool:WorkloadIdentityPool"
_PROVIDER: Final = "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider"
_LOG_BUCKET: Final = "gcp:logging/projectBucketConfig:ProjectBucketConfig"

_PRECONDITION: Final = "FAILED_PRECONDITION"

_LIVE: Final[tuple[tuple[str, str, str], ...]] = (
    ("ART-001", "gcp:artifactregistry/repository:Repository", "general knowledge of Artifact Registry"),
    ("GCS-002", "gcp:storage/bucket:Bucket", "general knowledge of Cloud Storage"),
    ("IAM-009", "gcp:serviceaccount/account:Account", "hashicorp/terraform-provider-google, account exists"),
    ("KMS-002", "gcp:kms/cryptoKey:CryptoKey", "hashicorp/terraform-provider-google, CryptoKey exists"),
    ("LOG-026", "gcp:logging/projectSink:ProjectSink", "general knowledge of Cloud Logging"),
    ("SEC-012", "gcp:secretmanager/secret:Secret", "hashicorp/terraform-provider-google, secret exists"),
    ("SQL-076", _SQL, "hashicorp/terraform-provider-google, instance left behind by a failed creation"),
    ("SQL-073", "gcp:sql/database:Database", "general knowledge of Cloud SQL"),
    ("PUB-034", "gcp:pubsub/subscription:Subscription", "general knowledge of Pub/Sub"),
)


def _live(call: Call) -> Iterator[Problem]:
    if call.world.get(call.type, call.id) is not None:
        yield Problem(
            "name", f"{call.id} already exists; give it another name, import it, or delete the old one first."
        )


for _id, _type, _source in _LIVE:
    behaviour(
        _id,
        _type,
        Phase.CREATE,
        409,
        "ALREADY_EXISTS",
        _source,
        title=f"{_type.rsplit(':', 1)[-1]}: one of this name exists.",
    )(_live)

_GONE: Final[tuple[tuple[str, str, int, str, str, str], ...]] = (
    (
        "LOG-006",
        _LOG_BUCKET,
        400,
        _PRECONDITION,
        "general knowledge of Cloud Logging",
        "undelete it with `gcloud logging buckets undelete` and import it, or choose another bucketId",
    ),
    (
        "WIF-003",
        _POOL,
        409,
        "ALREADY_EXISTS",
        "hashicorp/terraform-provider-google, deleted pool",
        "undelete it with `gcloud iam workload-identity-pools undelete` and import it, or choose another id",
    ),
    (
        "WIF-004",
        _PROVIDER,
        409,
        "ALREADY_EXISTS",
        "Google Cloud documentation: workload identity federation, deleted providers",
        "undelete it with `gcloud iam workload-identity-pools providers undelete`, or choose another id",
    ),
    (
        "QTA-016",
        "gcp:organizations/project:Project",
        409,
        "ALREADY_EXISTS",
        "general knowledge of Resource Manager",
        "choose another projectId",
    ),
    (
        "TSK-001",
        "gcp:cloudtasks/queue:Queue",
        400,
        _PRECONDITION,
        "hashicorp/terraform-provider-google, queue existed recently",
        "choose another name",
    ),
    (
        "IAM-036",
        "gcp:projects/apiKey:ApiKey",
        409,
        "ALREADY_EXISTS",
        "general knowledge of API keys",
        "choose another name",
    ),
)


def _gone(remedy: str) -> Callable[[Call], Iterator[Problem]]:
    def rule(call: Call) -> Iterator[Problem]:
        kept = call.world.remembered(call.type, call.id)
        if kept is not None:
            yield Problem("name", f"{call.id} was deleted and {kept.leftover}; {remedy}.")

    return rule


for _id, _type, _status, _reason, _source, _remedy in _GONE:
    behaviour(
        _id,
        _type,
        Phase.CREATE,
        _status,
        _reason,
        _source,
        title=f"{_type.rsplit(':', 1)[-1]}: {REMEMBERED[_type]}.",
    )(_gone(_remedy))


@behaviour(
    "SQL-072",
    "gcp:sql/user:User",
    Phase.CREATE,
    409,
    "ALREADY_EXISTS",
    "general knowledge of Cloud SQL users",
)
def user_taken(call: Call) -> Iterator[Problem]:
    """A user of this name exists on the instance."""
    for record in call.world.find(call.type):
        inputs = plain(record.inputs)
        if (inputs.get("name"), inputs.get("instance")) == (call.get("name"), call.get("instance")):
            yield Problem("name", f"`name`: {call.text('name')} exists on this instance; import it instead.")
