"""The API service: only behind the load balancer, pinned by digest, probed, traffic that adds up."""

from __future__ import annotations

from typing import Any

import pytest

from components.compute.http_service import (
    CollectorConfig,
    DirectVpc,
    GrpcProbe,
    HttpProbe,
    HttpService,
    HttpServiceArgs,
    InstanceBounds,
    Invokers,
    MetricsCollector,
    OpenToEdge,
    PlatformPolicy,
    ProjectPolicy,
    SecretFile,
    SecretVersion,
    TcpProbe,
)
from facts.refusal import RefusedError
from tests.recording import Build, Recorder

IMAGE = "europe-docker.pkg.dev/p-example/aiprod/api@sha256:" + "a" * 64
COLLECTOR = "europe-docker.pkg.dev/p-example/aiprod/collector@sha256:" + "c" * 64
SERVICE = "cloudrunv2/service:Service"


def example_args(**changes: Any) -> HttpServiceArgs:
    """The smallest legal arguments."""
    values: dict[str, Any] = {
        "project": "p-example",
        "service_name": "api",
        "location": "europe-west1",
        "image": IMAGE,
        "service_account": "api@p-example.iam.gserviceaccount.com",
        "kms_key": "projects/p-example/locations/europe-west1/keyRings/r/cryptoKeys/k",
        "vpc": DirectVpc(network="network", subnetwork="subnetwork"),
        "instances": InstanceBounds(minimum=2, maximum=20),
        "labels": {"system": "aiprod"},
        "cpu": "2",
        "memory": "2Gi",
        "startup_probe": HttpProbe(path="/health"),
        "liveness_probe": HttpProbe(path="/health"),
        "readiness_probe": HttpProbe(path="/health"),
        "invocation": OpenToEdge(),
    }
    return HttpServiceArgs(**{**values, **changes})


def inputs_of(build: Build, recorder: Recorder, **changes: Any) -> Any:
    build(lambda: HttpService("api", example_args(**changes)))
    return recorder.one(SERVICE).inputs


def app_of(build: Build, recorder: Recorder, **changes: Any) -> Any:
    return inputs_of(build, recorder, **changes)["template"]["containers"][0]


def test_service_answers_only_behind_the_load_balancer(build: Build, recorder: Recorder) -> None:
    inputs = inputs_of(build, recorder)
    assert inputs["ingress"] == "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"
    assert inputs["defaultUriDisabled"] is True
    assert inputs["invokerIamDisabled"] is True
    assert recorder.of_type("ServiceIamMember") == []


def test_only_named_invokers_may_call(build: Build, recorder: Recorder) -> None:
    inputs = inputs_of(build, recorder, invocation=Invokers(members={"monitor": "serviceAccount:m"}))
    assert inputs["invokerIamDisabled"] is False
    assert recorder.one("ServiceIamMember", "api-invoker-monitor").inputs == {
        "project": "p-example",
        "location": "europe-west1",
        "name": "api",
        "role": "roles/run.servicesInvoker",
        "member": "serviceAccount:m",
    }


def test_revision_runs_as_its_own_account_with_its_key(build: Build, recorder: Recorder) -> None:
    template = inputs_of(build, recorder, concurrency=40, timeout_seconds=30)["template"]
    assert template["serviceAccount"] == "api@p-example.iam.gserviceaccount.com"
    assert template["encryptionKey"].endswith("cryptoKeys/k")
    assert template["executionEnvironment"] == "EXECUTION_ENVIRONMENT_GEN2"
    assert template["maxInstanceRequestConcurrency"] == 40
    assert template["timeout"] == "30s"
    assert template["labels"] == {"system": "aiprod"}
    assert template["vpcAccess"] == {
        "egress": "ALL_TRAFFIC",
        "networkInterfaces": [{"network": "network", "subnetwork": "subnetwork", "tags": []}],
    }


def test_instance_bounds_stand_at_both_levels(build: Build, recorder: Recorder) -> None:
    inputs = inputs_of(build, recorder, instances=InstanceBounds(minimum=1, maximum=4))
    bounds = {"minInstanceCount": 1, "maxInstanceCount": 4}
    assert inputs["scaling"] == {"scalingMode": "AUTOMATIC", **bounds}
    assert inputs["template"]["scaling"] == bounds


def test_container_has_three_probes_and_stated_resources(build: Build, recorder: Recorder) -> None:
    app = app_of(
        build,
        recorder,
        port=9000,
        startup_probe=HttpProbe(path="/start", period_seconds=5, timeout_seconds=4, failure_threshold=24),
        liveness_probe=HttpProbe(path="/live", period_seconds=30),
        readiness_probe=HttpProbe(path="/ready"),
    )
    assert app["image"] == IMAGE
    assert app["ports"] == {"containerPort": 9000}
    assert app["resources"] == {
        "limits": {"cpu": "2", "memory": "2Gi"},
        "cpuIdle": True,
        "startupCpuBoost": True,
    }
    assert app["startupProbe"] == {
        "httpGet": {"path": "/start", "port": 9000},
        "periodSeconds": 5,
        "timeoutSeconds": 4,
        "failureThreshold": 24,
    }
    assert app["livenessProbe"]["httpGet"] == {"path": "/live", "port": 9000}
    assert app["livenessProbe"]["periodSeconds"] == 30
    assert app["readinessProbe"] == {
        "httpGet": {"path": "/ready", "port": 9000},
        "periodSeconds": 10,
        "timeoutSeconds": 5,
        "failureThreshold": 3,
    }


def test_probes_go_over_grpc_and_tcp_as_well(build: Build, recorder: Recorder) -> None:
    app = app_of(
        build,
        recorder,
        port=9000,
        startup_probe=TcpProbe(),
        liveness_probe=GrpcProbe(service="health", period_seconds=1200),
        readiness_probe=GrpcProbe(),
    )
    times = {"periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 3}
    assert app["startupProbe"] == {"tcpSocket": {"port": 9000}, **times}
    assert app["livenessProbe"] == {
        "grpc": {"port": 9000, "service": "health"},
        **times,
        "periodSeconds": 1200,
    }
    assert app["readinessProbe"] == {"grpc": {"port": 9000}, **times}


def test_start_is_without_a_boost_where_it_is_switched_off(build: Build, recorder: Recorder) -> None:
    assert app_of(build, recorder, startup_boost=False)["resources"]["startupCpuBoost"] is False


@pytest.mark.parametrize(
    ("admission", "expected"),
    [
        (None, None),
        (ProjectPolicy(), {"useDefault": True}),
        (
            PlatformPolicy(policy="projects/p/platforms/cloudRun/policies/signed"),
            {"policy": "projects/p/platforms/cloudRun/policies/signed"},
        ),
    ],
)
def test_images_are_admitted_by_the_policy_that_is_named(
    build: Build, recorder: Recorder, admission: Any, expected: Any
) -> None:
    assert inputs_of(build, recorder, image_admission=admission).get("binaryAuthorization") == expected


def test_tokens_may_name_the_audiences_that_are_given(build: Build, recorder: Recorder) -> None:
    inputs = inputs_of(build, recorder, custom_audiences=("https://api.example",))
    assert inputs["customAudiences"] == ["https://api.example"]


def test_collector_reads_its_configuration_from_a_folder_that_a_revision_keeps(
    build: Build, recorder: Recorder
) -> None:
    config = CollectorConfig(bucket="p-example-collector", folder="0123abcd")
    template = inputs_of(build, recorder, metrics_collector=MetricsCollector(image=COLLECTOR, config=config))[
        "template"
    ]
    assert template["volumes"] == [
        {
            "name": "collector-config",
            "gcs": {
                "bucket": "p-example-collector",
                "readOnly": True,
                "mountOptions": ["only-dir=0123abcd"],
            },
        }
    ]
    mounts = [{"name": "collector-config", "mountPath": "/etc/rungmp"}]
    assert [container.get("volumeMounts") for container in template["containers"]] == [[], mounts]


@pytest.mark.parametrize("folder", ["", "/a", "a,allow-other", "../a", "a b"])
def test_fails_when_the_folder_of_a_collector_is_more_than_a_folder(folder: str) -> None:
    with pytest.raises(RefusedError, match=r"metrics_collector\.config\.folder must be letters"):
        CollectorConfig(bucket="b", folder=folder)


def test_collector_runs_beside_the_app_and_keeps_the_cpu(build: Build, recorder: Recorder) -> None:
    app, collector = inputs_of(build, recorder, metrics_collector=MetricsCollector(image=COLLECTOR))[
        "template"
    ]["containers"]
    assert app["resources"]["cpuIdle"] is False
    assert collector == {
        "name": "collector",
        "image": COLLECTOR,
        "dependsOns": [app["name"]],
        "resources": {"limits": {"cpu": "1", "memory": "512Mi"}, "cpuIdle": False},
        "livenessProbe": {
            "httpGet": {"path": "/liveness", "port": 13133},
            "periodSeconds": 30,
            "timeoutSeconds": 30,
        },
    }


def test_secrets_arrive_as_versions_and_never_as_values(build: Build, recorder: Recorder) -> None:
    app = app_of(
        build,
        recorder,
        environment={"LOG_LEVEL": "info"},
        secrets={"SUNO_API_KEY": SecretVersion(secret="suno-api-key", version="3")},
    )
    assert app["envs"] == [
        {"name": "LOG_LEVEL", "value": "info"},
        {
            "name": "SUNO_API_KEY",
            "valueSource": {"secretKeyRef": {"secret": "suno-api-key", "version": "3"}},
        },
    ]


def test_database_socket_and_secret_file_are_mounted(build: Build, recorder: Recorder) -> None:
    ca = SecretFile(content=SecretVersion(secret="ca", version="1"), path="/etc/redis/ca.pem")
    template = inputs_of(build, recorder, secret_files={"redis-ca": ca}, cloud_sql_instances=("p:r:db",))[
        "template"
    ]
    assert template["volumes"] == [
        {"name": "redis-ca", "secret": {"secret": "ca", "items": [{"path": "ca.pem", "version": "1"}]}},
        {"name": "cloudsql", "cloudSqlInstance": {"instances": ["p:r:db"]}},
    ]
    assert template["containers"][0]["volumeMounts"] == [
        {"name": "redis-ca", "mountPath": "/etc/redis"},
        {"name": "cloudsql", "mountPath": "/cloudsql"},
    ]


def test_protection_is_on_unless_switched_off() -> None:
    assert example_args().deletion_protection is True


@pytest.mark.parametrize("protection", [True, False])
def test_deletion_protection_is_stated(build: Build, recorder: Recorder, protection: bool) -> None:
    assert inputs_of(build, recorder, deletion_protection=protection)["deletionProtection"] is protection


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image": "europe-docker.pkg.dev/p/aiprod/api:latest"}, "image must be pinned as HOST/PATH@sha256"),
        ({"image": "api@sha256:" + "a" * 64}, "image must be pinned"),
        ({"image": IMAGE[:-1]}, "image must be pinned"),
        ({"service_name": "a" * 50}, "run service name must have 1 to 49 characters"),
        ({"cpu": "3"}, "cpu must be one of 1, 2, 4, 8, got '3'"),
        ({"cpu": "1", "memory": "8Gi"}, "memory must be between 512 and 4096 Mi for 1 cpu, got '8Gi'"),
        ({"cpu": "4", "memory": "1Gi"}, "memory must be between 2048 and 16384 Mi for 4 cpu, got '1Gi'"),
        ({"memory": "2G"}, "memory must be a number with Mi or Gi, got '2G'"),
        ({"concurrency": 1001}, "concurrency must be between 1 and 1000 requests, got 1001"),
        ({"timeout_seconds": 3601}, "timeout_seconds must be between 1 and 3600 seconds, got 3601"),
        ({"port": 0}, "port must be between 1 and 65535"),
        (
            {"startup_probe": TcpProbe(period_seconds=241)},
            r"startup_probe\.period_seconds must be between 1 and 240 seconds, got 241",
        ),
        (
            {"readiness_probe": HttpProbe(path="/", period_seconds=241)},
            r"readiness_probe\.period_seconds must be between 1 and 240 seconds, got 241",
        ),
        (
            {"startup_probe": TcpProbe(period_seconds=60, failure_threshold=5)},
            "startup_probe must decide within 240 seconds, .*, got 60 times 5, which is 300; lower one",
        ),
        (
            {"readiness_probe": HttpProbe(path="/", period_seconds=10, failure_threshold=25)},
            "readiness_probe must decide within 240 seconds, .*, got 10 times 25",
        ),
        (
            {"liveness_probe": GrpcProbe(period_seconds=3600, failure_threshold=2)},
            "liveness_probe must decide within 3600 seconds, .*, got 3600 times 2",
        ),
        (
            {"custom_audiences": tuple(f"https://{number}.example" for number in range(16))},
            "custom_audiences must be at most 15, got 16; remove some",
        ),
        *(
            (
                {"custom_audiences": ("https://api.example", audience)},
                f"custom_audiences must be addresses without spaces, got {audience!r}; correct it",
            )
            for audience in ("", " ", "a b")
        ),
        ({"environment": {"PORT": "1"}}, "environment variables must not be .*, got 'PORT'; rename it"),
        ({"environment": {"1A": "1"}}, "no digit first, got '1A'; rename it"),
        (
            {"environment": {"A": "1"}, "secrets": {"A": SecretVersion(secret="s", version="1")}},
            "must differ from those of secrets, got 'A' in both; remove one",
        ),
    ],
)
def test_fails_when_a_field_is_what_cloud_run_refuses(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        example_args(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"startup_probe": TcpProbe(period_seconds=240, failure_threshold=1)},
        {"startup_probe": TcpProbe(period_seconds=10, failure_threshold=24)},
        {"readiness_probe": HttpProbe(path="/", period_seconds=80, failure_threshold=3)},
        {"liveness_probe": HttpProbe(path="/", period_seconds=36, failure_threshold=100)},
    ],
)
def test_a_probe_may_use_all_of_its_time(changes: dict[str, Any]) -> None:
    example_args(**changes)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: HttpProbe(path="health"),
            "hold no space, [?] and #, got 'health'; correct it",
        ),
        *(
            (lambda path=path: HttpProbe(path=path), "path must begin with / and hold no space")
            for path in ("/h ?x", "/h?x", "/h#x", "/h x", "")
        ),
        (
            lambda: HttpProbe(path="/", period_seconds=5, timeout_seconds=6),
            "timeout_seconds must be between 1 and 5 seconds, got 6",
        ),
        (lambda: HttpProbe(path="/", period_seconds=3601), "period_seconds must be between 1 and 3600"),
        (lambda: GrpcProbe(timeout_seconds=11), "timeout_seconds must be between 1 and 10 seconds, got 11"),
        (lambda: TcpProbe(timeout_seconds=0), "timeout_seconds must be between 1 and 10 seconds, got 0"),
        (lambda: HttpProbe(path="/", failure_threshold=0), "failure_threshold must be between 1 and 100"),
        (lambda: InstanceBounds(minimum=3, maximum=2), "minimum must be between 0 and 2 instances, got 3"),
        (lambda: InstanceBounds(minimum=0, maximum=0), "maximum must be between 1 and 1000 instances, got 0"),
        (
            lambda: MetricsCollector(image="europe-docker.pkg.dev/p/c:1"),
            r"metrics_collector\.image must be pinned",
        ),
        (
            lambda: PlatformPolicy(policy="house"),
            "policy must be projects/P/platforms/cloudRun/policies/NAME, got 'house'",
        ),
        (
            lambda: SecretVersion(secret="s", version="latest"),
            "version must be a version number",
        ),
    ],
)
def test_fails_when_a_part_is_out_of_range(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
