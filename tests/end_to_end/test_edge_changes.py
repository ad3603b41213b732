"""The edge in the sandbox: a customer's domain, a canary and error pages come, stay and go."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.cloud.revisions import first_revision
from tests.end_to_end.conftest import Platform
from tests.end_to_end.test_real_cli import state, steps

SERVICE = "projects/aiprod-example/locations/europe-west1/services/aiprod-v33-api"
# The one that the first `up` makes.
REVISION = first_revision(SERVICE, {}).rpartition("/")[2]
MAP = "gcp:compute/uRLMap:URLMap"
MORE: dict[str, Any] = {
    "customers": {"acme": "video.acme.example"},
    "variants": {
        "beta": {
            "revisions": {"europe-west1": REVISION},
            "header": {"name": "X-Variant", "value": "beta"},
            "cookie": {"name": "variant", "value": "beta"},
            "percent": 5,
        }
    },
    "error_pages": {"bucket": "aiprod-public-pages", "server_errors": "/503.json"},
}


def test_customer_canary_and_pages_come_and_go_without_replacing_anything(platform: Platform) -> None:
    assert platform.run("up").code == 0

    platform.edit("dev", lambda config: config["aiprod:edge"].update(MORE))
    changed = platform.run("up")
    assert changed.code == 0, changed.output
    assert not changed.steps("delete", "replace")
    made = {step["urn"].rpartition("::")[2] for step in changed.steps("create")}
    assert {"edge-beta", "edge-beta-europe-west1", "edge-pages", "certificate-brand-acme"} <= made
    updated = {step["type"] for step in changed.steps("update")}
    assert updated == {MAP, "gcp:cloudrunv2/service:Service"}

    assert changed.report["quiet_failures"] == []
    again = platform.run("preview")
    assert set(again.summary) == {"same"}, again.output

    platform.edit("dev", lambda config: [config["aiprod:edge"].pop(key) for key in MORE])
    gone = platform.run("up")
    assert gone.code == 0, gone.output
    assert {step["urn"].rpartition("::")[2] for step in gone.steps("delete")} == made
    assert not gone.steps("replace", "create")


def test_route_that_google_would_send_elsewhere_is_refused_before_it_serves(platform: Platform) -> None:
    """Two variants that the same request asks for: the second one is never reached."""
    twice = {
        name: {**MORE["variants"]["beta"], "percent": None} | {"cookie": None} for name in ("beta", "gamma")
    }
    platform.edit("dev", lambda config: config["aiprod:edge"].update(variants=twice))
    refused = platform.run("up")
    assert refused.code != 0
    assert (
        "gamma-header is never reached, since beta-header before it takes" in refused.error + refused.output
    )


@pytest.mark.real_cli
def test_real_cli_takes_the_same_steps_when_the_edge_changes(platform: Platform) -> None:
    def both(expected: set[str]) -> None:
        ours, real = platform.run("up"), platform.run("up", "--target", "sandbox-cli")
        assert (ours.code, real.code) == (0, 0), ours.error + real.error + real.output
        assert {op for op, _ in steps(real).values()} == expected
        assert steps(ours) == steps(real)
        assert state(ours) == state(real)

    both({"create"})
    platform.edit("dev", lambda config: config["aiprod:edge"].update(MORE))
    both({"create", "update"})
    platform.edit("dev", lambda config: [config["aiprod:edge"].pop(key) for key in MORE])
    both({"update", "delete"})
