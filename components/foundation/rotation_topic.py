"""Where Secret Manager says that a secret is due: a topic, and its agent's right to publish to it.

Makes the topic, the grant, and those of people who ask by hand. Secrets that rotate write
`depends_on=[this]`: Google sends a test message when such a secret is created and refuses it without the
grant. Makes no subscription and no rotator: those belong to whoever acts on the message. Costs next to
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_gcp as gcp

from facts.members import check_member, check_members
from facts.refusal import RefusedError

__all__ = ["RotationTopic", "RotationTopicArgs"]


@dataclass(frozen=True, kw_only=True, slots=True)
class RotationTopicArgs:
    """The topic."""

    project_id: pulumi.Input[str]
    # Encrypts the messages; its Pub/Sub grant must stand before.
    kms_key_id: pulumi.Input[str]
    # Secret Manager's agent, as an IAM member.
    secret_manager_agent: pulumi.Input[str]
    # Where messages may be stored.
    regions: tuple[str, ...]
    labels: Mapping[str, str]
    # Who may ask for a rotation or a rollback by hand. Key -> IAM member; the key names the grant.
    publishers: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])

    def __post_init__(self) -> None:
        check_member("secret_manager_agent", self.secret_manager_agent)
        check_members("publishers", self.publishers)
        if not self.regions:
            raise RefusedError("regions must name at least one region, got none; name where messages may lie")


class RotationTopic(pulumi.ComponentResource):
    """One topic for all rotating secrets of an environment."""

    topic_id: pulumi.Output[str]

    def __init__(
        self, name: str, args: RotationTopicArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("aiprod:foundation:RotationTopic", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        topic = gcp.pubsub.Topic(
            name,
            project=args.project_id,
            kms_key_name=args.kms_key_id,
            message_storage_policy={"allowed_persistence_regions": list(args.regions)},
            labels=dict(args.labels),
            opts=child,
        )
        gcp.pubsub.TopicIAMMember(
            f"{name}-agent",
            project=args.project_id,
            topic=topic.name,
            role="roles/pubsub.publisher",
            member=args.secret_manager_agent,
            opts=child,
        )
        for key, member in args.publishers.items():
            gcp.pubsub.TopicIAMMember(
                f"{name}-publisher-{key}",
                project=args.project_id,
                topic=topic.name,
                role="roles/pubsub.publisher",
                member=member,
                opts=child,
            )
        self.topic_id = topic.id
        self.register_outputs({"topic_id": self.topic_id})
