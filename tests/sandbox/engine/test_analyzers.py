"""What analyzers are shown, and what a violation stops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi_gcp as gcp
import pytest

from sandbox.model import AnalyzedResource, Violation
from tests.sandbox.engine.test_deployment import Stack

_TOPIC = "gcp:pubsub/topic:Topic"


@pytest.fixture
def stack() -> Stack:
    return Stack()


class _NoTopics:
    def analyze(self, resource: AnalyzedResource) -> list[Violation]:
        if resource.type != _TOPIC:
            return []
        return [Violation("no-topics", "mandatory", resource.urn, "topics are not allowed")]

    def analyze_stack(self, resources: object) -> list[Violation]:
        return []


def test_a_mandatory_violation_is_shown_by_a_preview_and_stops_an_update(stack: Stack) -> None:
    def program() -> None:
        gcp.pubsub.Topic("jobs")

    shown = stack.preview(program, analyzers=[_NoTopics()])
    assert [item.rule for item in shown.violations] == ["no-topics"]
    assert not shown.succeeded
    stopped = stack.up(program, analyzers=[_NoTopics()])
    assert [item.kind for item in stopped.refusals] == ["policy"]
    assert stack.names() == []


class _Seen:
    """Keeps what an analyzer is shown of topics: one by one, then all together."""

    def __init__(self) -> None:
        self.one: list[Mapping[str, Any]] = []
        self.all: list[Mapping[str, Any]] = []

    def analyze(self, resource: AnalyzedResource) -> list[Violation]:
        self.one += [resource.properties] if resource.type == _TOPIC else []
        return []

    def analyze_stack(self, resources: Sequence[AnalyzedResource]) -> list[Violation]:
        self.all += [one.properties for one in resources if one.type == _TOPIC]
        return []


def test_one_resource_is_judged_by_its_inputs_and_all_together_by_their_outputs(stack: Stack) -> None:
    """As Pulumi's AnalyzeStack: what the program left out and the provider knows stands there."""

    def program() -> None:
        gcp.pubsub.Topic("jobs", name="jobs")

    for act in (stack.preview, stack.up, stack.up):
        seen = _Seen()
        assert act(program, analyzers=[seen]).succeeded
        (given,), (ended,) = seen.one, seen.all
        assert "project" not in given
        assert (ended["name"], ended["project"]) == ("jobs", "aiprod-test")
