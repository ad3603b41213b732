from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facts.names import LABEL_KEYS_MAX, RULES, check_labels, check_name


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("project id", "aiprod-484120"),
        ("service account id", "aiprod-api"),
        ("bucket", "aiprod-484120-results"),
        ("database instance", "aiprod-postgres-replica-1"),
        ("run service", "aiprod-v33-api"),
        ("topic", "aiprod-pipeline-jobs"),
        ("secret", "suno-api-key"),
        ("key", "aiprod-secrets-key"),
    ],
)
def test_the_names_of_the_requirements_are_accepted(kind: str, name: str) -> None:
    assert check_name(kind, name) == name


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("service account id", "short"),
        ("service account id", "a" * 31),
        ("service account id", "1aiprod"),
        ("service account id", "aiprod-"),
        ("bucket", "ab"),
        ("bucket", "a" * 64),
        ("bucket", "with.dot"),
        ("bucket", "goog-results"),
        ("bucket", "my-google-results"),
        ("bucket", "Results"),
        ("run service", "a" * 50),
        ("redis instance", "a" * 41),
        ("topic", "goog-jobs"),
        ("topic", "ab"),
        ("secret", "suno/key"),
        ("label key", "9lives"),
        ("label value", "Prod"),
    ],
)
def test_fails_when_google_would_refuse_the_name(kind: str, name: str) -> None:
    with pytest.raises(ValueError, match=f"{kind} name must") as caught:
        check_name(kind, name)
    assert repr(name) in str(caught.value)


@given(st.sampled_from(sorted(RULES)), st.text(max_size=80))
def test_a_name_is_returned_unchanged_or_refused(kind: str, name: str) -> None:
    try:
        assert check_name(kind, name) == name
    except ValueError as error:
        if "\n" in str(error):
            pytest.fail(f"more than one line: {error}")


def test_fails_when_there_are_too_many_labels() -> None:
    many = {f"key-{number}": "x" for number in range(LABEL_KEYS_MAX + 1)}
    with pytest.raises(ValueError, match="labels must be at most 64, got 65"):
        check_labels(many)
