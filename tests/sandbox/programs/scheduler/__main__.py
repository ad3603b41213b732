"""A job that publishes a message every night."""

import base64

import pulumi
import pulumi_gcp as gcp

topic = gcp.pubsub.Topic("nightly")
job = gcp.cloudscheduler.Job(
    "nightly",
    region="europe-west1",
    schedule="0 3 * * *",
    time_zone="Europe/Paris",
    pubsub_target=gcp.cloudscheduler.JobPubsubTargetArgs(
        topic_name=topic.id, data=base64.b64encode(b"start").decode()
    ),
)
pulumi.export("job", job.name)
