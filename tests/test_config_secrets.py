"""A secret value in readable configuration is refused before anything sees it, and never shown."""

from __future__ import annotations

from typing import Any

import pytest

from config import ConfigError, parse
from tests.facts.test_secret_forms import SECRETS
from tests.stack_files import values


def with_value(section: str, key: str, value: Any) -> dict[str, Any]:
    made = values("dev")
    made[section] = {**made[section], key: value}
    return made


@pytest.mark.parametrize("text", SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize(("section", "key"), [("secrets", "first_rotation"), ("postgres", "name")])
def test_fails_when_a_value_has_the_form_of_a_secret(section: str, key: str, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(with_value(section, key, text))
    assert str(caught.value).startswith(f"aiprod:{section}.{key} must not hold a secret value, got ")
    assert "gcloud secrets versions add" in str(caught.value)
    assert text not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", ["database_password", "suno_api_key", "token", "client_secret"])
def test_fails_when_an_unknown_key_is_called_like_a_secret(key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(with_value("secrets", key, "correct horse"))
    assert str(caught.value).startswith(
        f"aiprod:secrets.{key} must not hold a secret value, got a readable text"
    )
    assert "correct horse" not in str(caught.value)


@pytest.mark.parametrize("stack", ["dev", "staging", "prod"])
def test_the_stack_files_hold_none(stack: str) -> None:
    parse(values(stack))
