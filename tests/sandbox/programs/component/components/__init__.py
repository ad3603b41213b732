import pulumi
import pulumi_gcp as gcp

from facts import SUFFIX


class Bucket(pulumi.ComponentResource):
    """A bucket that tells a topic what happens in it."""

    url: pulumi.Output[str]

    def __init__(self, name: str, location: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("example:storage:Bucket", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        bucket = gcp.storage.Bucket(
            name, name=f"example-{name}-{SUFFIX}", location=location, force_destroy=True, opts=child
        )
        topic = gcp.pubsub.Topic(name, opts=child)
        account = gcp.storage.get_project_service_account()
        binding = gcp.pubsub.TopicIAMBinding(
            name,
            topic=topic.id,
            role="roles/pubsub.publisher",
            members=[f"serviceAccount:{account.email_address}"],
            opts=child,
        )
        gcp.storage.Notification(
            name,
            bucket=bucket.name,
            payload_format="JSON_API_V1",
            topic=topic.id,
            event_types=["OBJECT_FINALIZE"],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[binding]),
        )
        self.url = bucket.url
        self.register_outputs({"url": self.url})
