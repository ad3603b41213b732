from __future__ import annotations

import pytest

from naming import Names

NAMES = Names(system="aiprod", environment="prod", project_id="aiprod-484120")


def test_names_carry_the_system_and_buckets_the_project() -> None:
    assert NAMES.resource("cache") == "aiprod-cache"
    assert NAMES.service_account("api") == "aiprod-api"
    assert NAMES.key("secrets") == "aiprod-secrets-key"
    assert NAMES.bucket("results") == "aiprod-484120-results"


def test_names_are_the_same_in_every_environment_but_for_buckets() -> None:
    dev = Names(system="aiprod", environment="dev", project_id="aiprod-dev-1")
    assert dev.resource("cache") == NAMES.resource("cache")
    assert dev.bucket("results") != NAMES.bucket("results")


def test_labels_say_what_where_and_whose() -> None:
    assert NAMES.labels("api") == {
        "system": "aiprod",
        "environment": "prod",
        "managed-by": "pulumi",
        "component": "api",
    }
    assert NAMES.labels("database", "restricted")["data-class"] == "restricted"


def test_fails_when_a_name_would_be_too_long_and_never_cuts_it() -> None:
    with pytest.raises(
        ValueError, match=r"must have 6 to 30 characters, got 'aiprod-x{30}' with 37; choose a shorter"
    ):
        NAMES.service_account("x" * 30)
    with pytest.raises(ValueError, match="3 to 63 characters"):
        NAMES.bucket("x" * 60)


@pytest.mark.parametrize(
    ("field", "value"),
    [("system", "AI"), ("environment", "Prod"), ("project_id", "short"), ("system", "9lives")],
)
def test_fails_when_a_part_is_not_what_google_accepts(field: str, value: str) -> None:
    parts = {"system": "aiprod", "environment": "prod", "project_id": "aiprod-484120", field: value}
    with pytest.raises(ValueError, match=f"got {value!r}"):
        Names(**parts)


def test_fails_when_a_label_value_is_not_what_google_accepts() -> None:
    with pytest.raises(ValueError, match="label value name must have only"):
        NAMES.labels("The API")
