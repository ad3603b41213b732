"""A release in the sandbox: the new revision gets 1, 10, 50 and 100 % by one `up` each, or the way back.

So do workers, whose shares are instances.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from review.workspace import Ground
from sandbox.cloud.data import plain
from sandbox.cloud.revisions import first_revision
from sandbox.model import Mode, Op, Outcome
from tests.end_to_end.conftest import Platform
from tests.end_to_end.test_ownership import deployed, run
from tests.end_to_end.test_real_cli import state, steps

SERVICE = "gcp:cloudrunv2/service:Service"
POOL = "gcp:cloudrunv2/workerPool:WorkerPool"
WORKER_ID = "projects/aiprod-484120/locations/europe-west1/workerPools/aiprod-worker"
NAME = "aiprod-v33-api"
REGIONS: tuple[str, ...] = ("europe-west1", "europe-west4")
IDS = {region: f"projects/aiprod-484120/locations/{region}/services/{NAME}" for region in REGIONS}
KIND = "TRAFFIC_TARGET_ALLOCATION_TYPE"
# What the first `up` makes in each region.
STABLE = {region: first_revision(id, {}).rpartition("/")[2] for region, id in IDS.items()}
Change = Callable[[dict[str, Any]], object]


def canary(percent: int, stable: dict[str, str] = STABLE) -> dict[str, Any]:
    return {"kind": "canary", "stable_revisions": stable, "percent": percent}


PINNED = {"kind": "pinned", "revisions": STABLE}


class Prod:
    """Prod as it stands, with a release that changes; two regions serve."""

    def __init__(self) -> None:
        base = deployed("prod")
        self.ground = Ground(snapshot=deepcopy(base.snapshot), world=base.world.copy())
        # As `deployed` has it: this program owns the traffic.
        self.release: dict[str, Any] = {"traffic": {"kind": "latest"}}

    def up(self, **release: Any) -> Outcome:
        self.release |= release
        outcome = run("prod", self.ground, Mode.UPDATE, self.release)
        self.ground = replace(self.ground, snapshot=outcome.snapshot)
        return outcome

    def newest(self, region: str) -> str:
        return self.newest_of(SERVICE, IDS[region])

    def newest_of(self, type: str, id: str) -> str:
        record = self.ground.world.get(type, id)
        assert record is not None
        return str(record.outputs["latestCreatedRevision"]).rpartition("/")[2]


def changed(outcome: Outcome) -> set[tuple[Op, str, str]]:
    """Operation, type and changed properties of what is not as it was."""
    assert not outcome.refusals
    return {
        (step.op, step.type, ",".join(sorted({item.path.partition("[")[0] for item in step.diff})))
        for step in outcome.steps
        if step.logical and step.op is not Op.SAME
    }


def test_each_step_changes_the_traffic_of_the_services_and_nothing_else() -> None:
    prod = Prod()
    traffic_only = {(Op.UPDATE, SERVICE, "traffics")}
    assert changed(prod.up(traffic=PINNED)) == traffic_only

    image = f"europe-docker.pkg.dev/aiprod-484120/aiprod/api@sha256:{'e' * 64}"
    images = {"api": image, "worker": image.replace("/api@", "/worker@")}
    deployed_new = changed(prod.up(images=images))
    assert {op for op, _, _ in deployed_new} == {Op.UPDATE}
    new = {region: prod.newest(region) for region in REGIONS}
    assert all(new[region] != STABLE[region] for region in REGIONS)

    for percent in (1, 10, 50, 100):
        step = prod.up(traffic=canary(percent))
        assert changed(step) == traffic_only, percent
        assert sum(step.op is Op.UPDATE for step in step.steps) == len(REGIONS)
        assert changed(prod.up()) == set()
        # Nothing but the template makes a revision.
        assert {region: prod.newest(region) for region in REGIONS} == new

    # The way back: the revision before stays, whatever was promoted.
    assert changed(prod.up(traffic=PINNED)) == traffic_only
    assert changed(prod.up()) == set()


def test_the_record_of_a_release_stays_on_the_service() -> None:
    """Written beside the program: no step for it, and a later deployment sends it as it read it."""
    prod = Prod()
    assert changed(prod.up(traffic={"kind": "walked"})) == set()
    records = {id: prod.ground.world.get(SERVICE, id) for id in IDS.values()}
    moved = [{"type": f"{KIND}_REVISION", "revision": name, "percent": 100} for name in STABLE.values()]
    annotations = {id: {"release-walk": f'{{"walk":"{region}"}}'} for region, id in IDS.items()}
    for share, (id, record) in zip(moved, records.items(), strict=True):
        assert record is not None
        outputs = {**record.outputs, "traffics": [share], "effectiveAnnotations": annotations[id]}
        prod.ground.world.add(SERVICE, id, {**record.inputs, "traffics": [share]}, outputs)

    def found() -> dict[str, Any]:
        live = {id: prod.ground.world.get(SERVICE, id) for id in IDS.values()}
        return {id: record.outputs["effectiveAnnotations"] for id, record in live.items() if record}

    refreshed = run("prod", prod.ground, Mode.REFRESH, prod.release)
    prod.ground = replace(prod.ground, snapshot=refreshed.snapshot)
    assert changed(prod.up()) == set()
    image = f"europe-docker.pkg.dev/aiprod-484120/aiprod/api@sha256:{'e' * 64}"
    steps = changed(prod.up(images={"api": image, "worker": image.replace("/api@", "/worker@")}))
    assert (Op.UPDATE, SERVICE, "template.containers") in steps
    assert found() == annotations
    assert changed(prod.up()) == set()


def test_each_step_moves_instances_of_the_pool_that_is_named_and_nothing_else() -> None:
    prod = Prod()
    shares_only = {(Op.UPDATE, POOL, "instanceSplits")}
    stable = {"europe-west1": first_revision(WORKER_ID, {}).rpartition("/")[2]}
    kept = {"kind": "pinned", "revisions": stable}
    assert changed(prod.up(splits={"worker": kept})) == shares_only

    image = f"europe-docker.pkg.dev/aiprod-484120/aiprod/worker@sha256:{'e' * 64}"
    prod.up(images={"api": image.replace("/worker@", "/api@"), "worker": image})
    new = prod.newest_of(POOL, WORKER_ID)
    assert new not in stable.values()

    for percent in (10, 50, 100):
        step = prod.up(splits={"worker": canary(percent, stable)})
        assert changed(step) == shares_only, percent
        # The batch pool stands as it is.
        assert [one.name for one in step.steps if one.op is Op.UPDATE] == ["pool-worker"]
        assert shares_of(prod) == (
            {None: percent} | ({} if percent == 100 else {stable["europe-west1"]: 100 - percent})
        )
        assert changed(prod.up()) == set()
        # Nothing but the template makes a revision.
        assert prod.newest_of(POOL, WORKER_ID) == new

    # The way back, and out of it: nothing named means the newest.
    assert changed(prod.up(splits={"worker": kept})) == shares_only
    assert shares_of(prod) == {stable["europe-west1"]: 100}
    assert changed(prod.up(splits={})) == shares_only
    assert shares_of(prod) == {None: 100}


def shares_of(prod: Prod) -> dict[str | None, int]:
    """Revision, or None for the newest, and its share of the worker pool's instances."""
    record = prod.ground.world.get(POOL, WORKER_ID)
    assert record is not None
    return {one.get("revision"): one["percent"] for one in plain(record.inputs)["instanceSplits"]}


def test_a_revision_that_the_pool_does_not_have_is_refused() -> None:
    prod = Prod()
    missing = {"europe-west1": "aiprod-worker-00009-abc"}
    refused = prod.up(splits={"worker": canary(10, missing)})
    assert {refusal.behaviour for refusal in refused.refusals} == {"RUN-023"}
    assert changed(prod.up(splits={})) == set()


@pytest.mark.parametrize("number", ["00002-abc", "00001-zzz", "latest"])
def test_a_revision_that_is_not_there_is_refused(number: str) -> None:
    prod = Prod()
    missing = dict.fromkeys(REGIONS, f"{NAME}-{number}")
    refused = prod.up(traffic=canary(1, missing))
    assert {refusal.behaviour for refusal in refused.refusals} == {"RUN-023"}
    assert changed(prod.up(traffic={"kind": "latest"})) == set()


def test_a_fixture_says_which_revisions_a_live_service_has() -> None:
    prod = Prod()
    live = dict.fromkeys(REGIONS, f"{NAME}-00041-abc")
    prod.ground.world.facts.revisions.update({IDS[region]: [live[region]] for region in REGIONS})
    assert changed(prod.up(traffic=canary(10, live))) == {(Op.UPDATE, SERVICE, "traffics")}


@pytest.mark.real_cli
def test_real_cli_takes_the_same_steps_through_a_release(platform: Platform) -> None:
    first = first_revision(f"projects/aiprod-example/locations/europe-west1/services/{NAME}", {})
    stable = {"europe-west1": first.rpartition("/")[2]}

    def both(expected: set[str], **release: Any) -> None:
        platform.edit("dev", lambda config: config["aiprod:release"].update(release))
        ours, real = platform.run("up"), platform.run("up", "--target", "sandbox-cli")
        assert (ours.code, real.code) == (0, 0), ours.error + real.error + real.output
        assert {op for op, _ in steps(real).values()} == expected
        assert steps(ours) == steps(real)
        assert state(ours) == state(real)

    both({"create"})
    both({"update"}, traffic=canary(10, stable))
    both(set())
    both({"update"}, traffic={"kind": "pinned", "revisions": stable})
