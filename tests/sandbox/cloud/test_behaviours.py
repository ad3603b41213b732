"""Every behaviour refuses its case and leaves the good platform alone."""

from __future__ import annotations

from typing import Any

import pytest

from facts.google.service_agents import agent_email
from sandbox.cloud.behaviours import BEHAVIOURS, Call, Phase
from sandbox.cloud.scope import Scope
from sandbox.errors import CloudError
from tests.sandbox.cloud.case import Case
from tests.sandbox.cloud.cases import CASES
from tests.sandbox.cloud.stage import GOOD, KEY, PROJECT, PROVIDER, TOPIC, Stage, T, patched

# What makes another resource of a type beside the platform's own one.
OTHER: dict[str, dict[str, Any]] = {
    "Account": {"accountId": "other-account"},
    "CertificateMapEntry": {"name": "other", "hostname": "other.example.com"},
    "Connection": {},
    "GlobalAddress": {"name": "other", "address": "10.30.0.0"},
    "GlobalForwardingRule": {"name": "other", "ipAddress": "203.0.113.9"},
    "ProjectBucketConfig": {"bucketId": "other"},
    "Repository": {"repositoryId": "other"},
    "Secret": {"secretId": "other"},
    "Subnetwork": {"name": "other", "ipCidrRange": "10.2.0.0/24"},
}


def _fresh(name: str, changes: dict[str, Any]) -> dict[str, Any]:
    base = GOOD.get(name, {})
    other = OTHER.get(name, {"name": "other"} if "name" in base else {})
    return patched({**base, **other}, changes)


def _grant(stage: Stage, service: str, role: str, name: str, target: dict[str, Any]) -> None:
    number = stage.world.project_number(PROJECT)
    stage.make("ServiceIdentity", {"service": f"{service}.googleapis.com"}, logical=service)
    email = agent_email(service, number)
    stage.make(
        name, {**target, "role": role, "member": f"serviceAccount:{email}"}, logical=f"{service}-{name}"
    )


def _before(stage: Stage, case: Case) -> dict[str, Any]:
    """Play what happens first; returns further changes for the case itself."""
    encrypter = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
    for step, name, changes in case.before:
        match step:
            case "make":
                stage.make(name, _fresh(name, changes), logical="before")
            case "change":
                stage.change(name, patched(GOOD[name], changes))
            case "delete":
                stage.delete(name)
            case "grant":
                _grant(stage, name, encrypter, "CryptoKeyIAMMember", {"cryptoKeyId": KEY})
            case "publish":
                _grant(stage, "secretmanager", "roles/pubsub.publisher", "TopicIAMMember", {"topic": TOPIC})
            case "agent":
                function = "gcp:logging/getProjectCmekSettings:getProjectCmekSettings"
                answer = stage.cloud.invoke(function, {}, provider=PROVIDER)
                member = f"serviceAccount:{answer['serviceAccountId']}"
                stage.make("CryptoKeyIAMMember", {"cryptoKeyId": KEY, "role": encrypter, "member": member})
            case "services":
                stage.world.facts.enabled_services = set()
            case "release":
                stage.world.facts.assume_release = False
            case _:
                return {"masterInstanceName": name}
    return {}


def _play(stage: Stage, case: Case) -> None:
    more = _before(stage, case)
    number = stage.world.project_number(PROJECT)
    changes = {
        path: value.replace("{number}", number) if isinstance(value, str) else value
        for path, value in {**case.changes, **more}.items()
    }
    if case.verb == "create":
        inputs = _fresh(case.name, changes)
        stage.cloud.create(
            T[case.name], stage.urn(case.name, "new"), inputs, preview=False, provider=PROVIDER
        )
    elif case.verb == "update":
        stage.change(case.name, patched(GOOD[case.name], changes))
    else:
        stage.delete(case.name)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.behaviour)
def test_refuses(case: Case) -> None:
    stage = Stage()
    if case.verb == "check":
        inputs = _fresh(case.name, case.changes)
        _, failures = stage.cloud.check(T[case.name], stage.urn(case.name, "new"), None, inputs, b"seed")
        call = Call(Phase.CHECK, T[case.name], "", inputs, Scope(), stage.world)
        found = list(BEHAVIOURS[case.behaviour].rule(call))
        assert found, case
        assert found[0].sentence in [failure.reason for failure in failures]
        return
    with pytest.raises(CloudError) as refused:
        _play(stage, case)
    known = BEHAVIOURS[case.behaviour]
    assert (refused.value.behaviour, refused.value.code) == (known.id, known.status), refused.value.message
    assert refused.value.source


def test_every_behaviour_has_a_case() -> None:
    assert {case.behaviour for case in CASES} == set(BEHAVIOURS)


def test_every_behaviour_says_what_it_refuses() -> None:
    for known in BEHAVIOURS.values():
        assert known.title.endswith("."), known.id
        assert 400 <= known.status < 600
        assert known.reason
        assert known.source


def test_the_good_platform_changes_nothing_when_repeated() -> None:
    stage = Stage()
    for name, inputs in GOOD.items():
        record = stage.record(name)
        diff = stage.cloud.diff(T[name], stage.urn(name), record.id, record.inputs, record.outputs, inputs)
        assert not diff.changes, (name, diff)


def test_the_good_platform_can_be_taken_down_in_reverse() -> None:
    stage = Stage()
    for name in reversed(GOOD):
        stage.delete(name)
    assert [record.type for record in stage.world] == []
    assert stage.world.leftover(T["KeyRing"], f"projects/{PROJECT}/locations/europe-west1/keyRings/ring")


def test_a_kept_key_ring_is_taken_up_by_an_import() -> None:
    stage = Stage()
    ring = stage.record("KeyRing")
    stage.delete("CryptoKey")
    stage.delete("KeyRing")
    asked = stage.cloud.read(T["KeyRing"], "", ring.id, None, provider=PROVIDER)
    assert asked is not None
    assert stage.world.get(T["KeyRing"], ring.id) is None, "asking takes nothing up"
    assert stage.cloud.read(T["KeyRing"], stage.urn("KeyRing"), ring.id, None, provider=PROVIDER) is not None
    assert stage.world.get(T["KeyRing"], ring.id) is not None


def test_a_preview_refuses_nothing_and_leaves_the_world_alone() -> None:
    stage = Stage()
    before = stage.world.to_json()
    id, _ = stage.cloud.create(
        T["Topic"], stage.urn("Topic"), {"name": "jobs"}, preview=True, provider=PROVIDER
    )
    assert id == ""
    assert stage.world.to_json() == before


def test_a_grant_on_the_key_ring_is_enough() -> None:
    stage = Stage()
    email = agent_email("pubsub", stage.world.project_number(PROJECT))
    ring = KEY.rpartition("/cryptoKeys/")[0]
    grant = {
        "keyRingId": ring,
        "role": "roles/cloudkms.cryptoKeyEncrypterDecrypter",
        "member": f"serviceAccount:{email}",
    }
    stage.make("KeyRingIAMMember", grant)
    stage.make("Topic", {"name": "sealed", "kmsKeyName": KEY}, logical="sealed")
