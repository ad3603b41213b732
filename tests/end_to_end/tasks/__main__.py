"""A task queue that sends everything to one service, and who may enqueue."""

import pulumi
import pulumi_gcp as gcp

from components.messaging.task_queue import Rate, Retries, Target, TaskQueue, TaskQueueArgs

PROJECT = pulumi.Config("gcp").require("project")

caller = gcp.serviceaccount.Account("caller", account_id="task-caller", project=PROJECT)
api = gcp.serviceaccount.Account("api", account_id="aiprod-api", project=PROJECT)
TaskQueue(
    "webhooks",
    TaskQueueArgs(
        project=PROJECT,
        queue_name="webhooks",
        location="europe-west1",
        rate=Rate(per_second=10),
        retries=Retries(attempts=5),
        target=Target(
            host="send.example.com",
            path="/webhooks",
            account=caller.email,
            audience="https://send.example.com",
        ),
        enqueuers={"api": api.member},
    ),
)
