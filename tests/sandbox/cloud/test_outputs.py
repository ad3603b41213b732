"""Outputs in Google's own forms: of each type something, of the important ones exactly."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

import pytest

from facts.provider import PropertyFacts, all_types, facts_for
from sandbox.cloud import Cloud, World
from sandbox.cloud.data import bare, plain
from sandbox.values import UNKNOWN, Secret
from tests.sandbox.cloud.stage import ACCOUNT, GOOD, PROJECT, PROVIDER, RUN, Stage, T

_PYTHON: dict[str, tuple[type[Any], ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "map": (dict,),
    "object": (dict,),
    "list": (list,),
    "set": (list,),
}


@pytest.fixture(scope="module", name="stage")
def _stage() -> Stage:
    return Stage()


def _outputs(stage: Stage, name: str) -> dict[str, Any]:
    return plain(stage.record(name).outputs)


@pytest.mark.parametrize(
    ("name", "output", "form"),
    [
        ("Network", "selfLink", rf"https://www\.googleapis\.com/compute/v1/{RUN}/global/networks/main"),
        ("Network", "numericId", r"[1-9]\d{18}"),
        ("Subnetwork", "gatewayAddress", r"10\.1\.0\.1"),
        ("Account", "email", rf"api-runtime@{PROJECT}\.iam\.gserviceaccount\.com"),
        ("Account", "member", rf"serviceAccount:api-runtime@{PROJECT}\.iam\.gserviceaccount\.com"),
        ("Account", "uniqueId", r"[1-9]\d{20}"),
        ("Secret", "name", r"projects/\d{12}/secrets/vendor"),
        ("SecretVersion", "name", r"projects/\d{12}/secrets/vendor/versions/1"),
        ("SecretVersion", "version", "1"),
        ("DatabaseInstance", "connectionName", f"{PROJECT}:europe-west1:primary"),
        ("DatabaseInstance", "privateIpAddress", r"10\.20\.\d+\.\d+"),
        ("DatabaseInstance", "serviceAccountEmailAddress", r"p\d{12}-[a-z0-9]{6}@gcp-sa-cloud-sql\..*"),
        ("Instance", "host", r"10\.20\.\d+\.\d+"),
        ("Instance", "persistenceIamIdentity", r"serviceAccount:service-\d{12}@cloud-redis\..*"),
        ("Bucket", "url", "gs://aiprod-test-files"),
        ("Repository", "registryUri", rf"europe-docker\.pkg\.dev/{PROJECT}/images"),
        ("Service", "uri", r"https://api-[a-z2-7]{10}-ew\.a\.run\.app"),
        (
            "Service",
            "latestReadyRevision",
            rf"{RUN}/.*/services/api/revisions/api-00001-\w+",
        ),
        ("AlertPolicy", "name", rf"projects/{PROJECT}/alertPolicies/\d{{19}}"),
        ("NotificationChannel", "name", rf"projects/{PROJECT}/notificationChannels/\d{{19}}"),
        ("UptimeCheckConfig", "uptimeCheckId", r"site-[a-zA-Z]{11}"),
        ("WorkloadIdentityPool", "name", r"projects/\d{12}/locations/global/workloadIdentityPools/github"),
        ("ServiceIdentity", "email", r"service-\d{12}@gcp-sa-secretmanager\.iam\.gserviceaccount\.com"),
        ("Connection", "peering", "servicenetworking-googleapis-com"),
    ],
)
def test_forms(stage: Stage, name: str, output: str, form: str) -> None:
    assert re.fullmatch(form, str(_outputs(stage, name)[output])), _outputs(stage, name)[output]


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("Topic", f"{RUN}/topics/jobs"),
        ("CryptoKey", f"{RUN}/locations/europe-west1/keyRings/ring/cryptoKeys/all"),
        ("DatabaseInstance", "primary"),
        ("User", f"api-runtime@{PROJECT}.iam//primary"),
        ("Bucket", "aiprod-test-files"),
        ("RouterNat", f"{PROJECT}/europe-west1/router/nat"),
        ("Connection", f"projects%2F{PROJECT}%2Fglobal%2Fnetworks%2Fmain:servicenetworking.googleapis.com"),
        ("Certificate", f"{RUN}/locations/global/certificates/site"),
        ("CertificateMapEntry", f"{RUN}/locations/global/certificateMaps/front/certificateMapEntries/site"),
        (
            "SecretIamMember",
            f"{RUN}/secrets/vendor/roles/secretmanager.secretAccessor/serviceAccount:{ACCOUNT}",
        ),
        ("RecordSet", f"{RUN}/managedZones/zone/rrsets/api.example.com./A"),
        ("Metric", "errors"),
    ],
)
def test_ids(stage: Stage, name: str, id: str) -> None:
    assert stage.record(name).id == id


def test_the_dns_record_to_make() -> None:
    record = _outputs(Stage(), "DnsAuthorization")["dnsResourceRecords"][0]
    assert record["name"] == "_acme-challenge.api.example.com."
    assert record["type"] == "CNAME"
    assert record["data"].endswith(".authorize.certificatemanager.goog.")


def test_addresses_are_from_the_documentation_ranges() -> None:
    stage = Stage()
    four = stage.make("GlobalAddress", {"name": "v4"})[1]["address"]
    six = stage.make("GlobalAddress", {"name": "v6", "ipVersion": "IPV6"})[1]["address"]
    assert ipaddress.ip_address(four) in ipaddress.ip_network("203.0.113.0/24")
    assert ipaddress.ip_address(six) in ipaddress.ip_network("2001:db8::/32")


def test_a_run_can_be_repeated() -> None:
    first, second = Stage(), Stage()
    for name in GOOD:
        assert first.record(name).outputs == second.record(name).outputs, name


def test_versions_of_a_secret_are_counted() -> None:
    stage = Stage()
    id, outputs = stage.make("SecretVersion", GOOD["SecretVersion"], logical="second")
    assert id.endswith("/versions/2")
    assert outputs["version"] == "2"


def test_labels_at_google() -> None:
    stage = Stage()
    provider = {**PROVIDER, "defaultLabels": '{"team":"core"}'}
    _, outputs = stage.cloud.create(
        T["Topic"],
        stage.urn("Topic"),
        {"name": "events", "labels": {"a": "b"}},
        preview=False,
        provider=provider,
    )
    assert outputs["effectiveLabels"] == {"goog-pulumi-provisioned": "true", "team": "core", "a": "b"}


def test_secrets_stay_secret() -> None:
    stage = Stage()
    outputs = stage.record("SecretVersion").outputs
    assert isinstance(outputs["secretData"], Secret)
    written = stage.make(
        "SecretVersion",
        {"secret": f"{RUN}/secrets/vendor", "secretDataWo": "hidden", "secretDataWoVersion": "1"},
    )
    assert "secretDataWo" not in written[1]


def test_a_preview_knows_what_follows_from_the_inputs_only() -> None:
    stage = Stage()
    _, outputs = stage.cloud.create(
        T["Topic"], stage.urn("Topic"), {"name": UNKNOWN}, preview=True, provider=PROVIDER
    )
    assert outputs["name"] is UNKNOWN
    assert outputs["project"] == PROJECT
    assert outputs["messageStoragePolicy"] is UNKNOWN
    _, account = stage.cloud.create(
        T["Account"], stage.urn("Account"), {"accountId": "runtime"}, preview=True, provider=PROVIDER
    )
    assert account["email"] is UNKNOWN


def _typed(properties: Any, values: dict[str, Any], path: str) -> None:
    found: PropertyFacts
    for name, found in properties.items():
        where = f"{path}.{name}"
        if found.computed and not found.write_only:
            assert name in values, where
            value = bare(values[name])
            assert isinstance(value, _PYTHON[found.type]), (where, value)
            if found.type == "object":
                _typed(found.properties, value, where)


@pytest.mark.parametrize("type", all_types())
def test_every_computed_property_has_a_value_of_its_type(type: str) -> None:
    facts = facts_for(type)
    assert facts is not None
    samples: dict[str, Any] = {
        "string": "sample-1",
        "integer": 1,
        "number": 1,
        "boolean": True,
        "list": [],
        "set": [],
        "map": {},
        "object": {},
    }
    inputs = {name: samples[item.type] for name, item in facts.properties.items() if item.required}
    from sandbox.cloud.computed import Making
    from sandbox.cloud.outputs import outputs_of
    from sandbox.cloud.scope import Scope
    from sandbox.cloud.seeds import Seeds

    scope = Scope(PROJECT, "europe-west1", "europe-west1-b")
    making = Making(type, f"projects/{PROJECT}/a/b", inputs, scope, "123456789012", Seeds(type), World())
    outputs = outputs_of(facts, inputs, making)
    _typed({name: item for name, item in facts.properties.items() if name not in inputs}, outputs, type)
    assert outputs["id"]


def test_an_update_keeps_what_google_chose() -> None:
    stage = Stage()
    old = stage.record("Service")
    changed = {**GOOD["Service"], "labels": {"a": "b"}}
    outputs = stage.change("Service", changed)
    for name in ("uri", "uid", "createTime", "urls"):
        assert outputs[name] == old.outputs[name]
    assert outputs["generation"] == "2"
    assert outputs["etag"] != old.outputs["etag"]
    assert outputs["effectiveLabels"]["a"] == "b"


def test_what_is_unknown_at_its_deployment_is_refused() -> None:
    from sandbox.errors import CloudError

    with pytest.raises(CloudError, match="still unknown"):
        Cloud(World()).create(T["Topic"], "urn", {"name": UNKNOWN}, preview=False, provider=PROVIDER)


def test_a_missing_project_is_refused() -> None:
    from sandbox.errors import CloudError

    with pytest.raises(CloudError, match="`project` is not set"):
        Cloud(World()).create(T["Topic"], "urn", {"name": "jobs"}, preview=False)
