from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facts.secret_forms import named_like_secret, secret_form

# Put together here, so that no scanner takes this file for a leak.
SECRETS = {
    "a private key": "-----BEGIN " + "RSA PRIVATE KEY-----\nMIIE",
    "a service account key": '{"private' + '_key": "x"}',
    "a Google API key": "AIza" + "A" * 35,
    "a Google OAuth secret": "GOCSPX-" + "a" * 28,
    "a Slack token": "xoxb-" + "1" * 12 + "-abcdef",
    "a Slack webhook": "https://hooks.slack.com/services/" + "T000/B000/abc",
    "a GitHub token": "ghp_" + "a" * 36,
    "an API key": "sk_" + "0" * 48,
    "a signed token": "eyJ" + "a" * 10 + ".eyJ" + "b" * 10 + "." + "c" * 20,
    "an address with a password": "postgresql://app:" + "hunter2" + "@10.0.0.3/aiprod",
}


@pytest.mark.parametrize(("kind", "text"), SECRETS.items())
def test_each_form_is_known_alone_and_inside_other_text(kind: str, text: str) -> None:
    assert secret_form(text) == kind
    assert secret_form(f"key = {text} # mine") == kind


@pytest.mark.parametrize(
    "text",
    [
        "europe-docker.pkg.dev/p/aiprod/api@sha256:" + "a" * 64,
        "https://example.com/runbooks",
        "aiprod-database-password",
        "google-cloud-api-key",
        "10.40.0.0/14",
        "task-" + "a" * 30,
        "gcpkms://projects/p/locations/europe-west1/keyRings/state/cryptoKeys/state",
    ],
)
def test_names_digests_and_addresses_are_no_secrets(text: str) -> None:
    assert secret_form(text) is None


@given(st.from_regex(r"[a-z][a-z0-9-]{0,62}", fullmatch=True))
def test_no_resource_name_of_ordinary_length_is_taken_for_a_secret(name: str) -> None:
    if "sk-" not in name and "xox" not in name:
        assert secret_form(name) is None


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("database_password", True),
        ("slack_token", True),
        ("suno-api-key", True),
        ("private_key", True),
        ("secrets", False),
        ("rotation_period_seconds", False),
        ("tokens_per_minute", False),
    ],
)
def test_keys_that_hold_a_value_are_known_by_their_names(name: str, held: bool) -> None:
    assert named_like_secret(name) is held
