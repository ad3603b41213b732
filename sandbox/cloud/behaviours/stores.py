"""Log buckets, sinks and metrics, buckets and repositories: settings that exclude or need each other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from sandbox.cloud.behaviours.table import Call, Phase, Problem, behaviour
from sandbox.cloud.data import as_list, as_map, at, plain

_LOG_BUCKET: Final = "gcp:logging/projectBucketConfig:ProjectBucketConfig"
_LINK: Final = "gcp:logging/linkedDataset:LinkedDataset"
_SINK: Final = "gcp:logging/projectSink:ProjectSink"
_METRIC: Final = "gcp:logging/metric:Metric"
_BUCKET: Final = "gcp:storage/bucket:Bucket"
_REPOSITORY: Final = "gcp:artifactregistry/repository:Repository"
_BOTH: Final = (Phase.CREATE, Phase.UPDATE)
_REASON: Final = "INVALID_ARGUMENT"
_REPOSITORY_DOCS: Final = "terraform-provider-google-beta website/docs/r/artifact_registry_repository"


@behaviour("LOG-005", _LOG_BUCKET, _BOTH, 400, _REASON, "hashicorp/terraform-provider-google#14588")
def required_bucket(call: Call) -> Iterator[Problem]:
    """The bucket _Required cannot be changed."""
    changed = call.phase is Phase.UPDATE or call.get("retentionDays") not in {None, 400}
    if call.text("bucketId") == "_Required" and changed:
        yield Problem(
            "bucketId", "`bucketId` cannot be _Required: it never changes; use a bucket and a sink."
        )


@behaviour("LOG-011", _LOG_BUCKET, Phase.CREATE, 400, _REASON, "general knowledge of Cloud Logging CMEK")
def key_place(call: Call) -> Iterator[Problem]:
    """A key in another region than the bucket."""
    path = "cmekSettings.kmsKeyName"
    place = re.search(r"/locations/([^/]+)/", call.text(path))
    if place is not None and (place[1] != call.location or place[1] == "global"):
        yield Problem(path, f"`{path}` is in {place[1]}, the bucket in {call.location}; use one region.")


@behaviour(
    "LOG-018", _LOG_BUCKET, Phase.DELETE, 400, "FAILED_PRECONDITION", "general knowledge of log buckets"
)
def linked(call: Call) -> Iterator[Problem]:
    """A bucket with a linked dataset is not deleted."""
    for record in call.world.find(_LINK):
        bucket = str(plain(record.inputs).get("bucket") or "")
        if call.id == bucket or bucket == call.text("bucketId") or record.id.startswith(f"{call.id}/"):
            yield Problem("", f"{call.id} has the linked dataset {record.id}; delete that first.")


@behaviour(
    "LOG-023",
    _SINK,
    Phase.CREATE,
    400,
    _REASON,
    "terraform-provider-google-beta website/docs/r/logging_project_sink",
)
def unique_writer(call: Call) -> Iterator[Problem]:
    """The shared writer with another project, or with options of BigQuery."""
    if call.get("uniqueWriterIdentity") is not False:
        return
    place = re.search(r"/projects/([^/]+)", call.text("destination"))
    elsewhere = place is not None and place[1] not in {call.project, call.number}
    if elsewhere or call.get("bigqueryOptions"):
        yield Problem(
            "uniqueWriterIdentity", "`uniqueWriterIdentity` must be true for that destination; set it."
        )


@behaviour(
    "LOG-033", _METRIC, _BOTH, 400, _REASON, "terraform-provider-google-beta website/docs/r/logging_metric"
)
def buckets(call: Call) -> Iterator[Problem]:
    """Bounds that do not grow, or a number of buckets, width or scale of nothing."""
    path = "bucketOptions.explicitBuckets.bounds"
    bounds = [item for item in as_list(call.get(path)) or [] if isinstance(item, int | float)]
    if any(second <= first for first, second in pairwise(bounds)):
        yield Problem(path, f"`{path}` must grow from one to the next; sort them and remove doubles.")
    for name, low in (
        ("linearBuckets.numFiniteBuckets", 0),
        ("linearBuckets.width", 0),
        ("exponentialBuckets.numFiniteBuckets", 0),
        ("exponentialBuckets.scale", 0),
        ("exponentialBuckets.growthFactor", 1),
    ):
        value = call.get(f"bucketOptions.{name}")
        if isinstance(value, int | float) and value <= low:
            where = f"bucketOptions.{name}"
            yield Problem(where, f"`{where}` must be above {low}, not {value}; choose a greater one.")


@behaviour("LOG-035", _METRIC, Phase.UPDATE, 400, _REASON, "general knowledge of log-based metrics")
def metric_kind(call: Call) -> Iterator[Problem]:
    """The kind and the type of a metric, and the types of its labels, stay."""
    for name in ("metricKind", "valueType"):
        path = f"metricDescriptor.{name}"
        old, new = at(call.old_inputs, path), call.get(path)
        if old and new and old != new:
            yield Problem(path, f"`{path}` cannot change from {old} to {new}; make a metric of another name.")
    old_labels = {
        at(item, "key"): at(item, "valueType") or "STRING"
        for item in as_list(at(call.old_inputs, "metricDescriptor.labels")) or []
    }
    for index, item in enumerate(call.blocks("metricDescriptor.labels")):
        kind = item.get("valueType") or "STRING"
        if old_labels.get(item.get("key"), kind) != kind:
            path = f"metricDescriptor.labels[{index}].valueType"
            yield Problem(path, f"`{path}` of a label cannot change; give the label another name.")


@behaviour("LOG-037", _LOG_BUCKET, Phase.UPDATE, 400, _REASON, "hashicorp/terraform-provider-google#14193")
def key_and_analytics(call: Call) -> Iterator[Problem]:
    """A key is not added to a bucket with analytics."""
    before = call.old_inputs.get("cmekSettings")
    if call.get("cmekSettings") and not before and call.old_inputs.get("enableAnalytics") is True:
        yield Problem("cmekSettings", "`cmekSettings` cannot be added with analytics; make a new bucket.")


@behaviour(
    "GCS-012", _BUCKET, Phase.CHECK, 400, "invalid", "google-beta/services/storage/resource_storage_bucket"
)
def lifecycle(call: Call) -> Iterator[Problem]:
    """A lifecycle rule without a condition."""
    for index, rule in enumerate(call.blocks("lifecycleRules")):
        condition = as_map(rule.get("condition"))
        if condition is not None and not set(condition) - {"__defaults"}:
            path = f"lifecycleRules[{index}].condition"
            yield Problem(path, f"`{path}` must hold at least one condition; set age or another.")


_COLDNESS: Final = {
    name: degree for degree, name in enumerate(("STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE"))
}


@behaviour("GCS-013", _BUCKET, _BOTH, 400, "invalid", "general knowledge of Cloud Storage")
def warmer(call: Call) -> Iterator[Problem]:
    """A lifecycle rule that makes objects warmer."""
    for index, rule in enumerate(call.blocks("lifecycleRules")):
        target = _COLDNESS.get(str(at(rule, "action.storageClass")))
        for name in as_list(at(rule, "condition.matchesStorageClasses")) or []:
            if target is not None and _COLDNESS.get(str(name), -1) > target:
                path = f"lifecycleRules[{index}].action.storageClass"
                yield Problem(path, f"`{path}` must be colder than {name}; choose a colder one.")


@behaviour(
    "GCS-021", _BUCKET, _BOTH, 400, "invalid", "terraform-provider-google-beta website/docs/r/storage_bucket"
)
def ip_filter(call: Call) -> Iterator[Problem]:
    """An address filter that is taken away, or that does not say whether service agents may pass."""
    if call.phase is Phase.UPDATE and call.old_inputs.get("ipFilter") and call.absent("ipFilter"):
        yield Problem("ipFilter", "`ipFilter` cannot be removed; set its mode to Disabled.")
    path = "ipFilter.allowAllServiceAgentAccess"
    if call.text("ipFilter.mode") == "Enabled" and call.absent(path):
        yield Problem(path, f"`{path}` is needed with the mode Enabled; set it.")


@behaviour("ART-003", _REPOSITORY, Phase.CREATE, 400, _REASON, _REPOSITORY_DOCS)
def mode_block(call: Call) -> Iterator[Problem]:
    """A remote or virtual repository without its configuration."""
    needed = {
        "REMOTE_REPOSITORY": "remoteRepositoryConfig",
        "VIRTUAL_REPOSITORY": "virtualRepositoryConfig",
    }.get(call.text("mode"))
    if needed is not None and call.absent(needed):
        yield Problem(needed, f"`{needed}` is needed with the mode {call.text('mode')}; set it.")


@behaviour("ART-004", _REPOSITORY, _BOTH, 400, _REASON, _REPOSITORY_DOCS)
def upstreams(call: Call) -> Iterator[Problem]:
    """Upstreams of a repository that is not virtual."""
    mode = call.get("mode") or "STANDARD_REPOSITORY"
    path = "virtualRepositoryConfig"
    if call.get(path) and mode != "VIRTUAL_REPOSITORY":
        yield Problem(path, f"`{path}` needs the mode VIRTUAL_REPOSITORY, not {mode}; remove it.")


@behaviour("ART-005", _REPOSITORY, Phase.CREATE, 400, _REASON, "general knowledge of Artifact Registry")
def upstream(call: Call) -> Iterator[Problem]:
    """An upstream of another place or format, or that does not exist."""
    for index, policy in enumerate(call.blocks("virtualRepositoryConfig.upstreamPolicies")):
        name = str(policy.get("repository") or "")
        path = f"virtualRepositoryConfig.upstreamPolicies[{index}].repository"
        found = call.world.at(name)
        if not name.startswith(f"projects/{call.project}/"):
            continue
        if found is None:
            yield Problem(path, f"`{path}`: {name} does not exist; create it first.")
        elif f"/locations/{call.location}/" not in name or found.inputs.get("format") != call.get("format"):
            yield Problem(path, f"`{path}` must be of the same location and format as this one, not {name}.")


@behaviour("ART-008", _REPOSITORY, _BOTH, 400, _REASON, _REPOSITORY_DOCS)
def cleanup(call: Call) -> Iterator[Problem]:
    """A cleanup policy that does not have exactly one of its two forms."""
    for index, policy in enumerate(call.blocks("cleanupPolicies")):
        if (policy.get("condition") is None) == (policy.get("mostRecentVersions") is None):
            path = f"cleanupPolicies[{index}].condition"
            yield Problem(path, f"`{path}` or mostRecentVersions must be given, exactly one of the two.")


@behaviour("ART-011", _REPOSITORY, Phase.CREATE, 400, _REASON, "general knowledge of Artifact Registry")
def format_block(call: Call) -> Iterator[Problem]:
    """The configuration of another format."""
    for path, kind in (("dockerConfig", "DOCKER"), ("mavenConfig", "MAVEN")):
        if call.get(path) and call.text("format") not in {"", kind}:
            yield Problem(path, f"`{path}` needs the format {kind}, not {call.text('format')}; remove it.")
