"""The scenarios: each a sequence of programs that follow one another on the same stack.

Every name that Google would see is explicit or autonamed on purpose: the order of a replacement depends on
it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_gcp as gcp
import pulumi_random as random

Phase = Callable[[], None]


@dataclass(frozen=True)
class Refresh:
    """A refresh in place of an update."""


@dataclass(frozen=True)
class Behind:
    """A change at the cloud behind the engine's back: inputs of a resource, or None where it goes."""

    type: str
    id: str
    inputs: dict[str, Any] | None


TOPIC: Final = "gcp:pubsub/topic:Topic"
JOBS: Final = "projects/aiprod-test/topics/jobs"


class Pair(pulumi.ComponentResource):
    """A topic with a subscription, both children of the component."""

    def __init__(
        self,
        name: str,
        *,
        labels: dict[str, str] | None = None,
        filter: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("scenarios:index:Pair", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        topic = gcp.pubsub.Topic(name, labels=labels, opts=child)
        subscription = gcp.pubsub.Subscription(f"{name}-pull", topic=topic.id, filter=filter, opts=child)
        self.register_outputs({"topic": topic.id, "subscription": subscription.id})


def _provider(name: str = "gcp", project: str = "aiprod-test") -> gcp.Provider:
    return gcp.Provider(name, project=project, region="europe-west1")


def _with(provider: pulumi.ProviderResource, **options: object) -> pulumi.ResourceOptions:
    merged = pulumi.ResourceOptions(provider=provider)
    for key, value in options.items():
        setattr(merged, key, value)
    return merged


def _pair(*, labels: dict[str, str] | None = None, filter: str | None = None) -> Phase:
    def phase() -> None:
        options = pulumi.ResourceOptions(providers=[_provider()])
        Pair("jobs", labels=labels, filter=filter, opts=options)

    return phase


def _topic(**options: object) -> Phase:
    def phase() -> None:
        gcp.pubsub.Topic("jobs", labels={"a": "b"}, opts=_with(_provider(), **options))

    return phase


def _empty() -> None:
    _provider()


def _named_subscription(filter: str, **options: object) -> Phase:
    def phase() -> None:
        provider = _provider()
        topic = gcp.pubsub.Topic("jobs", name="jobs", opts=_with(provider))
        gcp.pubsub.Subscription(
            "pull", name="pull", topic=topic.id, filter=filter, opts=_with(provider, **options)
        )

    return phase


def _network(auto: bool, **options: object) -> Phase:
    def phase() -> None:
        provider = _provider()
        network = gcp.compute.Network(
            "net", name="net", auto_create_subnetworks=auto, opts=_with(provider, **options)
        )
        gcp.compute.Subnetwork(
            "sub",
            network=network.id,
            ip_cidr_range="10.0.0.0/24",
            region="europe-west1",
            opts=_with(provider),
        )

    return phase


def _aliased(parented: bool) -> Phase:
    def phase() -> None:
        provider = _provider()
        if not parented:
            gcp.pubsub.Topic("old", opts=_with(provider))
            return
        gcp.pubsub.Topic("new", opts=_with(provider, aliases=[pulumi.Alias(name="old")]))

    return phase


def _renamed_component(name: str, *former: str) -> Phase:
    def phase() -> None:
        aliases: list[str | pulumi.Alias] = [pulumi.Alias(name=item) for item in former]
        Pair(name, opts=pulumi.ResourceOptions(providers=[_provider()], aliases=aliases))

    return phase


def _account(display: str, ignore: list[str]) -> Phase:
    def phase() -> None:
        gcp.serviceaccount.Account(
            "runner",
            account_id="runner",
            display_name=display,
            opts=_with(_provider(), ignore_changes=ignore),
        )

    return phase


def _replace_on_label(label: str) -> Phase:
    def phase() -> None:
        gcp.pubsub.Topic("jobs", labels={"a": label}, opts=_with(_provider(), replace_on_changes=["labels"]))

    return phase


def _in_project(provider: str, project: str) -> Phase:
    def phase() -> None:
        gcp.pubsub.Topic("jobs", opts=_with(_provider(provider, project)))

    return phase


def _password(length: int) -> Phase:
    def phase() -> None:
        password = random.RandomPassword("db", length=length)
        pulumi.export("password", password.result)

    return phase


def _deleted_with(present: bool) -> Phase:
    def phase() -> None:
        provider = _provider()
        if present:
            topic = gcp.pubsub.Topic("jobs", opts=_with(provider))
            gcp.pubsub.Subscription("pull", topic=topic.id, opts=_with(provider, deleted_with=topic))

    return phase


def _trigger(value: str) -> Phase:
    def phase() -> None:
        gcp.pubsub.Topic("jobs", opts=_with(_provider(), replacement_trigger=value))

    return phase


def _named(label: str, **options: object) -> Phase:
    def phase() -> None:
        gcp.pubsub.Topic("jobs", name="jobs", labels={"a": label}, opts=_with(_provider(), **options))

    return phase


def _live(label: str | None) -> Behind:
    return Behind(TOPIC, JOBS, None if label is None else {"name": "jobs", "labels": {"a": label}})


def _fails_first(suffix: str) -> Phase:
    def phase() -> None:
        provider = _provider()
        topic = gcp.pubsub.Topic("jobs", name="jobs", opts=_with(provider))
        target = topic.id.apply(lambda found: f"{found}{suffix}")
        gcp.pubsub.Subscription("pull", name="pull", topic=target, opts=_with(provider))

    return phase


def _regional(first: str, second: str, label: str, **options: object) -> Phase:
    def phase() -> None:
        policy = gcp.pubsub.TopicMessageStoragePolicyArgs(allowed_persistence_regions=[first, second])
        labels = {"a": label, "b": "same"}
        gcp.pubsub.Topic(
            "jobs", labels=labels, message_storage_policy=policy, opts=_with(_provider(), **options)
        )

    return phase


def _depended_on(label: str) -> Phase:
    """Of a topic that is deleted first: one takes its name, one its labels' text, one only waits for it."""

    def phase() -> None:
        provider = _provider()
        again = {"replace_on_changes": ["labels.a"], "delete_before_replace": True}
        topic = gcp.pubsub.Topic("jobs", labels={"a": label}, opts=_with(provider, **again))
        gcp.pubsub.Subscription("pull", topic=topic.id, opts=_with(provider))
        gcp.pubsub.Topic("noted", labels={"of": topic.labels["a"]}, opts=_with(provider))
        gcp.pubsub.Topic("after", opts=_with(provider, depends_on=[topic]))

    return phase


def _together(label: str, option: str) -> Phase:
    def phase() -> None:
        provider = _provider()
        topic = gcp.pubsub.Topic(
            "jobs", labels={"a": label}, opts=_with(provider, replace_on_changes=["labels"])
        )
        value: object = [topic] if option == "replace_with" else topic
        gcp.pubsub.Topic("beside", opts=_with(provider, **{option: value}))

    return phase


class Group(pulumi.ComponentResource):
    """A component with one topic."""

    def __init__(self, type: str, name: str, opts: pulumi.ResourceOptions) -> None:
        super().__init__(type, name, None, opts)
        gcp.pubsub.Topic(name, opts=pulumi.ResourceOptions(parent=self))
        self.register_outputs({})


def _retyped(type: str, *former: str) -> Phase:
    def phase() -> None:
        aliases: list[str | pulumi.Alias] = [pulumi.Alias(type_=item) for item in former]
        Group(type, "jobs", pulumi.ResourceOptions(providers=[_provider()], aliases=aliases))

    return phase


def _moved(into: bool) -> Phase:
    def phase() -> None:
        provider = _provider()
        group = Group("scenarios:index:Group", "other", pulumi.ResourceOptions(providers=[provider]))
        options: dict[str, object] = {}
        if into:
            options = {"parent": group, "aliases": [pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE)]}
        gcp.pubsub.Topic("jobs", opts=_with(provider, **options))

    return phase


def _trigger_named(value: str) -> Phase:
    return _named("b", replacement_trigger=value)


def _labelled(label: str, **options: object) -> Phase:
    return lambda: _topic_of(label, options)


def _topic_of(label: str, options: dict[str, object]) -> None:
    merged: dict[str, object] = {"replace_on_changes": ["labels"], **options}
    gcp.pubsub.Topic("jobs", labels={"a": label}, opts=_with(_provider(), **merged))


_WEST, _NORTH, _SOUTH = "europe-west1", "europe-north1", "europe-southwest1"
_ANY_REGION = "messageStoragePolicy.allowedPersistenceRegions[*]"
_FIRST_REGION = "messageStoragePolicy.allowedPersistenceRegions[0]"

SCENARIOS: Final[dict[str, tuple[Phase | Refresh | Behind, ...]]] = {
    "create-then-same": (_pair(), _pair()),
    "update": (_pair(labels={"a": "b"}), _pair(labels={"a": "c"})),
    "replace-create-first": (_pair(filter='attributes.a = "1"'), _pair(filter='attributes.a = "2"')),
    "replace-delete-first": (
        _named_subscription('attributes.a = "1"'),
        _named_subscription('attributes.a = "2"'),
    ),
    "replace-cascades": (_network(auto=False), _network(auto=True)),
    "delete-before-replace-asked": (
        _pair(),
        _replace_on_label("1"),
        lambda: (
            gcp.pubsub.Topic(
                "jobs",
                labels={"a": "2"},
                opts=_with(_provider(), replace_on_changes=["labels"], delete_before_replace=True),
            )
            and None
        ),
    ),
    "replace-on-changes": (_replace_on_label("1"), _replace_on_label("2")),
    "alias-of-name": (_aliased(parented=False), _aliased(parented=True)),
    "alias-of-component": (_renamed_component("old"), _renamed_component("new", "old")),
    "ignore-changes": (_account("a", []), _account("b", ["displayName"]), _account("c", [])),
    "delete": (_pair(), _empty),
    "retain-on-delete": (_topic(retain_on_delete=True), _empty),
    "deleted-with": (_deleted_with(present=True), _deleted_with(present=False)),
    "provider-moves": (_in_project("one", "aiprod-test"), _in_project("two", "aiprod-other")),
    "provider-changes": (_in_project("one", "aiprod-test"), _in_project("one", "aiprod-other")),
    "password": (_password(20), _password(20), _password(24)),
    "replacement-trigger": (_trigger("1"), _trigger("1"), _trigger("2")),
    "protected": (_topic(protect=True), _topic(protect=True)),
    "protected-is-not-deleted": (_topic(protect=True), _empty, _topic(protect=True)),
    "refresh-finds-nothing": (_named("b"), Refresh(), _named("b")),
    "refresh-finds-drift": (_named("b"), _live("drifted"), Refresh(), _named("b")),
    "refresh-finds-it-gone": (_named("b"), _live(None), Refresh(), _named("b")),
    "import": (_live("b"), _named("b", import_=JOBS), _named("b", import_=JOBS), _named("b")),
    "import-that-differs": (_live("b"), _named("c", import_=JOBS), _named("c", import_=JOBS)),
    "failure-and-resume": (_fails_first("-missing"), _fails_first("")),
    "replace-on-changes-below": (
        _regional(_WEST, _NORTH, "1", replace_on_changes=[_ANY_REGION]),
        _regional(_WEST, _NORTH, "2", replace_on_changes=[_ANY_REGION]),
        _regional(_WEST, _SOUTH, "2", replace_on_changes=[_ANY_REGION]),
        _regional(_WEST, _SOUTH, "3", replace_on_changes=["labels.b"]),
        _regional(_WEST, _SOUTH, "4", replace_on_changes=["*"]),
    ),
    "ignore-changes-below": (
        _regional(_WEST, _NORTH, "1"),
        _regional(_WEST, _NORTH, "2", ignore_changes=["labels.a"]),
        _regional(_SOUTH, _NORTH, "2", ignore_changes=["labels.a", _FIRST_REGION]),
        _regional(_SOUTH, _WEST, "2", ignore_changes=['labels["a"]', _FIRST_REGION]),
    ),
    "delete-first-through-properties": (_depended_on("1"), _depended_on("2")),
    "deleted-with-what-is-replaced": (_together("1", "deleted_with"), _together("2", "deleted_with")),
    "replace-with": (_together("1", "replace_with"), _together("2", "replace_with")),
    "retained-when-replaced": (_labelled("1", retain_on_delete=True), _labelled("2", retain_on_delete=True)),
    "protected-is-not-replaced": (
        _labelled("1", protect=True),
        _labelled("2", protect=True),
        _labelled("2"),
    ),
    "alias-of-type": (
        _retyped("scenarios:index:Old"),
        _retyped("scenarios:index:New", "scenarios:index:Old"),
    ),
    "alias-of-parent": (_moved(into=False), _moved(into=True)),
    "trigger-appears-and-goes": (_named("b"), _trigger_named("1"), _trigger_named("2"), _named("b")),
}
