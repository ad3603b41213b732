"""What the engine decides and what it leaves behind, over the stand-in cloud."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pulumi
import pulumi_gcp as gcp
import pulumi_random as random
import pytest

from sandbox.cloud import World
from sandbox.host import run
from sandbox.model import Mode, Outcome, Snapshot
from sandbox.project import StackSettings
from sandbox.state import PassphraseCrypter, snapshot_from_json, snapshot_to_json
from sandbox.values import UNKNOWN, Secret, unwrap

_CONFIG = StackSettings(values={"gcp:project": "aiprod-test", "gcp:region": "europe-west1"})
_TOPIC = "gcp:pubsub/topic:Topic"


class Stack:
    """One stack of the tests: its state and its cloud, from run to run."""

    def __init__(self, config: StackSettings = _CONFIG) -> None:
        self.config = config
        self.snapshot = Snapshot()
        self.world = World()

    def preview(self, program: Callable[[], None], **options: Any) -> Outcome:
        return self._run(program, Mode.PREVIEW, **options)

    def up(self, program: Callable[[], None], **options: Any) -> Outcome:
        outcome = self._run(program, Mode.UPDATE, **options)
        self.snapshot = outcome.snapshot
        return outcome

    def down(self, **options: Any) -> Outcome:
        outcome = self._run(lambda: None, Mode.DESTROY, **options)
        self.snapshot = outcome.snapshot
        return outcome

    def refresh(self) -> Outcome:
        outcome = self._run(lambda: None, Mode.REFRESH)
        self.snapshot = outcome.snapshot
        return outcome

    def _run(self, program: Callable[[], None], mode: Mode, **options: Any) -> Outcome:
        return run(
            program,
            stack="dev",
            project="tests",
            config=self.config,
            snapshot=self.snapshot,
            world=self.world,
            mode=mode,
            **options,
        )

    def names(self) -> list[str]:
        return [
            state.name for state in self.snapshot.resources if state.custom and "providers" not in state.type
        ]


@pytest.fixture
def stack() -> Stack:
    return Stack()


def _ops(outcome: Outcome) -> list[tuple[str, str]]:
    return [
        (step.op.value, step.name)
        for step in outcome.steps
        if step.op != "same" and step.type.startswith("gcp:")
    ]


def test_a_preview_shows_unknowns_and_changes_nothing(stack: Stack) -> None:
    seen: list[Any] = []

    def program() -> None:
        topic = gcp.pubsub.Topic("jobs")
        pulumi.Output.all(topic.name).apply(seen.append)
        pulumi.export("id", topic.id)

    outcome = stack.preview(program)
    assert outcome.outputs == {"id": UNKNOWN}
    assert len(seen) == 1
    assert stack.snapshot == Snapshot()
    assert not list(stack.world.find(_TOPIC))


def test_an_update_resolves_what_the_preview_did_not_know(stack: Stack) -> None:
    outcome = stack.up(lambda: pulumi.export("id", gcp.pubsub.Topic("jobs", name="jobs").id))
    assert outcome.outputs == {"id": "projects/aiprod-test/topics/jobs"}
    assert outcome.succeeded


def test_a_second_update_changes_nothing(stack: Stack) -> None:
    def program() -> None:
        topic = gcp.pubsub.Topic("jobs", labels={"a": "b"})
        gcp.pubsub.Subscription("pull", topic=topic.id)

    stack.up(program)
    assert set(stack.up(program).summary()) == {"same"}


def test_fails_when_two_resources_have_one_urn(stack: Stack) -> None:
    def program() -> None:
        gcp.pubsub.Topic("jobs")
        gcp.pubsub.Topic("jobs")

    outcome = stack.preview(program)
    assert [item.kind for item in outcome.refusals] == ["engine"]
    assert "registered twice" in outcome.refusals[0].message


def test_fails_when_a_default_provider_is_needed_but_disabled() -> None:
    stack = Stack(StackSettings(values={"pulumi:disable-default-providers": '["gcp"]'}))
    outcome = stack.preview(lambda: gcp.pubsub.Topic("jobs") and None)
    assert "pass one with ResourceOptions(provider=...)" in outcome.refusals[0].message


def test_fails_when_the_program_raises_and_nothing_is_left_behind(stack: Stack) -> None:
    def program() -> None:
        raise LookupError("no such\nthing")

    outcome = stack.up(program)
    assert [item.message for item in outcome.refusals] == ["the program raised LookupError: no such thing"]
    assert stack.names() == []


def test_fails_when_an_apply_raises(stack: Stack) -> None:
    def program() -> None:
        def refuse(_: str) -> str:
            raise LookupError("in apply")

        pulumi.export("x", gcp.pubsub.Topic("jobs", name="jobs").name.apply(refuse))

    assert "LookupError" in stack.up(program).refusals[0].message


def test_a_run_error_is_shown_as_it_is(stack: Stack) -> None:
    def program() -> None:
        raise pulumi.RunError("project_id must be set, got REPLACE_ME: set it")

    assert stack.preview(program).refusals[0].message == "project_id must be set, got REPLACE_ME: set it"


def test_a_preview_lists_every_refusal(stack: Stack) -> None:
    def program() -> None:
        gcp.serviceaccount.Account("first", account_id="no")
        gcp.serviceaccount.Account("second", account_id="NEITHER-THIS")
        gcp.pubsub.Topic("fine")

    outcome = stack.preview(program)
    assert [item.kind for item in outcome.refusals] == ["check", "check"]
    assert _ops(outcome) == [("create", "fine")]


def test_an_update_ends_at_its_first_refusal_and_keeps_what_was_done(stack: Stack) -> None:
    def program() -> None:
        topic = gcp.pubsub.Topic("jobs", name="jobs")
        bad = gcp.pubsub.Subscription(
            "bad", name="bad", topic=topic.id.apply(lambda topic_id: f"{topic_id}-missing")
        )
        gcp.pubsub.Topic("late", name="late", opts=pulumi.ResourceOptions(depends_on=[bad]))

    outcome = stack.up(program)
    assert [item.code for item in outcome.refusals] == [404]
    assert stack.names() == ["jobs"]
    assert _ops(outcome) == [("create", "jobs")]


def test_what_failed_is_taken_up_by_the_next_update(stack: Stack) -> None:
    def program(suffix: str) -> Callable[[], None]:
        def run_() -> None:
            topic = gcp.pubsub.Topic("jobs", name="jobs")
            gcp.pubsub.Subscription(
                "pull", name="pull", topic=topic.id.apply(lambda topic_id: f"{topic_id}{suffix}")
            )

        return run_

    assert not stack.up(program("-missing")).succeeded
    outcome = stack.up(program(""))
    assert outcome.succeeded
    assert _ops(outcome) == [("create", "pull")]


def test_fails_when_a_protected_resource_would_be_deleted(stack: Stack) -> None:
    protected = pulumi.ResourceOptions(protect=True)
    stack.up(lambda: gcp.pubsub.Topic("jobs", opts=protected) and None)
    for outcome in (stack.preview(lambda: None), stack.up(lambda: None), stack.down()):
        assert [item.kind for item in outcome.refusals] == ["protect"]
        assert "jobs" in outcome.refusals[0].message
    assert stack.names() == ["jobs"]


def test_fails_when_a_protected_resource_would_be_replaced(stack: Stack) -> None:
    def program(filter: str) -> Callable[[], None]:
        def run_() -> None:
            topic = gcp.pubsub.Topic("jobs")
            protected = pulumi.ResourceOptions(protect=True)
            gcp.pubsub.Subscription("pull", topic=topic.id, filter=filter, opts=protected)

        return run_

    stack.up(program('attributes.a = "1"'))
    outcome = stack.up(program('attributes.a = "2"'))
    assert [item.kind for item in outcome.refusals] == ["protect"]
    assert "filter" in outcome.refusals[0].message
    assert stack.names() == ["jobs", "pull"]


def test_a_destroy_leaves_the_protected_and_what_they_need(stack: Stack) -> None:
    def program() -> None:
        topic = gcp.pubsub.Topic("jobs")
        protected = pulumi.ResourceOptions(protect=True)
        gcp.pubsub.Subscription("pull", topic=topic.id, opts=protected)
        gcp.pubsub.Topic("other")

    stack.up(program)
    outcome = stack.down(exclude_protected=True)
    assert outcome.succeeded
    assert _ops(outcome) == [("delete", "other")]
    assert stack.names() == ["jobs", "pull"]
    assert _ops(stack.up(program)) == [("create", "other")]


def test_a_destroy_goes_against_the_dependencies_and_empties_the_state(stack: Stack) -> None:
    def program() -> None:
        topic = gcp.pubsub.Topic("jobs")
        gcp.pubsub.Subscription("pull", topic=topic.id)

    stack.up(program)
    assert _ops(stack.down()) == [("delete", "pull"), ("delete", "jobs")]
    assert stack.snapshot.resources == []
    assert not list(stack.world.find(_TOPIC))


def test_a_live_resource_is_imported_and_then_the_same(stack: Stack) -> None:
    stack.up(lambda: gcp.pubsub.Topic("jobs", name="jobs", labels={"a": "b"}) and None)
    stack.snapshot = Snapshot()

    def program(**labels: str) -> Callable[[], None]:
        opts = pulumi.ResourceOptions(import_="projects/aiprod-test/topics/jobs", protect=True)
        return lambda: gcp.pubsub.Topic("jobs", name="jobs", labels=labels, opts=opts) and None

    assert _ops(stack.preview(program(a="b"))) == [("import", "jobs")]
    assert _ops(stack.up(program(a="b"))) == [("import", "jobs")]
    assert set(stack.up(program(a="b")).summary()) == {"same"}


def test_an_imported_resource_that_differs_is_updated_in_the_same_run(stack: Stack) -> None:
    stack.up(lambda: gcp.pubsub.Topic("jobs", name="jobs", labels={"a": "b"}) and None)
    stack.snapshot = Snapshot()
    opts = pulumi.ResourceOptions(import_="projects/aiprod-test/topics/jobs")
    outcome = stack.up(lambda: gcp.pubsub.Topic("jobs", name="jobs", labels={"a": "c"}, opts=opts) and None)
    assert _ops(outcome) == [("import", "jobs"), ("update", "jobs")]
    assert len([state for state in stack.snapshot.resources if state.type == _TOPIC]) == 1


def test_fails_when_what_is_imported_does_not_exist(stack: Stack) -> None:
    opts = pulumi.ResourceOptions(import_="projects/aiprod-test/topics/none")
    outcome = stack.up(lambda: gcp.pubsub.Topic("jobs", opts=opts) and None)
    assert "does not exist and cannot be imported" in outcome.refusals[0].message


def test_a_resource_that_is_only_read_is_external_and_never_deleted(stack: Stack) -> None:
    stack.up(lambda: gcp.pubsub.Topic("jobs", name="jobs") and None)
    stack.snapshot = Snapshot()

    def program() -> None:
        found = gcp.pubsub.Topic.get("jobs", "projects/aiprod-test/topics/jobs")
        pulumi.export("name", found.name)

    outcome = stack.up(program)
    assert outcome.outputs == {"name": "jobs"}
    assert _ops(outcome) == [("read", "jobs")]
    assert _ops(stack.up(lambda: None)) == [("discard", "jobs")]
    assert len(list(stack.world.find(_TOPIC))) == 1


def test_a_secret_stays_secret_in_outputs_and_state(stack: Stack) -> None:
    stack.up(lambda: pulumi.export("password", random.RandomPassword("db", length=20).result))
    outcome = stack.up(lambda: pulumi.export("password", random.RandomPassword("db", length=20).result))
    assert isinstance(outcome.outputs["password"], Secret)
    assert len(unwrap(outcome.outputs["password"])) == 20
    (state,) = [item for item in stack.snapshot.resources if item.type.startswith("random:")]
    assert isinstance(state.outputs["result"], Secret)


def test_an_output_named_secret_by_the_program_is_secret(stack: Stack) -> None:
    opts = pulumi.ResourceOptions(additional_secret_outputs=["name"])
    outcome = stack.up(lambda: pulumi.export("name", gcp.pubsub.Topic("jobs", name="jobs", opts=opts).name))
    assert outcome.outputs["name"] == Secret("jobs")


def test_a_retained_resource_leaves_the_state_and_stays_in_the_cloud(stack: Stack) -> None:
    opts = pulumi.ResourceOptions(retain_on_delete=True)
    stack.up(lambda: gcp.pubsub.Topic("jobs", opts=opts) and None)
    assert _ops(stack.up(lambda: None)) == [("delete", "jobs")]
    assert stack.names() == []
    assert len(list(stack.world.find(_TOPIC))) == 1


def test_a_refresh_takes_over_drift_and_forgets_what_is_gone(stack: Stack) -> None:
    def program() -> None:
        gcp.pubsub.Topic("jobs", name="jobs", labels={"a": "b"})
        gcp.pubsub.Topic("gone", name="gone")

    stack.up(program)
    stack.world.remove(_TOPIC, "projects/aiprod-test/topics/gone")
    record = stack.world.get(_TOPIC, "projects/aiprod-test/topics/jobs")
    assert record is not None
    stack.world.add(
        _TOPIC,
        "projects/aiprod-test/topics/jobs",
        {**record.inputs, "labels": {"a": "drifted"}},
        {**record.outputs, "labels": {"a": "drifted"}},
    )
    outcome = stack.refresh()
    assert [path.path for step in outcome.steps for path in step.diff] == ["labels.a"]
    assert stack.names() == ["jobs"]
    assert _ops(stack.preview(program)) == [("update", "jobs"), ("create", "gone")]


def test_stacks_in_one_process_do_not_see_each_other(stack: Stack) -> None:
    other = Stack(StackSettings(values={"gcp:project": "other-project", "tests:greeting": "hello"}))
    seen: list[str | None] = []

    def program() -> None:
        seen.append(pulumi.Config().get("greeting"))
        pulumi.export("id", gcp.pubsub.Topic("jobs", name="jobs").id)

    first, second = stack.up(program), other.up(program)
    assert seen == [None, "hello"]
    assert first.outputs["id"] == "projects/aiprod-test/topics/jobs"
    assert second.outputs["id"] == "projects/other-project/topics/jobs"


def test_an_invoke_answers_with_the_providers_project(stack: Stack) -> None:
    def program() -> None:
        pulumi.export("project", gcp.organizations.get_client_config_output().project)

    assert stack.up(program).outputs["project"] == "aiprod-test"


def test_an_environment_variable_does_not_stand_in_for_configuration(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_TESTS_GREETING", "hello")
    monkeypatch.setenv("PULUMI_CONFIG", '{"tests:greeting": "hello"}')
    seen: list[str | None] = []
    stack.preview(lambda: seen.append(pulumi.Config().get("greeting")))
    assert seen == [None]


def test_a_secret_that_cannot_be_read_is_not_compared_and_stays_in_the_state(stack: Stack) -> None:
    def program() -> None:
        password = random.RandomPassword("db", length=20)
        secret = gcp.secretmanager.Secret("s", secret_id="s-1", replication={"auto": {}})
        gcp.secretmanager.SecretVersion("v", secret=secret.id, secret_data=password.result)
        pulumi.export("password", password.result)

    stack.up(program)
    document = snapshot_to_json(stack.snapshot, PassphraseCrypter("lost"))
    stack.snapshot = snapshot_from_json(document, "state", PassphraseCrypter("another"))
    before = [state.inputs for state in stack.snapshot.resources]
    outcome = stack.up(program)
    assert outcome.refusals == []
    assert set(outcome.summary()) == {"same"}
    assert [path for step in outcome.steps for path in step.not_compared] == ["secretData"]
    assert [state.inputs for state in stack.snapshot.resources] == before
