"""Keys: their form, and what it takes to encrypt with a key of one's own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from facts.google.service_agents import agent_email
from sandbox.cloud.behaviours.grants import granted
from sandbox.cloud.behaviours.table import Call, Phase, Problem, behaviour
from sandbox.cloud.paths import canonical

_KEY: Final = "gcp:kms/cryptoKey:CryptoKey"
_ENCRYPTERS: Final = frozenset({"roles/cloudkms.cryptoKeyEncrypterDecrypter"})
_BOTH: Final = (Phase.CREATE, Phase.UPDATE)


class _Consumer(NamedTuple):
    """A type that takes a key: where, for which agent, and how Google refuses a missing grant."""

    path: str
    agent: str
    block: str = ""


_CONSUMERS: Final[dict[str, _Consumer]] = {
    "gcp:artifactregistry/repository:Repository": _Consumer("kmsKeyName", "artifactregistry"),
    "gcp:bigquery/dataset:Dataset": _Consumer("defaultEncryptionConfiguration.kmsKeyName", "bigquery"),
    "gcp:cloudrunv2/job:Job": _Consumer("template.template.encryptionKey", "run"),
    "gcp:cloudrunv2/service:Service": _Consumer("template.encryptionKey", "run"),
    "gcp:cloudrunv2/workerPool:WorkerPool": _Consumer("template.encryptionKey", "run"),
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": _Consumer("cmekSettings.kmsKeyName", "logging"),
    "gcp:memorystore/instance:Instance": _Consumer("kmsKey", "memorystore"),
    "gcp:pubsub/topic:Topic": _Consumer("kmsKeyName", "pubsub"),
    "gcp:redis/instance:Instance": _Consumer("customerManagedKey", "redis"),
    "gcp:secretmanager/secret:Secret": _Consumer(
        "customerManagedEncryption.kmsKeyName", "secretmanager", "replication.userManaged.replicas"
    ),
    "gcp:sql/databaseInstance:DatabaseInstance": _Consumer("encryptionKeyName", "sqladmin"),
    "gcp:storage/bucket:Bucket": _Consumer("encryption.defaultKmsKeyName", "storage"),
}
_FORBIDDEN: Final = tuple(
    type
    for type, consumer in _CONSUMERS.items()
    if consumer.agent in {"run", "redis", "memorystore", "storage"}
)
_PRECONDITION: Final = tuple(type for type in _CONSUMERS if type not in _FORBIDDEN)


def _agent(call: Call, service: str) -> str:
    number = call.number
    own = {
        "storage": f"service-{number}@gs-project-accounts.iam.gserviceaccount.com",
        "bigquery": f"bq-{number}@bigquery-encryption.iam.gserviceaccount.com",
        "logging": f"cmek-p{number}@gcp-sa-logging.iam.gserviceaccount.com",
    }
    return own.get(service) or agent_email(service, number) or ""


def _keys(call: Call) -> Iterator[tuple[str, str]]:
    consumer = _CONSUMERS[call.type]
    if not consumer.block:
        key = call.text(consumer.path)
        if key:
            yield consumer.path, canonical(key)
        return
    for index, _ in enumerate(call.blocks(consumer.block)):
        where = f"{consumer.block}[{index}].{consumer.path}"
        key = call.text(where)
        if key:
            yield where, canonical(key)


def _ungranted(call: Call) -> Iterator[Problem]:
    agent = _agent(call, _CONSUMERS[call.type].agent)
    for where, key in _keys(call):
        if not key.startswith(f"projects/{call.project}/") or call.world.at(key) is None:
            continue
        if not granted(call.world, key, _ENCRYPTERS, agent, call.project):
            yield Problem(
                where,
                f"`{where}`: the service agent {agent} may not use {key}; grant it "
                "roles/cloudkms.cryptoKeyEncrypterDecrypter on the key and depend on that grant.",
            )


@behaviour("KMS-020", _PRECONDITION, _BOTH, 400, "FAILED_PRECONDITION", "google-cloud.md 0.2")
def agent_without_key(call: Call) -> Iterator[Problem]:
    """The service agent of the consumer may not use the key."""
    yield from _ungranted(call)


@behaviour("KMS-022", _FORBIDDEN, _BOTH, 403, "PERMISSION_DENIED", "google-cloud.md 0.2")
def agent_forbidden_key(call: Call) -> Iterator[Problem]:
    """The service agent of the consumer may not use the key (products that answer 403)."""
    yield from _ungranted(call)


_REGIONAL: Final = (
    "gcp:artifactregistry/repository:Repository",
    "gcp:cloudrunv2/job:Job",
    "gcp:cloudrunv2/service:Service",
    "gcp:cloudrunv2/workerPool:WorkerPool",
    "gcp:memorystore/instance:Instance",
    "gcp:redis/instance:Instance",
    "gcp:sql/databaseInstance:DatabaseInstance",
)


@behaviour(
    "KMS-012",
    _REGIONAL,
    _BOTH,
    400,
    "INVALID_ARGUMENT",
    "terraform-provider-google-beta website/docs/r/sql_database_instance",
)
def key_elsewhere(call: Call) -> Iterator[Problem]:
    """The key is in another region than what it shall encrypt."""
    for where, key in _keys(call):
        location = key.split("/")[3] if key.count("/") >= 7 else ""
        if location and call.location and location != call.location.lower():
            yield Problem(where, f"`{where}` must be a key in {call.location}, not one in {location}.")


@behaviour(
    "KMS-015",
    "gcp:secretmanager/secret:Secret",
    _BOTH,
    400,
    "INVALID_ARGUMENT",
    "google-cloud.md SEC-2.1, SEC-2.2",
)
def replica_key_elsewhere(call: Call) -> Iterator[Problem]:
    """A replica's key is in another location than the replica."""
    for index, replica in enumerate(call.blocks("replication.userManaged.replicas")):
        where = f"replication.userManaged.replicas[{index}].customerManagedEncryption.kmsKeyName"
        key = canonical(call.text(where))
        location = key.split("/")[3] if key.count("/") >= 7 else ""
        if location and location != replica.get("location"):
            yield Problem(
                where, f"`{where}` must be a key in {replica.get('location')}, not one in {location}."
            )


@behaviour(
    "KMS-014", "gcp:secretmanager/secret:Secret", _BOTH, 400, "INVALID_ARGUMENT", "google-cloud.md SEC-2.2"
)
def automatic_key_global(call: Call) -> Iterator[Problem]:
    """Automatic replication takes a global key only."""
    where = "replication.auto.customerManagedEncryption.kmsKeyName"
    key = canonical(call.text(where))
    if key.count("/") >= 7 and key.split("/")[3] != "global":
        yield Problem(where, f"`{where}` must be a key in global, not one in {key.split('/')[3]}.")


@behaviour(
    "KMS-005",
    _KEY,
    Phase.CHECK,
    400,
    "INVALID_ARGUMENT",
    "terraform-provider-google-beta google-beta/services/kms/kms_utils.go",
)
def rotation_period(call: Call) -> Iterator[Problem]:
    """A rotation period under a day, or not a duration."""
    period = call.text("rotationPeriod")
    if not period:
        return
    match = re.fullmatch(r"(\d+(?:\.\d{1,9})?)s", period)
    if match is None or float(match[1]) < 86400:
        yield Problem(
            "rotationPeriod",
            f"`rotationPeriod` must be a number of seconds with an s, from 86400s, not {period!r}.",
        )


@behaviour("KMS-007", _KEY, _BOTH, 400, "INVALID_ARGUMENT", "general knowledge of Cloud KMS")
def rotation_of_other_purpose(call: Call) -> Iterator[Problem]:
    """Only keys that encrypt and decrypt rotate by themselves."""
    purpose = call.text("purpose") or "ENCRYPT_DECRYPT"
    if call.text("rotationPeriod") and purpose != "ENCRYPT_DECRYPT":
        yield Problem("rotationPeriod", f"`rotationPeriod` needs the purpose ENCRYPT_DECRYPT, not {purpose}.")


@behaviour(
    "KMS-010",
    ("gcp:kms/keyRing:KeyRing", _KEY),
    _BOTH,
    400,
    "INVALID_ARGUMENT",
    "general knowledge of Cloud KMS",
)
def key_name(call: Call) -> Iterator[Problem]:
    """A name outside Google's form."""
    name = call.text("name")
    if not re.fullmatch(r"[a-zA-Z0-9_-]{1,63}", name):
        yield Problem(
            "name", f"`name` must be 1 to 63 letters, digits, underscores and dashes, not {name!r}."
        )


_ALGORITHMS: Final = {
    "ENCRYPT_DECRYPT": r"(?:GOOGLE|EXTERNAL)_SYMMETRIC_ENCRYPTION",
    "RAW_ENCRYPT_DECRYPT": r"AES_(?:128|256)_(?:GCM|CBC|CTR)",
    "ASYMMETRIC_SIGN": r"(?:RSA_SIGN|EC_SIGN|PQ_SIGN)_\w+",
    "ASYMMETRIC_DECRYPT": r"RSA_DECRYPT_OAEP_\w+",
    "MAC": r"HMAC_SHA\d+",
    "KEY_ENCAPSULATION": r"(?:ML_KEM_\d+|KEM_XWING)",
}


@behaviour(
    "KMS-008",
    _KEY,
    _BOTH,
    400,
    "INVALID_ARGUMENT",
    "Google Cloud documentation: KMS, key purposes and algorithms",
)
def algorithm_of_purpose(call: Call) -> Iterator[Problem]:
    """An algorithm that does not fit the key's purpose."""
    where, purpose = "versionTemplate.algorithm", call.text("purpose") or "ENCRYPT_DECRYPT"
    algorithm, form = call.text(where), _ALGORITHMS.get(purpose)
    if algorithm and form is not None and not re.fullmatch(form, algorithm):
        yield Problem(
            where, f"`{where}` {algorithm} is not for the purpose {purpose}; choose one of that purpose."
        )


# Regions, countries (ca), and numbered multi-regions (eur4, nam6) by their form: Google adds some.
_LOCATION: Final = re.compile(
    r"global|europe|asia|(?!eu$)[a-z]{2}|(?:asia|eur|nam)\d{1,2}|nam-eur-asia\d|[a-z]+-[a-z]+\d{1,2}"
)


@behaviour(
    "KMS-011",
    "gcp:kms/keyRing:KeyRing",
    Phase.CREATE,
    400,
    "INVALID_ARGUMENT",
    "Google Cloud documentation: KMS, locations",
)
def key_location(call: Call) -> Iterator[Problem]:
    """A location that Cloud KMS does not have: a zone, or a multi-region under another product's name."""
    location = call.text("location")
    if not _LOCATION.fullmatch(location):
        wanted = "europe" if location.lower() == "eu" else "a region, or one of global, us, europe and asia"
        yield Problem("location", f"`location` must be {wanted}, not {location!r}.")
