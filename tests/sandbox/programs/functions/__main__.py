"""Functions of both generations from one archive, called by a topic and over HTTPS."""

import pulumi
import pulumi_gcp as gcp
import pulumi_random as random

suffix = random.RandomId("suffix", byte_length=4, keepers={"v": "1"})
bucket = gcp.storage.Bucket(
    "src", name=suffix.hex.apply(lambda h: f"fn-src-{h}"), location="EU", uniform_bucket_level_access=True
)
obj = gcp.storage.BucketObject(
    "code",
    name="fn.zip",
    bucket=bucket.name,
    source=pulumi.AssetArchive(
        {
            "main.py": pulumi.FileAsset("source/main.py"),
            "requirements.txt": pulumi.StringAsset("functions-framework\n"),
        }
    ),
)
topic = gcp.pubsub.Topic("events")
fn = gcp.cloudfunctionsv2.Function(
    "fn",
    location="europe-west1",
    description="f",
    build_config={
        "runtime": "python312",
        "entry_point": "hello",
        "source": {"storage_source": {"bucket": bucket.name, "object": obj.name}},
    },
    service_config={
        "max_instance_count": 1,
        "available_memory": "256M",
        "timeout_seconds": 60,
        "environment_variables": {"TOPIC": topic.name},
    },
    event_trigger={
        "trigger_region": "europe-west1",
        "event_type": "google.cloud.pubsub.topic.v1.messagePublished",
        "pubsub_topic": topic.id,
        "retry_policy": "RETRY_POLICY_RETRY",
    },
)
http = gcp.cloudfunctionsv2.Function(
    "http",
    location="europe-west1",
    build_config=gcp.cloudfunctionsv2.FunctionBuildConfigArgs(
        runtime="python312",
        entry_point="hello",
        source=gcp.cloudfunctionsv2.FunctionBuildConfigSourceArgs(
            storage_source=gcp.cloudfunctionsv2.FunctionBuildConfigSourceStorageSourceArgs(
                bucket=bucket.name, object=obj.name
            )
        ),
    ),
    service_config={"available_memory": "256M"},
)
gcp.cloudrunv2.ServiceIamMember(
    "inv", name=http.name, location=http.location, role="roles/run.invoker", member="allUsers"
)
old = gcp.cloudfunctions.Function(
    "old",
    runtime="python310",
    entry_point="hello",
    trigger_http=True,
    source_archive_bucket=bucket.name,
    source_archive_object=obj.name,
    region="europe-west1",
)
gcp.cloudfunctions.FunctionIamMember(
    "oldinv",
    project=old.project,
    region=old.region,
    cloud_function=old.name,
    role="roles/cloudfunctions.invoker",
    member="allUsers",
)
pulumi.export("uri", http.service_config.uri)
pulumi.export("uri2", http.service_config.apply(lambda c: c.uri))
pulumi.export("url", http.url)
pulumi.export("old", old.https_trigger_url)
