"""Stack files become settings, and what is wrong in them is said in one sentence."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any, cast

import pulumi
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import config
import config_edge
import config_sections
import config_types
from config import ConfigError, Settings, load, parse
from facts.addresses import refuse_overlaps
from sandbox.project import load_stack
from tests.recording import drain
from tests.stack_files import PROGRAM, ROOT, STACKS, values


def changed(path: str, value: Any) -> dict[str, Any]:
    """The values of dev with one of them changed; the path's parts are separated by dots."""
    made = values("dev")
    *parents, last = path.split(".")
    section = made
    for parent in parents:
        section = section.setdefault(parent, {})
    section[last] = value
    return made


@pytest.fixture
def pulumi_config(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Sets what Pulumi would hand to the program; empties it afterwards."""

    def set_values(
        found: Mapping[str, str], secret_keys: list[str] | None = None, stack: str | None = None
    ) -> None:
        pulumi.runtime.set_all_config(dict(found), secret_keys or [])
        named = stack or found["aiprod:environment"]
        monkeypatch.setattr(pulumi, "get_stack", lambda: named)

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield set_values
    drain(loop)
    asyncio.set_event_loop(None)
    loop.close()
    pulumi.runtime.set_all_config({}, [])


@pytest.mark.parametrize("stack", STACKS)
def test_every_stack_file_is_valid(stack: str, pulumi_config: Any) -> None:
    found = load_stack(PROGRAM, stack)
    assert found.placeholders == ()
    pulumi_config(found.values, list(found.secret_keys))
    assert load().environment == stack


@pytest.mark.parametrize("stack", STACKS)
def test_every_stack_file_is_valid_without_a_release(stack: str) -> None:
    made = values(stack)
    del made["release"]
    assert parse(made).release is None


def test_prod_is_as_large_as_required() -> None:
    prod = parse(values("prod"))
    assert prod.project_id == "aiprod-484120"
    assert (prod.region, prod.second_region, prod.host) == ("europe-west1", "europe-west4", "api.aiprod.ai")
    assert prod.postgres.availability == "REGIONAL"
    assert {name: replica.region for name, replica in prod.postgres.replicas.items()} == {
        "aiprod-postgres-replica-1": "europe-west1",
        "aiprod-postgres-replica-2": "europe-west4",
    }
    assert (prod.postgres.backups_kept, prod.postgres.point_in_time_recovery_days) == (30, 7)
    assert (prod.redis.tier, prod.redis.memory_size_gb) == ("STANDARD_HA", 2)
    assert {region: (s.min_instances, s.max_instances) for region, s in prod.api_regions.items()} == {
        "europe-west1": (2, 20),
        "europe-west4": (1, 20),
    }
    assert (prod.edge.waf, prod.deletion_protection) == ("enforced", True)
    assert (prod.observability.log_retention_days, prod.observability.security_log_retention_days) == (
        90,
        400,
    )
    assert set(prod.secrets.vendor) == {
        "suno-api-key",
        "freesound-api-key",
        "google-cloud-api-key",
        "elevenlabs-api-key",
    }


def test_staging_and_dev_are_no_larger_than_the_table_says() -> None:
    staging, dev = parse(values("staging")), parse(values("dev"))
    assert (len(staging.postgres.replicas), len(dev.postgres.replicas)) == (1, 0)
    assert (staging.postgres.backups_kept, dev.postgres.backups_kept) == (14, 7)
    assert {s.postgres.availability for s in (staging, dev)} == {"ZONAL"}
    assert (staging.redis.tier, dev.redis.tier) == ("STANDARD_HA", "BASIC")
    assert (staging.api.scaling.max_instances, dev.api.scaling.max_instances) == (4, 2)
    assert [s.api.second_region for s in (staging, dev)] == [None, None]
    assert (staging.edge.waf, dev.edge.waf) == ("enforced", "preview")
    assert (staging.deletion_protection, dev.deletion_protection) == (True, False)
    assert {s.observability.log_retention_days for s in (staging, dev)} == {30}
    assert (staging.observability.slack_channel, dev.observability.slack_channel) == ("#alerts", None)
    assert (staging.postgres.schedule.kind, dev.postgres.schedule.kind) == ("always", "office_hours")


def test_environments_do_not_share_addresses() -> None:
    ranges = {stack: parse(values(stack)).network.base_range for stack in STACKS}
    refuse_overlaps({f"base range of {stack}": text for stack, text in ranges.items()})


def test_every_run_subnet_holds_two_revisions_of_every_instance() -> None:
    for stack in STACKS:
        made = parse(values(stack))
        workers = made.workers
        instances = made.api.scaling.max_instances + workers.scaling.max_instances
        instances += workers.batch_scaling.max_instances if workers.batch_scaling else 0
        subnet = IPv4Network(made.addresses.subnets[f"run-{made.region}"])
        assert subnet.num_addresses - 4 >= instances * 2 * 2
        assert subnet.prefixlen <= 24


@given(st.integers(1, 100), st.integers(1, 100), st.integers(20, 26))
def test_instance_bounds_never_change_a_subnet(api: int, worker: int, prefix: int) -> None:
    made = changed("api.scaling", {"min_instances": 0, "max_instances": api})
    made["workers"]["scaling"] = {"min_instances": 0, "max_instances": worker}
    made["network"]["run_prefix"] = prefix
    fits = (api + worker) * 2 * 2 + 4 <= 2 ** (32 - prefix)
    if fits:
        assert parse(made).addresses.subnets["run-europe-west1"] == f"10.32.0.0/{prefix}"
    else:
        with pytest.raises(ConfigError, match=r"aiprod:network\.run_prefix must be .* or less for") as caught:
            parse(made)
        assert "lower max_instances of api and workers" in str(caught.value)


@pytest.mark.parametrize(("stack", "environment"), [("prod", "dev"), ("dev", "prod"), ("production", "prod")])
def test_fails_when_the_environment_is_not_the_stack(
    stack: str, environment: str, pulumi_config: Any
) -> None:
    found = load_stack(PROGRAM, environment)
    pulumi_config(found.values, list(found.secret_keys), stack)
    with pytest.raises(
        ConfigError, match=f"aiprod:environment must be the name of the stack, {stack}, got '{environment}'"
    ):
        load()


@pytest.mark.parametrize("text", ["null", "", "{}"])
def test_an_empty_release_means_none(text: str, pulumi_config: Any) -> None:
    found = load_stack(PROGRAM, "dev")
    pulumi_config({**found.values, "aiprod:release": text}, list(found.secret_keys))
    assert load().release is None


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("regoin", "europe-west1", "aiprod:regoin is not a known key; did you mean region"),
        ("postgres.teir", "x", "aiprod:postgres.teir is not a known key; did you mean tier"),
        ("postgres.schedule.hours", 3, "aiprod:postgres.schedule.hours is not a known key"),
        ("project_number", 123456789012, "aiprod:project_number must be a valid string, got 123456789012"),
        ("postgres.backups_kept", "7", "aiprod:postgres.backups_kept must be a valid integer, got '7'"),
        (
            "postgres.backups_kept",
            3,
            "aiprod:postgres.backups_kept must be greater than or equal to 7, got 3",
        ),
        ("deletion_protection", "yes", "aiprod:deletion_protection must be a valid boolean, got 'yes'"),
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
        ("workers.instances_while_unscaled", 3, "at most scaling.max_instances 2, got 3; lower it"),
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
        ("observability.budget.currency", "XXX", "a currency code of ISO 4217 such as USD, got 'XXX'"),
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
            "europe-docker.pkg.dev/aiprod-example/aiprod/api:latest",
            "an image by digest",
        ),
        (
            "release.images.worker",
            f"docker.io/library/worker@sha256:{'0' * 64}",
            "aiprod:release.images.worker must be europe-docker.pkg.dev/aiprod-example/aiprod/NAME@sha256",
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


def test_settings_cannot_be_changed() -> None:
    made = parse(values("dev"))
    with pytest.raises(ValueError, match="frozen"):
        cast("Any", made).host = "other.example.com"


def test_an_unknown_key_is_refused_even_where_the_command_line_would_pass_it(pulumi_config: Any) -> None:
    found = load_stack(PROGRAM, "dev")
    pulumi_config({**found.values, "aiprod:postgress": "{}"}, [])
    with pytest.raises(ConfigError, match="aiprod:postgress is not a known key; did you mean postgres"):
        load()


def test_fails_when_a_secret_is_readable_and_does_not_show_it(pulumi_config: Any) -> None:
    found = load_stack(PROGRAM, "dev")
    pulumi_config({**found.values, "aiprod:slack_token": "xoxb-very-private"}, [])
    with pytest.raises(ConfigError, match="slack_token must be encrypted") as caught:
        load()
    assert "very-private" not in str(caught.value)


def test_fails_when_slack_has_no_token(pulumi_config: Any) -> None:
    found = load_stack(PROGRAM, "prod")
    pulumi_config({**found.values, "aiprod:slack_token": ""}, [])
    with pytest.raises(ConfigError, match="slack_token must be set while"):
        load()


def test_an_encrypted_value_in_the_wrong_place_is_not_shown(pulumi_config: Any) -> None:
    found = load_stack(PROGRAM, "dev")
    pulumi_config({**found.values, "aiprod:region": "hidden-region"}, ["aiprod:region"])
    with pytest.raises(ConfigError, match=r"aiprod:region must be .* got \[secret\]") as caught:
        load()
    assert "hidden-region" not in str(caught.value)


def test_a_secret_never_shows_in_the_settings(pulumi_config: Any) -> None:
    found = load_stack(PROGRAM, "prod")
    pulumi_config({**found.values, "aiprod:slack_token": "xoxb-very-private"}, ["aiprod:slack_token"])
    assert "very-private" not in repr(load())


def test_every_declared_key_is_a_field_and_every_field_is_declared() -> None:
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))["config"]
    assert set(declared) == set(Settings.model_fields)
    assert all(entry["description"] for entry in declared.values())


def test_every_example_value_stands_for_something_in_a_stack_file() -> None:
    examples = yaml.safe_load((ROOT / "example-values.yaml").read_text(encoding="utf-8"))
    stacks = examples.pop("stacks")
    used = {stack: set(load_stack(PROGRAM, stack).examples) for stack in STACKS}
    assert set(examples) <= set().union(*used.values())
    for stack, own in stacks.items():
        assert set(own) <= used[stack]


def test_stack_files_hold_data_only() -> None:
    for stack in STACKS:
        document = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))
        # Bootstrap's key and the CLI's data key, once there is a project.
        assert set(document) - {"secretsprovider", "encryptedkey"} == {"config"}
        assert document["config"]["pulumi:disable-default-providers"] == ["*"]
        assert not [key for key in document["config"] if key.startswith(("gcp:", "random:"))]


def test_every_pattern_has_words() -> None:
    source = "".join(
        Path(str(module.__file__)).read_text()
        for module in (config, config_edge, config_sections, config_types)
    )
    assert set(re.findall(r'pattern=r"([^"]+)"', source)) == set(config_types.PATTERNS)


def test_no_module_asks_which_stack_it_is() -> None:
    for path in [ROOT / "__main__.py", *(ROOT / "stacks").glob("*.py"), *(ROOT / "components").rglob("*.py")]:
        text = path.read_text(encoding="utf-8")
        assert "get_stack()" not in text
        assert not re.search(r"==\s*[\"'](dev|staging|prod)[\"']", text), path.name
