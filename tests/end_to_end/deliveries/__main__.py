"""A work queue of each delivery, with everything that two of them write to."""

import json
from typing import Any

import pulumi
import pulumi_gcp as gcp

from components.messaging.work_queue import (
    Avro,
    AvroFiles,
    BigQuery,
    Pull,
    Push,
    Schema,
    Storage,
    TopicColumns,
    Unwrapped,
    WorkQueue,
    WorkQueueArgs,
)

PROJECT = pulumi.Config("gcp").require("project")
REGION = "europe-west1"

agent = gcp.projects.ServiceIdentity("pubsub", service="pubsub.googleapis.com", project=PROJECT)
member = pulumi.Output.concat("serviceAccount:", agent.email)
caller = gcp.serviceaccount.Account("push", account_id="push-caller", project=PROJECT)
ring = gcp.kms.KeyRing("keys", name="keys", location=REGION, project=PROJECT)
key = gcp.kms.CryptoKey("pubsub", name="pubsub", key_ring=ring.id, rotation_period="7776000s")
encrypts = gcp.kms.CryptoKeyIAMMember(
    "pubsub", crypto_key_id=key.id, role="roles/cloudkms.cryptoKeyEncrypterDecrypter", member=member
)
dataset = gcp.bigquery.Dataset("events", dataset_id="events", location="EU", project=PROJECT)
table = gcp.bigquery.Table(
    "jobs",
    dataset_id=dataset.dataset_id,
    table_id="jobs",
    schema=json.dumps([{"name": "id", "type": "STRING"}]),
    deletion_protection=False,
    project=PROJECT,
)
bucket = gcp.storage.Bucket(
    "files", name=f"{PROJECT}-files", location=REGION.upper(), force_destroy=True, project=PROJECT
)
record = {"type": "record", "name": "Job", "fields": [{"name": "id", "type": "string"}]}
schema = Schema(definition=Avro(definition=json.dumps(record)), encoding="JSON")
queues: dict[str, dict[str, Any]] = {
    "pull": {
        "delivery": Pull(exactly_once=True, ordered=True),
        "filter": "attributes:urgent",
        "keep_acknowledged": True,
        "topic_retention_days": 7,
        "replayers": {"people": "group:people@example.com"},
    },
    "push": {
        "delivery": Push(
            endpoint="https://push.example/jobs",
            service_account=f"push-caller@{PROJECT}.iam.gserviceaccount.com",
            unwrapped=Unwrapped(),
        )
    },
    "rows": {
        "delivery": BigQuery(project=PROJECT, dataset="events", table="jobs", columns=TopicColumns()),
        "schema": schema,
    },
    "files": {
        "delivery": Storage(bucket=f"{PROJECT}-files", format=AvroFiles(topic_schema=True)),
        "schema": schema,
    },
}
for name, more in queues.items():
    WorkQueue(
        name,
        WorkQueueArgs(
            project=PROJECT,
            topic_name=f"topic-{name}",
            subscription_name=f"subscription-{name}",
            kms_key=key.id,
            persistence_regions=(REGION,),
            service_agent=member,
            labels={"system": "example"},
            deletion_protection=False,
            max_delivery_attempts=5,
            **more,
        ),
        pulumi.ResourceOptions(depends_on=[encrypts, table, bucket, caller]),
    )
