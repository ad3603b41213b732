"""One queue of each delivery, with the table and the bucket that two of them write to."""

import json

import pulumi
import pulumi_gcp as gcp

config = pulumi.Config("gcp")
project = config.require("project")
agent = gcp.projects.ServiceIdentity("pubsub", service="pubsub.googleapis.com", project=project)
writer = agent.email.apply(lambda email: f"serviceAccount:{email}")
record = {"type": "record", "name": "Job", "fields": [{"name": "id", "type": "string"}]}
schema = gcp.pubsub.Schema("job", type="AVRO", definition=json.dumps(record))
topic = gcp.pubsub.Topic("jobs", schema_settings={"schema": schema.id, "encoding": "JSON"})
dead = gcp.pubsub.Topic("dead")
gcp.pubsub.Subscription("dead", topic=dead.id, expiration_policy={"ttl": ""})
gcp.pubsub.TopicIAMMember("dead", topic=dead.name, role="roles/pubsub.publisher", member=writer)

dataset = gcp.bigquery.Dataset("events", dataset_id="events", location="EU")
table = gcp.bigquery.Table(
    "jobs",
    dataset_id=dataset.dataset_id,
    table_id="jobs",
    schema=json.dumps([{"name": "id", "type": "STRING"}]),
    deletion_protection=False,
)
bucket = gcp.storage.Bucket("files", location="EUROPE-WEST1", force_destroy=True)
rows = [
    gcp.bigquery.IamMember(
        f"rows-{key}", dataset_id=dataset.dataset_id, table_id=table.table_id, role=role, member=writer
    )
    for key, role in {
        "editor": "roles/bigquery.dataEditor",
        "viewer": "roles/bigquery.metadataViewer",
    }.items()
]
files = [
    gcp.storage.BucketIAMMember(f"files-{key}", bucket=bucket.name, role=role, member=writer)
    for key, role in {
        "creator": "roles/storage.objectCreator",
        "reader": "roles/storage.legacyBucketReader",
    }.items()
]
common = {
    "topic": topic.id,
    "ack_deadline_seconds": 600,
    "expiration_policy": {"ttl": ""},
    "dead_letter_policy": {"dead_letter_topic": dead.id, "max_delivery_attempts": 5},
}
made = {
    "pull": gcp.pubsub.Subscription(
        "pull", enable_exactly_once_delivery=True, enable_message_ordering=True, **common
    ),
    "push": gcp.pubsub.Subscription(
        "push",
        push_config={"push_endpoint": "https://push.example/jobs"},
        filter="attributes:urgent",
        **common,
    ),
    "rows": gcp.pubsub.Subscription(
        "rows",
        bigquery_config={
            "table": pulumi.Output.concat(project, ".", dataset.dataset_id, ".", table.table_id),
            "use_topic_schema": True,
        },
        opts=pulumi.ResourceOptions(depends_on=rows),
        **common,
    ),
    "files": gcp.pubsub.Subscription(
        "files",
        cloud_storage_config={"bucket": bucket.name, "text_config": {}},
        opts=pulumi.ResourceOptions(depends_on=files),
        **common,
    ),
}
for key, subscription in made.items():
    gcp.pubsub.SubscriptionIAMMember(
        key, subscription=subscription.name, role="roles/pubsub.subscriber", member=writer
    )
pulumi.export("subscriptions", {key: one.name for key, one in made.items()})
