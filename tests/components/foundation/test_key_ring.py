from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.foundation.key_ring import Key, KeyRing, KeyRingArgs
from tests.recording import Build, Recorder

RING = "projects/project/locations/europe-west1/keyRings/aiprod-keyring"


def example_args(**changes: Any) -> KeyRingArgs:
    args = KeyRingArgs(
        project_id="project",
        location="europe-west1",
        ring_name="aiprod-keyring",
        keys={
            "secrets": Key(
                name="aiprod-secrets-key", members={"secretmanager": "serviceAccount:s@example.com"}
            ),
            "sql": Key(name="aiprod-sql-key", members={"sql": "serviceAccount:q@example.com"}),
        },
        labels={"system": "aiprod"},
    )
    return replace(args, **changes)


def test_each_class_of_consumers_has_its_key(build: Build, recorder: Recorder) -> None:
    ring = build(lambda: KeyRing("keys", example_args()))
    assert {r.inputs["name"] for r in recorder.of_type("CryptoKey")} == {
        "aiprod-secrets-key",
        "aiprod-sql-key",
    }
    assert {r.inputs["rotationPeriod"] for r in recorder.of_type("CryptoKey")} == {"7776000s"}
    assert list(ring.key_ids) == ["secrets", "sql"]


def test_each_agent_may_use_its_own_key_only(build: Build, recorder: Recorder) -> None:
    build(lambda: KeyRing("keys", example_args()))
    assert {
        (r.name, r.inputs["cryptoKeyId"], r.inputs["role"], r.inputs["member"])
        for r in recorder.of_type("CryptoKeyIAMMember")
    } == {
        (
            "keys-secrets-secretmanager",
            "keys-secrets-id",
            "roles/cloudkms.cryptoKeyEncrypterDecrypter",
            "serviceAccount:s@example.com",
        ),
        (
            "keys-sql-sql",
            "keys-sql-id",
            "roles/cloudkms.cryptoKeyEncrypterDecrypter",
            "serviceAccount:q@example.com",
        ),
    }


def test_ring_and_keys_are_never_deleted_but_grants_may_be(build: Build, recorder: Recorder) -> None:
    build(lambda: KeyRing("keys", example_args()))
    assert recorder.one("KeyRing").protect
    assert all(r.protect and r.inputs["deletionPolicy"] == "PREVENT" for r in recorder.of_type("CryptoKey"))
    assert not any(r.protect for r in recorder.of_type("CryptoKeyIAMMember"))


def test_adopting_imports_ring_and_keys_and_keeps_them_protected(build: Build, recorder: Recorder) -> None:
    build(lambda: KeyRing("keys", example_args(adopt=True)))
    assert recorder.one("KeyRing").import_id == RING
    key = recorder.one("CryptoKey", "keys-secrets")
    assert (key.import_id, key.protect) == (f"{RING}/cryptoKeys/aiprod-secrets-key", True)


def test_nothing_is_imported_unless_asked(build: Build, recorder: Recorder) -> None:
    build(lambda: KeyRing("keys", example_args()))
    assert not any(r.import_id for r in recorder.resources)


@pytest.mark.parametrize("seconds", [86_399, 7_776_001])
def test_fails_when_rotation_is_outside_1_to_90_days(seconds: int) -> None:
    with pytest.raises(ValueError, match=f"between 86400 and 7776000 seconds, got {seconds}"):
        example_args(rotation_period_seconds=seconds)


def test_fails_when_there_is_no_key() -> None:
    with pytest.raises(ValueError, match="keys must name at least one class of consumers"):
        example_args(keys={})


def test_fails_when_a_key_name_is_not_what_google_accepts() -> None:
    with pytest.raises(ValueError, match=r"key name must .*'a key'"):
        Key(name="a key", members={})


def test_fails_when_a_member_is_in_a_wrong_form() -> None:
    with pytest.raises(ValueError, match=r"members\.sql must be written as serviceAccount:"):
        Key(name="aiprod-sql-key", members={"sql": "serviceaccount:agent@example.com"})
