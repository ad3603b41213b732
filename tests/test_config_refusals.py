"""What is wrong in a stack file is said in one sentence."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config import ConfigError, parse
from tests.stack_files import changed, values


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("regoin", "europe-west1", "aiprod:regoin is not a known key; did you mean region"),
        ("postgres.teir", "x", "aiprod:postgres.teir is not a known key; did you mean tier"),
        ("postgres.schedule.hours", 3, "aiprod:postgres.schedule.hours is not a known key"),
        ("postgres.backups_kept", "7", "aiprod:postgres.backups_kept must be a valid integer, got '7'"),
        (
            "postgres.backups_kept",
            3,
            "aiprod:postgres.backups_kept must be greater than or equal to 7, got 3",
        ),
        ("deletion_protection", "yes", "aiprod:deletion_protection must be a valid boolean, got 'yes'"),
        ("deployed_by", "gitlab", "aiprod:deployed_by must be 'github' or 'people', got 'gitlab'"),
        ("redis.memory_size_gb", 1.5, "aiprod:redis.memory_size_gb must be a valid integer"),
        (
            "redis.memory_size_gb",
            301,
            "aiprod:redis.memory_size_gb must be less than or equal to 300, got 301",
        ),
        ("redis.tier", "PREMIUM", "aiprod:redis.tier must be one of 'BASIC', 'STANDARD_HA', got 'PREMIUM'"),
        ("postgres.schedule", {}, "aiprod:postgres.schedule.kind must be given"),
        (
            "postgres.schedule.start_hour",
            24,
            "aiprod:postgres.schedule.start_hour must be less than or equal to 23",
        ),
        (
            "postgres.tier",
            "db-f1-micro",
            "aiprod:postgres.tier must be a dedicated tier such as db-custom-2-7680",
        ),
        ("postgres.disk_autoresize_limit_gb", 10, None),
        (
            "postgres.disk_size_gb",
            60,
            "aiprod:postgres.disk_autoresize_limit_gb must be at least disk_size_gb 60, got 50",
        ),
        (
            "postgres.replicas",
            {"r": {"region": "europe-north1"}},
            "aiprod:postgres.replicas.r.region must be europe-west1 or europe-west4",
        ),
        (
            "postgres.name",
            "Aiprod_DB",
            "aiprod:postgres.name: database instance name must have only lower-case",
        ),
        (
            "region",
            "us-central1",
            "aiprod:region must be 'europe-central2', 'europe-north1', ",
        ),
        ("redis.name", "c" * 41, "aiprod:redis.name: redis instance name must have 1 to 40 characters"),
        ("api.service", "Aiprod API", "aiprod:api.service: run service name must have only"),
        ("keys.ring", "my ring", "aiprod:keys.ring: key name must have only letters"),
        ("secrets.vendor", ["suno/key"], "aiprod:secrets.vendor[0]: secret name must have only"),
        (
            "messaging.queues.jobs",
            {"topic": "goog", "subscription": "abc"},
            "topic name must have only a letter first",
        ),
        (
            "postgres.replicas",
            {"aiprod-postgres": {"region": "europe-west1"}},
            "aiprod:postgres.replicas must not carry the primary's name",
        ),
        ("second_region", "europe-west1", "aiprod:second_region must differ from region"),
        (
            "second_region",
            "europe-west3",
            "aiprod:keys.regions must name second_region europe-west3, got europe-west1, europe-west4;",
        ),
        ("second_region", "europe-west99", "or 'europe-west9', got 'europe-west99'"),
        ("environment", "production", "aiprod:environment must be 'dev', 'staging' or 'prod'"),
        ("secrets.first_rotation", "2027-13-01", "aiprod:secrets.first_rotation must be a day such as"),
        ("secrets.first_rotation", "20270101", "aiprod:secrets.first_rotation must be a day such as"),
        ("network.egress_addresses", ["a", "a"], "aiprod:network.egress_addresses must differ"),
        ("network.egress_addresses", 2, "aiprod:network.egress_addresses must be"),
        ("network.egress_addresses", ["A"], "aiprod:network.egress_addresses[0] must be 1 to 10 lower-case"),
        ("network.run_prefix", 27, "aiprod:network.run_prefix must be less than or equal to 26"),
        ("host", "api.example.com", "aiprod:host must be in edge.zone.domain"),
        ("host", "API.aiprod.ai", "aiprod:host must be a host name in lower case"),
        (
            "project_id",
            "ai",
            "aiprod:project_id: project id name must have 6 to 30 characters, got 'ai' with 2",
        ),
        ("project_id", "-" * 10, "aiprod:project_id: project id name must have only"),
        ("repository", "My Images", "aiprod:repository: repository name must have only"),
        (
            "buckets",
            {"Uploads": {"data_class": "public"}},
            "aiprod:buckets: keys must name uploads, results, got 'Uploads', which nothing uses",
        ),
        (
            "buckets",
            {"uploads": {"data_class": "public"}},
            "aiprod:buckets: keys must name uploads, results, got no results; add it",
        ),
        ("messaging.queues", {}, "batch, got no jobs, results, notifications, batch; add it"),
        (
            "messaging.queues",
            {"mail": {"topic": "mail", "subscription": "mail"}},
            "queues must name jobs, results, notifications, batch, got 'mail', which nothing uses",
        ),
        *(
            (
                path,
                ["ops@example.com", "dev@example.com", "ops@example.org"],
                (
                    f"aiprod:{path} must differ in what stands before the @, which names the grant, got "
                    "ops@example.com and ops@example.org; give the rights to one group that holds both"
                ),
            )
            for path in ("messaging.operators", "secrets.operators", "migration.operators")
        ),
        (
            "messaging.operators",
            ["replay@example.com"],
            "aiprod:messaging.operators must not be named replay, got replay@example.com; rename the group",
        ),
        (
            "messaging.dead_letter_retention_days",
            5,
            "aiprod:messaging.dead_letter_retention_days must be greater than or equal to 7, got 5",
        ),
        (
            "postgres.database",
            "a;drop table",
            "aiprod:postgres.database must be a name of lower-case letters",
        ),
        (
            "postgres.tier",
            "db-custom-3-11520",
            "aiprod:postgres.tier must have 1 processor or an even number",
        ),
        (
            "postgres.tier",
            "db-custom-2-1024",
            "aiprod:postgres.tier must have 3840 MB or more in steps",
        ),
        (
            "workers.memory",
            "64Gi",
            "aiprod:workers.memory must be between 512 and 8192 Mi for 2 cpu, got '64Gi'",
        ),
        (
            "api.memory",
            "64Gi",
            "aiprod:api.memory must be between 512 and 8192 Mi for 2 cpu, got '64Gi'; change it or cpu",
        ),
        ("workers.jobs_per_instance", 0, "greater than or equal to 1"),
        (
            "postgres.schedule.time_zone",
            "Europe/Pairs",
            "a zone of the tz database such as Europe/Paris, got 'Europe/Pairs'",
        ),
        ("workers.schedule.stop_hour", 8, "stop_hour must be after start_hour 8, got 8"),
        ("edge.allowed_ranges", ["0.0.0.0/0"], "aiprod:edge.allowed_ranges[0] must be /16 or narrower"),
        ("edge.allowed_ranges", ["::/0"], "aiprod:edge.allowed_ranges[0] must be /32 or narrower"),
        ("edge.denied_countries", ["XX"], "a country code of ISO 3166-1 such as KP, got 'XX'"),
        (
            "buckets",
            {"uploads": {"data_class": "public", "upload_origins": ["https://*"]}},
            "upload_origins[0] must be an https origin without a path or a wildcard",
        ),
        (
            "observability.emails",
            {"slack": "a@example.com"},
            "aiprod:observability.emails must not have the key slack",
        ),
        (
            "observability.emails",
            {"a b": "a@example.com"},
            "aiprod:observability.emails.a b must be 1 to 40 lower-case letters",
        ),
        (
            "observability.sms_numbers",
            {"devops": "+33199000001"},
            "sms_numbers must have keys other than emails, got devops in both",
        ),
        (
            "buckets",
            {"uploads": {"data_class": "secret"}},
            "aiprod:buckets.uploads.data_class must be 'public', 'internal'",
        ),
        (
            "api.scaling",
            {"min_instances": 3, "max_instances": 2},
            "aiprod:api.scaling.min_instances must be at most max_instances 2",
        ),
        ("edge.waf", "off", "aiprod:edge.waf must be 'preview' or 'enforced', got 'off'"),
        ("observability.emails", {}, "aiprod:observability.emails"),
        (
            "observability.emails.devops",
            "devops",
            "aiprod:observability.emails.devops must be a mail address",
        ),
        (
            "keys.rotation_period_seconds",
            90,
            "aiprod:keys.rotation_period_seconds must be greater than or equal",
        ),
        (
            "network.base_range",
            "10.32.0.1/14",
            "aiprod:network.base_range must be an IPv4 range such as 10.32.0.0/14",
        ),
        ("network.base_range", "8.8.0.0/14", "aiprod:network.base_range must lie inside 10.0.0.0/8"),
        (
            "network.base_range",
            "10.32.0.0/20",
            "aiprod:network.base_range must be a /16 or larger, got '10.32.0.0/20'",
        ),
        (
            "network.base_range",
            "10.32.0.0/16",
            "aiprod:network.base_range must hold one /16 for each of 2 regions",
        ),
        (
            "network.peered_ranges",
            {"office": "10.33.4.0/24"},
            "aiprod:network.base_range 10.32.0.0/14 overlaps network.peered_ranges.office 10.33.4.0/24;",
        ),
        (
            "release.images.api",
            "europe-docker.pkg.dev/aiprod-484120/aiprod/api:latest",
            "an image by digest",
        ),
        (
            "release.images.worker",
            f"docker.io/library/worker@sha256:{'0' * 64}",
            "aiprod:release.images.worker must be europe-docker.pkg.dev/aiprod-484120/aiprod/NAME@sha256",
        ),
        (
            "release.images.web",
            f"a.dev/b@sha256:{'0' * 64}",
            "aiprod:release.images.web must be 'api', 'worker'",
        ),
        ("release.secret_versions.other-key", 1, "got 'other-key'; correct the name"),
        (
            "release.secret_versions",
            {},
            "aiprod:release.secret_versions must give a number for every vendor secret, got none for",
        ),
        ("release.secret_versions.suno-api-key", 0, "must be greater than or equal to 1, got 0"),
        ("host", "REPLACE_ME", "aiprod:host must be given by an operator, got REPLACE_ME"),
        (
            "observability.sms_numbers",
            {"on-call": "REPLACE_ME"},
            "aiprod:observability.sms_numbers.on-call must be",
        ),
    ],
)
def test_bad_values_are_refused_in_one_sentence(path: str, value: Any, sentence: str | None) -> None:
    if sentence is None:
        parse(changed(path, value))
        return
    with pytest.raises(ConfigError) as caught:
        parse(changed(path, value))
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("aiprod:")


@pytest.mark.parametrize("key", ["project_id", "postgres", "secrets", "edge", "observability"])
def test_fails_when_a_key_is_missing(key: str) -> None:
    made = values("dev")
    del made[key]
    with pytest.raises(
        ConfigError, match=f"aiprod:{key} must be given, got nothing; add it to the stack file"
    ):
        parse(made)


@settings(max_examples=40, deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=4))
def test_no_value_of_any_section_escapes_as_a_traceback(value: Any) -> None:
    for section in ("postgres", "redis", "api", "edge", "network", "buckets", "release", "host"):
        made = {**values("dev"), section: value}
        try:
            parse(made)
        except ConfigError as error:
            if "\n" in str(error):
                pytest.fail(f"more than one line: {error}")


@settings(max_examples=40, deadline=None)
@given(st.integers())
def test_a_number_is_taken_exactly_when_it_is_in_range(number: int) -> None:
    made = changed("redis.memory_size_gb", number)
    if 1 <= number <= 300:
        assert parse(made).redis.memory_size_gb == number
    else:
        with pytest.raises(ConfigError, match=re.escape(f"got {number}")):
            parse(made)


@pytest.mark.parametrize("field", ["topic", "subscription"])
@pytest.mark.parametrize(
    ("jobs", "batch", "both"),
    [("abc", "abc", "abc"), ("abc", "abc-dlq", "abc-dlq"), ("abc-dlq", "abc", "abc-dlq")],
)
def test_fails_when_two_queues_share_a_name(field: str, jobs: str, batch: str, both: str) -> None:
    queues = {
        purpose: {"topic": f"{purpose}-topic", "subscription": f"{purpose}-subscription"}
        for purpose in ("jobs", "results", "notifications", "batch")
    }
    queues["jobs"][field], queues["batch"][field] = jobs, batch
    with pytest.raises(ConfigError) as caught:
        parse(changed("messaging.queues", queues))
    assert str(caught.value) == (
        f"aiprod:messaging.queues.batch.{field} must share no name with queues.jobs, dead letters (-dlq) "
        f"included, got {both!r} for both; rename one"
    )


def test_a_topic_and_a_subscription_may_have_one_name() -> None:
    queues = {
        purpose: {"topic": purpose, "subscription": purpose}
        for purpose in ("jobs", "results", "notifications", "batch")
    }
    assert parse(changed("messaging.queues", queues)).messaging.queues["jobs"].topic == "jobs"
