"""Pub/Sub fan-out: one topic, many subscriptions, dead letters, in an asynchronous program."""

import pulumi
import pulumi_gcp as gcp
from consumers import CONSUMERS


async def main() -> dict[str, pulumi.Output[str] | list[pulumi.Output[str]]]:
    project = await gcp.organizations.get_project_output().future()
    assert project is not None
    agent = f"serviceAccount:service-{project.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
    topic = gcp.pubsub.Topic("orders", message_retention_duration="86400s")
    dead = gcp.pubsub.Topic("orders-dead")
    publish = gcp.pubsub.TopicIAMMember(
        "dead-publisher", topic=dead.name, role="roles/pubsub.publisher", member=agent
    )
    names: list[pulumi.Output[str]] = []
    for consumer, deadline in CONSUMERS.items():
        subscription = gcp.pubsub.Subscription(
            f"orders-{consumer}",
            topic=topic.id,
            ack_deadline_seconds=deadline,
            dead_letter_policy={"dead_letter_topic": dead.id, "max_delivery_attempts": 5},
            opts=pulumi.ResourceOptions(depends_on=[publish]),
        )
        gcp.pubsub.SubscriptionIAMMember(
            f"orders-{consumer}",
            subscription=subscription.name,
            role="roles/pubsub.subscriber",
            member=agent,
        )
        names.append(subscription.name)
    return {"topic": topic.name, "subscriptions": names}


pulumi.run(main)
