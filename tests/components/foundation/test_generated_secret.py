from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.foundation.generated_secret import GeneratedSecret, GeneratedSecretArgs
from tests.recording import Build, Recorder


def example_args(**changes: Any) -> GeneratedSecretArgs:
    return replace(
        GeneratedSecretArgs(secret_id="projects/project/secrets/database", generation=1), **changes
    )


def test_the_value_goes_to_the_version_write_only(build: Build, recorder: Recorder) -> None:
    build(lambda: GeneratedSecret("password", example_args()))
    version = recorder.one("SecretVersion")
    assert version.inputs["secretDataWo"] == "generated"
    assert "secretData" not in version.inputs
    assert version.inputs["secret"] == "projects/project/secrets/database"


def test_the_value_is_secret_on_its_way(build: Build, recorder: Recorder) -> None:
    generated = build(lambda: GeneratedSecret("password", example_args()))
    assert "secretDataWo" in recorder.one("SecretVersion").secrets
    assert build.is_secret(generated.value)


def test_a_new_generation_is_a_new_value_and_a_new_version(build: Build, recorder: Recorder) -> None:
    build(lambda: GeneratedSecret("password", example_args(generation=2)))
    assert recorder.one("RandomPassword").inputs["keepers"] == {"generation": "2"}
    assert recorder.one("SecretVersion").inputs["secretDataWoVersion"] == "2"


@pytest.mark.parametrize("length", [23, 129])
def test_fails_when_the_length_is_outside_24_to_128(length: int) -> None:
    with pytest.raises(ValueError, match=f"length must be between 24 and 128 characters, got {length}"):
        example_args(length=length)


def test_fails_when_the_generation_is_below_1() -> None:
    with pytest.raises(ValueError, match="generation must be at least 1, got 0"):
        example_args(generation=0)


def test_the_value_has_what_the_password_policy_asks_for(build: Build, recorder: Recorder) -> None:
    build(lambda: GeneratedSecret("password", example_args()))
    inputs = recorder.one("RandomPassword").inputs
    assert inputs["special"] is True
    assert [inputs[f"min{kind}"] for kind in ("Lower", "Upper", "Numeric", "Special")] == [1, 1, 1, 1]
    assert set(inputs["overrideSpecial"]) <= set("-_.~")


def test_the_version_before_is_disabled_and_not_destroyed(build: Build, recorder: Recorder) -> None:
    build(lambda: GeneratedSecret("password", example_args()))
    assert recorder.one("SecretVersion").inputs["deletionPolicy"] == "DISABLE"
