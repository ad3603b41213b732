"""Something stateful is lost only when whoever asks names it: `--allow-replace NAME`."""

from __future__ import annotations

from typing import Any

from tests.end_to_end.conftest import Platform


def losing(config: dict[str, Any]) -> None:
    """Another tier of Redis and another name of a database are another one; an unlisted secret is deleted."""
    config["aiprod:redis"] = {"tier": "STANDARD_HA", "memory_size_gb": 1}
    config["aiprod:postgres"].update(name="aiprod-postgres-two")
    config["aiprod:secrets"].update(vendor=["suno-api-key", "freesound-api-key", "google-cloud-api-key"])
    del config["aiprod:release"]["secret_versions"]["elevenlabs-api-key"]


LOST = {"cache": "replaced", "postgres": "replaced", "elevenlabs-api-key": "deleted"}


def allowing(*names: str) -> list[str]:
    return [word for name in names for word in ("--allow-replace", name)]


def test_dev_loses_nothing_stateful_that_nobody_named(platform: Platform) -> None:
    assert platform.run("up").code == 0
    before = platform.files()
    platform.edit("dev", losing)
    refused = platform.run("up")
    assert (refused.code, platform.files() == before) == (1, True), "nothing was written"
    errors = {error["urn"].rsplit("::", 1)[-1]: error for error in refused.report["errors"]}
    assert {name: error["kind"] for name, error in errors.items()} == dict.fromkeys(LOST, "protect")
    for name, word in LOST.items():
        assert f"would be {word}: undo that change, or name it with ARGS=" in errors[name]["message"]
    (left,) = platform.run("preview", *allowing("cache", "postgres")).report["errors"]
    assert left["urn"].endswith("::elevenlabs-api-key")
    assert platform.run("up", *allowing(*LOST)).code == 0
