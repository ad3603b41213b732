"""The rehearsal of `make rotate-cache`: AUTH gets another string, `refresh` reads it, `up` hands it on."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from dataclasses import replace

import pytest

from review.workspace import Ground
from sandbox.model import Mode, Op
from tests.end_to_end.test_ownership import deployed, run

CACHE = "gcp:redis/instance:Instance"
VERSION = "gcp:secretmanager/secretVersion:SecretVersion"
SERVICE = "gcp:cloudrunv2/service:Service"
POOL = "gcp:cloudrunv2/workerPool:WorkerPool"


@pytest.mark.parametrize(("stack", "services", "pools"), [("dev", 1, 1), ("prod", 2, 2)])
def test_a_new_string_becomes_a_version_and_new_revisions_and_nothing_else(
    stack: str, services: int, pools: int
) -> None:
    base = deployed(stack)
    ground = Ground(snapshot=deepcopy(base.snapshot), world=base.world.copy())
    (cache,) = ground.world.find(CACHE)
    ground.world.add(cache.type, cache.id, cache.inputs, {**cache.outputs, "authString": "another"})
    refreshed = run(stack, ground, Mode.REFRESH)
    assert not refreshed.refusals
    up = run(stack, replace(ground, snapshot=refreshed.snapshot), Mode.UPDATE)
    assert not up.refusals
    steps = Counter((step.op, step.type) for step in up.steps if step.logical and step.op is not Op.SAME)
    assert steps == {(Op.REPLACE, VERSION): 1, (Op.UPDATE, SERVICE): services, (Op.UPDATE, POOL): pools}
    again = run(stack, replace(ground, snapshot=up.snapshot), Mode.UPDATE)
    assert {step.op for step in again.steps} == {Op.SAME}
