"""What the serving behaviours let pass and refuse beside their cases: other types, places and phases."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.cloud.behaviours import BEHAVIOURS, Call, Phase
from sandbox.cloud.scope import Scope
from tests.sandbox.cloud.stage import CONTAINER, GOOD, PROVIDER, RUN, Stage, T, patched

_TCP = {"tcpSocket": {"port": 80}}
_OTHER = f"{RUN}/global/backendServices/other"
_TO = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"


def _found(
    id: str,
    name: str,
    inputs: dict[str, Any],
    old: dict[str, Any] | None = None,
    stage: Stage | None = None,
) -> list[str]:
    phase = Phase.CREATE if old is None else Phase.UPDATE
    world = (stage or Stage.again()).world
    call = Call(phase, T[name], "", inputs, Scope.of(PROVIDER), world, "it", old or {})
    return [problem.property for problem in BEHAVIOURS[id].rule(call)]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("Service", "template.containers"),
        ("WorkerPool", "template.containers"),
        ("Job", "template.template.containers"),
    ],
)
def test_probes_are_looked_at_in_every_kind_of_revision(name: str, path: str) -> None:
    def inputs(**probes: Any) -> dict[str, Any]:
        return patched({}, {path: [{**CONTAINER, **probes}]})

    assert T[name] in BEHAVIOURS["RUN-013"].types
    assert T[name] in BEHAVIOURS["RUN-014"].types
    where = f"{path}[0]"
    assert _found("RUN-014", name, inputs(livenessProbe=_TCP)) == [f"{where}.livenessProbe.tcpSocket"]
    assert _found("RUN-014", name, inputs(startupProbe=_TCP)) == []
    slow = inputs(startupProbe={"periodSeconds": 241})
    assert _found("RUN-013", name, slow) == [f"{where}.startupProbe.periodSeconds"]
    # A service and a pool have four minutes to start, a task of a job ten.
    most = 600 if name == "Job" else 240
    long = inputs(startupProbe={"periodSeconds": 60, "failureThreshold": most // 60 + 1})
    assert _found("RUN-013", name, long) == [f"{where}.startupProbe.failureThreshold"]
    for fits in (
        {"startupProbe": {"periodSeconds": 240, "failureThreshold": 1}},
        {"startupProbe": {"periodSeconds": 60, "failureThreshold": most // 60}},
        {"startupProbe": {"periodSeconds": most // 3}},
        {"livenessProbe": {"periodSeconds": 3600, "failureThreshold": 3}},
    ):
        assert _found("RUN-013", name, inputs(**fits)) == []


def test_a_new_service_has_only_the_revision_that_it_names() -> None:
    def inputs(revision: str) -> dict[str, Any]:
        return {
            "name": "api",
            "template": {"revision": "api-1"},
            "traffics": [{"type": _TO, "revision": revision, "percent": 100}],
        }

    assert _found("RUN-023", "Service", inputs("api-0")) == ["traffics[0].revision"]
    assert _found("RUN-023", "Service", inputs("api-1")) == []


def _front(theirs: str | None, *, matcher: bool) -> Stage:
    """The platform with one more backend service of a scheme, reached by default or by a path."""
    stage = Stage.again()
    backend = stage.record("BackendService")
    inputs = patched({**backend.inputs, "name": "other"}, {"loadBalancingScheme": theirs})
    stage.world.add(T["BackendService"], _OTHER, inputs, {})
    url_map = stage.record("URLMap")
    rules = [{"name": "m", "pathRules": [{"paths": ["/a"], "service": _OTHER}]}]
    changed = {"pathMatchers": rules} if matcher else {"defaultService": _OTHER}
    stage.world.add(T["URLMap"], url_map.id, {**url_map.inputs, **changed}, url_map.outputs)
    return stage


@pytest.mark.parametrize("matcher", [False, True])
def test_every_backend_service_behind_a_rule_has_its_scheme(matcher: bool) -> None:
    rule = GOOD["GlobalForwardingRule"]
    unset = patched(rule, {"loadBalancingScheme": None})
    classic = _front("EXTERNAL", matcher=matcher)
    for own in (rule, unset):
        assert set(_found("LB-001", "GlobalForwardingRule", own, stage=classic)) == {"loadBalancingScheme"}
        for theirs in ("EXTERNAL_MANAGED", None):
            stage = _front(theirs, matcher=matcher)
            assert _found("LB-001", "GlobalForwardingRule", own, stage=stage) == []


def test_a_rule_may_lag_behind_its_backends_while_they_migrate() -> None:
    old = {**GOOD["GlobalForwardingRule"], "loadBalancingScheme": "EXTERNAL"}
    labelled = {**old, "labels": {"team": "a"}}
    assert _found("LB-001", "GlobalForwardingRule", labelled, old) == []
    managed = GOOD["GlobalForwardingRule"]
    stage = _front("EXTERNAL", matcher=True)
    assert _found("LB-001", "GlobalForwardingRule", managed, old) == []
    assert _found("LB-001", "GlobalForwardingRule", managed, old, stage) == ["loadBalancingScheme"]
