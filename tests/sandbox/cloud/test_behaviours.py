"""Every behaviour refuses its case and leaves the good platform alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from facts.google.service_agents import agent_email
from sandbox.cloud.behaviours import BEHAVIOURS, Call, Phase, switched_off
from sandbox.cloud.scope import Scope
from sandbox.errors import CloudError
from tests.sandbox.cloud.case import Case
from tests.sandbox.cloud.cases import CASES, NEIGHBOURS
from tests.sandbox.cloud.stage import (
    ACCOUNT,
    GOOD,
    IMAGE,
    KEY,
    NETWORK,
    PROJECT,
    PROVIDER,
    SECRET,
    TOPIC,
    Stage,
    T,
    patched,
)

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


def _alert(stage: Stage, id: str) -> None:
    condition = {
        "displayName": "down",
        "conditionThreshold": {
            "filter": f'metric.type="x" AND metric.label.check_id="{id.rsplit("/", 1)[-1]}"',
            "comparison": "COMPARISON_GT",
            "duration": "60s",
        },
    }
    inputs: dict[str, Any] = {"displayName": "down", "combiner": "OR", "conditions": [condition]}
    if "notificationChannels" in id:
        inputs["notificationChannels"] = [id]
    stage.make("AlertPolicy", inputs, logical="before")


def _arrange(stage: Stage, step: str, name: str, changes: dict[str, Any]) -> None:
    """Put the world into a state that the case needs."""
    match step:
        case "lose":
            stage.make(name, changes, logical="lost")
            stage.delete(name)
        case "clear":
            for each in name.split():
                for record in stage.world.find(T[each]):
                    stage.world.remove(T[each], record.id)
        case "stand":
            stage.world.add(T[name], f"{name}-id", changes, changes)
        case "point":
            old = stage.record(name)
            stage.world.add(T[name], old.id, {**old.inputs, **changes}, old.outputs)
        case "tune" | "behind":
            old = stage.record(name)
            if step == "behind":
                stage.known[name] = old
            stage.world.add(T[name], old.id, patched(old.inputs, changes), old.outputs)
        case _:
            _alert(stage, stage.record(name).id)


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
            case "lose" | "clear" | "stand" | "point" | "tune" | "behind" | "alert":
                _arrange(stage, step, name, changes)
            case "publish":
                _grant(stage, "secretmanager", "roles/pubsub.publisher", "TopicIAMMember", {"topic": TOPIC})
            case "agent":
                function = "gcp:logging/getProjectCmekSettings:getProjectCmekSettings"
                answer = stage.cloud.invoke(function, {}, provider=PROVIDER)
                member = f"serviceAccount:{answer['serviceAccountId']}"
                stage.make("CryptoKeyIAMMember", {"cryptoKeyId": KEY, "role": encrypter, "member": member})
            case "image":
                stage.world.facts.images.add(name)
            case "services":
                stage.world.facts.enabled_services = set()
            case "release":
                stage.world.facts.assume_release = False
            case _:
                return {"masterInstanceName": name}
    return {}


def _play(stage: Stage, case: Case, changes: dict[str, Any]) -> None:
    more = _before(stage, case)
    number = stage.world.project_number(PROJECT)
    changes = {
        path: value.replace("{number}", number) if isinstance(value, str) else value
        for path, value in {**changes, **more}.items()
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


def _refusals(case: Case, changes: dict[str, Any]) -> set[str]:
    """The ids of the behaviours that refuse this case with these changes."""
    stage = Stage.again()
    if case.verb == "check":
        _before(stage, case)
        inputs = _fresh(case.name, changes)
        _, failures = stage.cloud.check(T[case.name], stage.urn(case.name, "new"), None, inputs, b"seed")
        call = Call(Phase.CHECK, T[case.name], "", inputs, Scope(), stage.world)
        found = [problem.sentence for problem in BEHAVIOURS[case.behaviour].rule(call)]
        return {case.behaviour for failure in failures if failure.reason in found}
    try:
        _play(stage, case, changes)
    except CloudError as refused:
        known = BEHAVIOURS[refused.behaviour]
        fine = refused.source and refused.message.endswith(".") and refused.code == known.status
        return {refused.behaviour if fine else refused.message}
    return set()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.behaviour)
def test_refuses(case: Case) -> None:
    assert _refusals(case, case.changes) == {case.behaviour}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.behaviour)
def test_switched_off_it_refuses_no_longer(case: Case) -> None:
    with switched_off(case.behaviour):
        assert case.behaviour not in _refusals(case, case.changes)


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.fine is not None], ids=lambda case: case.behaviour
)
def test_accepts_the_nearest_legal_case(case: Case) -> None:
    assert _refusals(case, case.fine or {}) == set()


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.fine is None and case.verb in {"create", "check"} and case.name in GOOD],
    ids=lambda case: case.behaviour,
)
def test_leaves_the_platforms_own_inputs_alone(case: Case) -> None:
    own = {**GOOD[case.name], **OTHER.get(case.name, {"name": "other"} if "name" in GOOD[case.name] else {})}
    stage = Stage.again()
    phase = Phase.CHECK if case.verb == "check" else Phase.CREATE
    call = Call(phase, T[case.name], "", own, Scope.of(PROVIDER), stage.world, "other")
    found = list(BEHAVIOURS[case.behaviour].rule(call))
    assert found == []


@pytest.mark.parametrize("case", NEIGHBOURS, ids=lambda case: case.behaviour)
def test_accepts_what_stands_just_inside_the_line(case: Case) -> None:
    assert case.behaviour in BEHAVIOURS
    if case.verb == "check":
        stage = Stage.again()
        _before(stage, case)
        inputs = _fresh(case.name, case.changes)
        _, failures = stage.cloud.check(T[case.name], stage.urn(case.name, "new"), None, inputs, b"seed")
        assert failures == []
    else:
        assert _refusals(case, case.changes) == set()


def test_every_behaviour_has_its_nearest_legal_case() -> None:
    near = {case.behaviour for case in NEIGHBOURS} | {
        case.behaviour for case in CASES if case.fine is not None
    }
    assert sorted(BEHAVIOURS.keys() - near) == []


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


def test_a_replaced_key_collides_with_the_one_google_keeps() -> None:
    """KMS-009: a fixed property changes, so the key is made anew under its explicit name."""
    stage = Stage.again()
    record, changed = stage.record("CryptoKey"), patched(GOOD["CryptoKey"], {"purpose": "MAC"})
    diff = stage.cloud.diff(T["CryptoKey"], "", record.id, record.inputs, record.outputs, changed)
    assert diff.replaces == ("purpose",)
    assert diff.delete_before_replace
    stage.delete("CryptoKey")
    with pytest.raises(CloudError) as refused:
        stage.make("CryptoKey", patched(changed, {"rotationPeriod": None}), logical="anew")
    assert refused.value.behaviour == "KMS-001"


def test_a_replaced_zone_is_not_empty() -> None:
    """DNS-007: a fixed property changes while records exist."""
    stage = Stage.again()
    record, changed = stage.record("ManagedZone"), patched(GOOD["ManagedZone"], {"dnsName": "example.org."})
    diff = stage.cloud.diff(T["ManagedZone"], "", record.id, record.inputs, record.outputs, changed)
    assert diff.replaces == ("dnsName",)
    with pytest.raises(CloudError) as refused:
        stage.delete("ManagedZone")
    assert refused.value.behaviour == "DNS-006"


def test_the_agent_of_valkey_waits_for_its_identity() -> None:
    """AGT-007: it does not exist until somebody asks, whatever the grant is on."""
    stage = Stage.again()
    email = agent_email("memorystore", stage.world.project_number(PROJECT))
    grant = {"topic": TOPIC, "role": "roles/pubsub.publisher", "member": f"serviceAccount:{email}"}
    with pytest.raises(CloudError) as refused:
        stage.make("TopicIAMMember", grant)
    assert refused.value.behaviour == "AGT-001"
    stage.make("ServiceIdentity", {"service": "memorystore.googleapis.com"}, logical="valkey")
    stage.make("TopicIAMMember", grant)


@pytest.mark.parametrize(
    ("agent", "behaviour"),
    [
        ("gcp-sa-cloud-sql", "AGT-001"),
        ("gs-project-accounts", "AGT-002"),
        ("gcp-sa-logging", "AGT-003"),
        ("gcp-sa-redis", "AGT-008"),
    ],
)
@pytest.mark.parametrize("shape", ["TopicIAMMember", "TopicIAMBinding", "TopicIAMPolicy"])
def test_an_agent_is_missed_in_every_shape_of_grant(agent: str, behaviour: str, shape: str) -> None:
    stage = Stage.again()
    number, role = stage.world.project_number(PROJECT), "roles/pubsub.publisher"
    members = ["group:team@example.com", f"serviceAccount:service-{number}@{agent}.iam.gserviceaccount.com"]
    policy = json.dumps({"bindings": [{"role": role, "members": members}]})
    given: dict[str, dict[str, Any]] = {
        "TopicIAMMember": {"role": role, "member": members[1]},
        "TopicIAMBinding": {"role": role, "members": members},
        "TopicIAMPolicy": {"policyData": policy},
    }
    with pytest.raises(CloudError) as refused:
        stage.make(shape, {"topic": TOPIC, **given[shape]})
    assert refused.value.behaviour == behaviour


@pytest.mark.parametrize(
    ("member", "condition", "behaviour"),
    [
        (f"serviceAccount:nobody-runtime@{PROJECT}.iam.gserviceaccount.com", "true", "REF-001"),
        ("team@example.com", "true", "IAM-003"),
        ("group:team@example.com", "request.time < timestamp('2030", "IAM-017"),
        (f"serviceAccount:{ACCOUNT}", "request.time < timestamp('2030-01-01T00:00:00Z')", None),
    ],
)
def test_a_policy_is_read_as_the_grants_it_holds(member: str, condition: str, behaviour: str | None) -> None:
    bindings = [
        {
            "role": "roles/secretmanager.secretAccessor",
            "members": [member],
            "condition": {"title": "x", "expression": condition},
        }
    ]
    policy = {"secretId": SECRET, "policyData": json.dumps({"bindings": bindings})}
    if behaviour is None:
        Stage.again().make("SecretIamPolicy", policy)
        return
    with pytest.raises(CloudError) as refused:
        Stage.again().make("SecretIamPolicy", policy)
    assert refused.value.behaviour == behaviour


@pytest.mark.parametrize(("address", "refused"), [("10.1.0.128", True), ("10.22.0.5", False)])
def test_a_reserved_range_is_the_one_around_its_address(address: str, refused: bool) -> None:
    inputs = patched(GOOD["GlobalAddress"], {"name": "more", "address": address})
    if not refused:
        Stage.again().make("GlobalAddress", inputs)
        return
    with pytest.raises(CloudError) as found:
        Stage.again().make("GlobalAddress", inputs)
    assert found.value.behaviour == "SVN-008"


@pytest.mark.parametrize(("range", "refused"), [("10.3.0.0/27", True), ("10.3.0.0/26", False)])
def test_a_job_needs_a_subnetwork_as_large_as_a_service(range: str, refused: bool) -> None:
    stage = Stage.again()
    stage.make(
        "Subnetwork", patched(GOOD["Subnetwork"], {"name": "jobs", "ipCidrRange": range}), logical="jobs"
    )
    interface = {"network": NETWORK, "subnetwork": "jobs"}
    task = {"containers": [{"image": IMAGE}], "vpcAccess": {"networkInterfaces": [interface]}}
    job = {"name": "nightly", "location": "europe-west1", "template": {"template": task}}
    if not refused:
        stage.make("Job", job)
        return
    with pytest.raises(CloudError) as found:
        stage.make("Job", job)
    assert found.value.behaviour == "RUN-036"
