"""Buckets from a list in the configuration, objects from files, changes ignored by wildcard."""

import pulumi
import pulumi_gcp as gcp

config = pulumi.Config()
buckets: list[dict[str, object]] = config.require_object("buckets")
prefix = config.require("prefix")
versioned = config.get_bool("versioned", False)
ratio = config.get_float("ratio") or 0.5

for entry in buckets:
    bucket = gcp.storage.Bucket(
        f"bucket-{entry['name']}",
        name=f"{prefix}-{entry['name']}",
        location=str(entry.get("location", "EU")),
        uniform_bucket_level_access=True,
        force_destroy=True,
        versioning={"enabled": versioned},
        lifecycle_rules=[
            {"action": {"type": "Delete"}, "condition": {"age": age}} for age in entry.get("ages", [])
        ],
        opts=pulumi.ResourceOptions(ignore_changes=["lifecycleRules[*].condition.age", "labels"]),
    )
    gcp.storage.BucketObject(
        f"readme-{entry['name']}",
        name="README.txt",
        bucket=bucket.name,
        source=pulumi.FileAsset("files/readme.txt"),
    )
    gcp.storage.BucketObject(
        f"index-{entry['name']}",
        name="index.html",
        bucket=bucket.name,
        source=pulumi.StringAsset("<p>Hello</p>"),
        content_type="text/html",
    )
    pulumi.export(f"url-{entry['name']}", bucket.url)
pulumi.log.info(f"{len(buckets)} buckets at {ratio}")
pulumi.warn("example only")
