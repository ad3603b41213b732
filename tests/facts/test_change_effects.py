"""What a change in place does: told in the right direction, silent where nothing is felt."""

from __future__ import annotations

import pytest

from facts.change_effects import effect_of, types
from facts.provider import facts_for

DATABASE = "gcp:sql/databaseInstance:DatabaseInstance"
FLAGS = "settings.databaseFlags"


def flags(**values: str) -> list[dict[str, str]]:
    """A list of flags as the provider takes it."""
    return [{"name": name, "value": value} for name, value in values.items()]


def test_every_type_is_one_of_the_provider() -> None:
    assert len(types()) >= 40
    assert [name for name in types() if name.startswith("gcp:") and facts_for(name) is None] == []


def test_a_tier_restarts() -> None:
    told = effect_of(DATABASE, "settings.tier", "db-custom-2-7680", "db-custom-4-15360")
    assert told is not None
    assert told.startswith("restarts the instance (")


def test_a_flag_restarts_only_when_postgres_must_start_anew() -> None:
    old = flags(max_connections="100", work_mem="64")
    assert effect_of(DATABASE, FLAGS, old, flags(max_connections="100", work_mem="65")) is None
    told = effect_of(DATABASE, FLAGS, old, flags(work_mem="64"))
    assert told is not None
    assert told.startswith("restarts the instance")


@pytest.mark.parametrize(("old", "new", "word"), [(True, False, "weakens"), (False, True, None)])
def test_the_direction_decides(old: bool, new: bool, word: str | None) -> None:
    told = effect_of(DATABASE, "settings.deletionProtectionEnabled", old, new)
    assert (told is None) == (word is None)
    assert word is None or word in (told or "")


def test_nothing_is_told_of_a_label_or_an_unknown_type() -> None:
    assert effect_of(DATABASE, "settings.userLabels.team", None, "data") is None
    assert effect_of("random:index/randomId:RandomId", "byteLength", 1, 2) is None
