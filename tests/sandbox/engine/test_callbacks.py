"""Transforms and resource hooks: functions of the program that the engine calls back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pulumi
import pulumi_gcp as gcp
import pulumi_random as random
import pytest
from pulumi.runtime import stack as pulumi_stack

from sandbox.cloud import World
from sandbox.host import run
from sandbox.model import Mode, Outcome, Snapshot
from sandbox.project import StackSettings
from sandbox.state import PassphraseCrypter, snapshot_from_json, snapshot_to_json
from sandbox.values import UNKNOWN, Secret

_CONFIG = StackSettings(values={"gcp:project": "aiprod-test", "gcp:region": "europe-west1"})
_CRYPTER = PassphraseCrypter("test")


class Stack:
    """One stack from run to run."""

    def __init__(self) -> None:
        self.snapshot = Snapshot()
        self.world = World()

    def run(self, program: Callable[[], None], mode: Mode = Mode.UPDATE) -> Outcome:
        outcome = run(
            program,
            stack="dev",
            project="tests",
            config=_CONFIG,
            snapshot=self.snapshot,
            world=self.world,
            mode=mode,
        )
        document = snapshot_to_json(outcome.snapshot, _CRYPTER)
        self.snapshot = snapshot_from_json(document, "state", _CRYPTER)
        return outcome

    def fine(self, program: Callable[[], None], mode: Mode = Mode.UPDATE) -> Outcome:
        outcome = self.run(program, mode)
        assert outcome.refusals == []
        return outcome


def inputs(outcome: Outcome, name: str) -> dict[str, Any]:
    return next(state.inputs for state in outcome.resources if state.name == name)


def label(key: str, value: str) -> pulumi.ResourceTransform:
    def transform(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
        if not args.type_.startswith("gcp:"):
            return None
        given = cast("dict[str, str]", args.props.get("labels") or {})
        labels = {**given, key: value}
        trace = [*labels.get("trace", "").split("-"), key] if "trace" in labels else [key]
        return pulumi.ResourceTransformResult(
            props={**args.props, "labels": {**labels, "trace": "-".join(trace)}}, opts=args.opts
        )

    return transform


class Group(pulumi.ComponentResource):
    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tests:index:Group", name, None, opts)
        gcp.pubsub.Topic(
            f"{name}-topic",
            opts=pulumi.ResourceOptions(parent=self, transforms=[label("own", "1")]),
        )
        self.register_outputs({})


@pytest.mark.parametrize("mode", [Mode.PREVIEW, Mode.UPDATE])
def test_transforms_run_from_the_resource_outward_to_the_stack(mode: Mode) -> None:
    def program() -> None:
        pulumi_stack.register_resource_transform(label("stack", "3"))
        Group("group", pulumi.ResourceOptions(transforms=[label("parent", "2")]))

    outcome = Stack().fine(program, mode)
    assert inputs(outcome, "group-topic")["labels"] == {
        "own": "1",
        "parent": "2",
        "stack": "3",
        "trace": "own-parent-stack",
    }


def test_a_transform_sees_unknown_and_secret_values_as_outputs_and_keeps_them() -> None:
    seen: dict[str, Any] = {}

    def watch(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult:
        seen.update(args.props)
        return pulumi.ResourceTransformResult(props=args.props, opts=args.opts)

    def program() -> None:
        password = random.RandomPassword("password", length=16)
        secret = gcp.secretmanager.Secret("key", secret_id="key", replication={"auto": {}})
        gcp.secretmanager.SecretVersion(
            "version",
            secret=secret.id,
            secret_data=password.result,
            opts=pulumi.ResourceOptions(transforms=[watch]),
        )

    stack = Stack()
    shown = stack.fine(program, Mode.PREVIEW)
    assert isinstance(seen["secret"], pulumi.Output)
    assert inputs(shown, "version")["secret"] is UNKNOWN
    done = stack.fine(program)
    version = next(state for state in done.resources if state.name == "version")
    assert version.inputs["secret"] == "projects/aiprod-test/secrets/key"
    assert isinstance(version.inputs["secretData"], Secret)
    assert [urn.rsplit("::", 1)[1] for urn in version.dependencies] == ["key", "password"]
    assert {step.op.value for step in stack.fine(program).steps} == {"same"}


def test_a_transform_changes_options() -> None:
    def guard(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult:
        opts = pulumi.ResourceOptions.merge(
            args.opts, pulumi.ResourceOptions(protect=True, ignore_changes=["labels"], retain_on_delete=True)
        )
        return pulumi.ResourceTransformResult(props=args.props, opts=opts)

    def program() -> None:
        gcp.pubsub.Topic("topic", opts=pulumi.ResourceOptions(transforms=[guard]))

    state = Stack().fine(program).resources[-1]
    assert (state.protect, state.ignore_changes, state.retain_on_delete) == (True, ["labels"], True)


def test_a_transform_may_wait_for_a_resource_that_it_makes() -> None:
    async def with_key(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
        if args.name != "topic":
            return None
        pet = random.RandomPet("pet")
        return pulumi.ResourceTransformResult(props={**args.props, "labels": {"pet": pet.id}}, opts=args.opts)

    def program() -> None:
        gcp.pubsub.Topic("topic", opts=pulumi.ResourceOptions(transforms=[with_key]))

    done = Stack().fine(program)
    pet = next(state for state in done.resources if state.name == "pet")
    assert inputs(done, "topic")["labels"] == {"pet": pet.id}


def test_a_transform_that_raises_ends_the_run_with_a_sentence() -> None:
    def broken(args: pulumi.ResourceTransformArgs) -> None:
        raise RuntimeError("no such team")

    def program() -> None:
        gcp.pubsub.Topic("topic", opts=pulumi.ResourceOptions(transforms=[broken]))

    for mode in (Mode.PREVIEW, Mode.UPDATE):
        outcome = Stack().run(program, mode)
        assert [item.message for item in outcome.refusals] == [
            "a transform of the program raised: no such team"
        ]


def test_legacy_transformations_run() -> None:
    def old(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        if not args.type_.startswith("gcp:"):
            return None
        props = cast("dict[str, Any]", args.props)
        return pulumi.ResourceTransformationResult(props={**props, "labels": {"old": "1"}}, opts=args.opts)

    def program() -> None:
        pulumi_stack.register_stack_transformation(old)
        Group("group", pulumi.ResourceOptions(transformations=[old]))

    assert inputs(Stack().fine(program), "group-topic")["labels"] == {
        "old": "1",
        "own": "1",
        "trace": "own",
    }


def test_an_invoke_transform_changes_arguments() -> None:
    def elsewhere(args: pulumi.InvokeTransformArgs) -> pulumi.InvokeTransformResult:
        return pulumi.InvokeTransformResult(args={**args.args, "region": "us-east1"}, opts=args.opts)

    def program() -> None:
        pulumi_stack.register_invoke_transform(elsewhere)
        pulumi.export("plain", gcp.compute.get_zones(region="europe-west1").names)
        pulumi.export("output", gcp.compute.get_zones_output(region="europe-west1").names)

    zones = ["us-east1-b", "us-east1-c", "us-east1-d"]
    assert Stack().fine(program).outputs == {"plain": zones, "output": zones}


class Log:
    """What hooks were called with."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def hook(self, word: str) -> pulumi.ResourceHook:
        def call(args: pulumi.ResourceHookArgs) -> None:
            old = (args.old_inputs or {}).get("messageRetentionDuration", "-")
            new = (args.new_inputs or {}).get("messageRetentionDuration", "-")
            self.lines.append(f"{word} {args.name} {old} {new} {'made' if args.new_outputs else 'asked'}")

        return pulumi.ResourceHook(word, call)

    def take(self) -> list[str]:
        lines, self.lines = self.lines, []
        return lines


def test_hooks_run_before_and_after_each_step_and_not_in_a_preview() -> None:
    log, stack = Log(), Stack()

    def program(retention: str | None) -> Callable[[], None]:
        def main() -> None:
            kinds = ("create", "update", "delete")
            hooks = {
                f"{when}_{kind}": [log.hook(f"{when}-{kind}")]
                for when in ("before", "after")
                for kind in kinds
            }
            if retention:
                gcp.pubsub.Topic(
                    "topic",
                    message_retention_duration=retention,
                    opts=pulumi.ResourceOptions(hooks=pulumi.ResourceHookBinding(**cast("Any", hooks))),
                )

        return main

    stack.fine(program("600s"), Mode.PREVIEW)
    assert log.take() == []
    stack.fine(program("600s"))
    assert log.take() == ["before-create topic - 600s asked", "after-create topic - 600s made"]
    stack.fine(program("700s"))
    assert log.take() == ["before-update topic 600s 700s asked", "after-update topic 600s 700s made"]
    stack.fine(program(None))
    assert log.take() == ["before-delete topic 700s - asked", "after-delete topic 700s - asked"]
    assert len(stack.world) == 0


def test_a_failing_hook_before_a_step_stops_it_and_one_after_it_does_not_undo_it() -> None:
    def fail(args: pulumi.ResourceHookArgs) -> None:
        raise RuntimeError("the window is closed")

    def program(kind: str) -> Callable[[], None]:
        def main() -> None:
            hook = pulumi.ResourceHook("gate", fail)
            binding = pulumi.ResourceHookBinding(**cast("Any", {kind: [hook]}))
            gcp.pubsub.Topic("topic", opts=pulumi.ResourceOptions(hooks=binding))

        return main

    before, after = Stack(), Stack()
    outcome = before.run(program("before_create"))
    assert [item.message for item in outcome.refusals] == [
        "BeforeCreate hook 'gate' of topic (gcp:pubsub/topic:Topic) failed: the window is closed"
    ]
    assert len(before.world) == 0
    outcome = after.run(program("after_create"))
    assert [item.message for item in outcome.refusals] == [
        "AfterCreate hook 'gate' of topic (gcp:pubsub/topic:Topic) failed: the window is closed"
    ]
    assert len(after.world) == 1
    assert "topic" in [state.name for state in outcome.snapshot.resources]


def test_a_hook_may_wait_for_a_function_of_a_provider() -> None:
    zones: list[str] = []

    async def look(args: pulumi.ResourceHookArgs) -> None:
        found = await gcp.compute.get_zones_output(region="us-east1").future()
        assert found is not None
        zones.extend(found.names)

    def program() -> None:
        hook = pulumi.ResourceHook("look", look)
        for index in range(20):
            gcp.pubsub.Topic(f"topic-{index}")
        binding = pulumi.ResourceHookBinding(before_create=[hook])
        gcp.pubsub.Topic("hooked", opts=pulumi.ResourceOptions(hooks=binding))

    stack = Stack()
    stack.fine(program)
    assert zones == ["us-east1-b", "us-east1-c", "us-east1-d"]
    assert len(stack.world) == 21


def test_an_error_hook_asks_to_try_again() -> None:
    stack = Stack()
    stack.world.add("gcp:pubsub/topic:Topic", "projects/aiprod-test/topics/taken", {"name": "taken"}, {})
    seen: list[str] = []

    def make_room(args: pulumi.ErrorHookArgs) -> bool:
        seen.extend(args.errors)
        stack.world.remove("gcp:pubsub/topic:Topic", "projects/aiprod-test/topics/taken")
        return True

    def program() -> None:
        hook = pulumi.ErrorHook("room", make_room)
        binding = pulumi.ResourceHookBinding(on_error=[hook])
        gcp.pubsub.Topic("topic", name="taken", opts=pulumi.ResourceOptions(hooks=binding))

    stack.fine(program)
    assert len(seen) == 1
    assert "409" in seen[0]


def test_a_stack_with_delete_hooks_is_not_deleted_without_its_program() -> None:
    log, stack = Log(), Stack()

    def program() -> None:
        binding = pulumi.ResourceHookBinding(before_delete=[log.hook("farewell")])
        gcp.pubsub.Topic("topic", opts=pulumi.ResourceOptions(hooks=binding))

    stack.fine(program)
    outcome = stack.run(program, Mode.DESTROY)
    assert [item.message for item in outcome.refusals] == [
        (
            "topic (gcp:pubsub/topic:Topic) has delete hooks (farewell), and deleting a stack does not run "
            "its program: remove them with an update first"
        )
    ]
    assert len(stack.world) == 1
