"""The metrics collector beside the API, and what it reads where a release says it: a file in its region."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from components.compute.http_service import CollectorConfig, MetricsCollector
from components.data.bucket import Bucket, BucketArgs
from config import Settings
from config_release import Release
from naming import Names
from stacks.foundation import Foundation
from stacks.providers import Providers, after

__all__ = ["Collected", "collector"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Collected:
    """The collector of a region, and what must stand before it starts."""

    collector: MetricsCollector | None = None
    ready: tuple[pulumi.Resource, ...] = ()


def collector(
    settings: Settings,
    names: Names,
    providers: Providers,
    foundation: Foundation,
    release: Release,
    region: str,
) -> Collected:
    """None without an image. Its bucket is the region's own: a lost region must not stop the other one.

    The bucket stands beside the image, whatever the release says of a config: one that is taken back must not
    delete what instances of another revision read.
    """
    image = release.images.get("collector")
    if image is None:
        return Collected()
    keys = foundation.keys[region]
    bucket = Bucket(
        f"bucket-collector-{region}",
        BucketArgs(
            project=settings.project_id,
            bucket_name=names.bucket(f"collector-{region}"),
            location=region,
            kms_key=keys.key_ids["storage"],
            labels=names.labels("collector", "internal"),
            # Whoever looks for drift reads the file.
            readers=foundation.members("api")
            | ({"drift": names.drift_reader} if settings.deployed_by == "github" else {}),
            deletion_protection=settings.deletion_protection,
        ),
        after(providers.resources, keys),
    )
    if release.collector is None:
        return Collected(collector=MetricsCollector(image=image), ready=(bucket,))
    # Every document in JSON is one in YAML.
    text = json.dumps(release.collector.document, sort_keys=True, indent=1)
    folder = hashlib.sha256(text.encode()).hexdigest()[:16]
    file = gcp.storage.BucketObject(
        f"collector-config-{region}",
        bucket=bucket.name,
        name=f"{folder}/config.yaml",
        content=text,
        # A revision of before reads its own for as long as it has a share; a release that goes back uploads
        # the same text over it.
        opts=pulumi.ResourceOptions.merge(providers.resources, pulumi.ResourceOptions(retain_on_delete=True)),
    )
    return Collected(
        collector=MetricsCollector(image=image, config=CollectorConfig(bucket=bucket.name, folder=folder)),
        ready=(bucket, file),
    )
