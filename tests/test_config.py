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
from hypothesis import given
from hypothesis import strategies as st

import config
import config_collector
import config_database
import config_edge
import config_messaging
import config_release
import config_sections
import config_types
from config import ConfigError, Settings, load, parse
from facts.addresses import refuse_overlaps
from sandbox.project import load_stack
from tests.recording import drain
from tests.stack_files import PROGRAM, ROOT, STACKS, changed, values


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
    made["postgres"]["tier"] = "db-custom-32-122880"
    fits = (api + worker) * 2 * 2 + 4 <= 2 ** (32 - prefix)
    if fits:
        assert parse(made).addresses.subnets["run-europe-west1"] == f"10.32.0.0/{prefix}"
    else:
        with pytest.raises(ConfigError, match=r"aiprod:network\.run_prefix must be .* or less for") as caught:
            parse(made)
        assert "lower max_instances of api and workers" in str(caught.value)


@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 20), st.integers(1, 20))
def test_pools_are_refused_exactly_when_a_rollout_exceeds_the_database(
    api: int, worker: int, api_pool: int, worker_pool: int
) -> None:
    made = changed("api.scaling", {"min_instances": 0, "max_instances": api})
    made["api"]["database_pool_size"] = api_pool
    made["workers"] |= {
        "scaling": {"min_instances": 0, "max_instances": worker},
        "database_pool_size": worker_pool,
    }
    # dev's tier of 3.75 GB takes 100 connections, 20 of them are reserved.
    if 2 * (api * api_pool + worker * worker_pool) <= 80:
        assert parse(made)
    else:
        with pytest.raises(ConfigError, match=r"aiprod:database_pool_size x max_instances .* at most 80 "):
            parse(made)


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
    stacks = examples.pop("stacks", {})
    assert examples.pop("exists")
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
        for module in (
            config,
            config_collector,
            config_database,
            config_edge,
            config_messaging,
            config_release,
            config_sections,
            config_types,
        )
    )
    written = set(re.findall(r'pattern=r"([^"]+)"', source))
    # One that others share stands where they reach it.
    shared = {str(getattr(config_types, name)) for name in re.findall(r"pattern=([A-Z_]+)\b", source)}
    assert written | shared == set(config_types.PATTERNS)


def test_no_module_asks_which_stack_it_is() -> None:
    for path in [ROOT / "__main__.py", *(ROOT / "stacks").glob("*.py"), *(ROOT / "components").rglob("*.py")]:
        text = path.read_text(encoding="utf-8")
        assert "get_stack()" not in text
        assert not re.search(r"==\s*[\"'](dev|staging|prod)[\"']", text), path.name
