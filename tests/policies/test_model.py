"""How a rule reads a resource."""

from __future__ import annotations

import pytest

from policies.model import (
    SECRET,
    UNKNOWN,
    Block,
    below,
    is_given,
    is_missing,
    kind,
    number,
    outside,
    relation,
    seconds,
    shown,
)
from policies.places import environment, in_eu, stack_environment
from tests.policies.builders import resource
from tests.policies.good import bad, by_name

_TOPIC = "pubsub/topic:Topic"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("a.b", 1),
        ("a.c", None),
        ("x.y", None),
        ("u", UNKNOWN),
        ("u.deep", UNKNOWN),
        ("s.deep", UNKNOWN),
        ("n", None),
    ],
)
def test_get_follows_a_path(path: str, value: object) -> None:
    block = Block("", {"a": {"b": 1}, "u": UNKNOWN, "s": SECRET, "n": None})
    assert block.get(path) is value or block.get(path) == value


def test_each_names_where_an_element_lies() -> None:
    block = Block("", {"list": [{"a": 1}, UNKNOWN, {"a": 2}], "single": {"a": 3}, "unknown": UNKNOWN})
    assert [(one.within("a"), one.get("a")) for one in block.each("list")] == [
        ("list[0].a", 1),
        ("list[2].a", 2),
    ]
    assert [one.within("a") for one in block.each("single")] == ["single.a"]
    assert list(block.each("unknown")) == []


def test_strings_leave_out_what_cannot_be_read() -> None:
    block = Block("", {"list": ["a", UNKNOWN, SECRET, 1], "single": "b", "hidden": SECRET})
    assert [block.strings(path) for path in ("list", "single", "hidden", "none")] == [["a"], ["b"], [], []]


def test_unknown_has_no_truth_value() -> None:
    with pytest.raises(TypeError, match="no truth value"):
        bool(UNKNOWN)


@pytest.mark.parametrize("value", [UNKNOWN, SECRET])
def test_what_cannot_be_read_is_present_and_never_compared(value: object) -> None:
    assert not is_missing(value)
    assert not below(value, 10)
    assert not outside(value, ("a",))
    assert number(value) is None
    assert seconds(value) is None
    assert is_given(value) is (value == SECRET)


@pytest.mark.parametrize(
    ("value", "expected"), [("86400s", 86400), ("1.5s", 1.5), (60, 60), ("1d", None), (None, None)]
)
def test_seconds_reads_googles_durations(value: object, expected: float | None) -> None:
    assert seconds(value) == expected


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "no value"),
        (True, "true"),
        (SECRET, "a hidden value"),
        (UNKNOWN, "a hidden value"),
        ("a", '"a"'),
        ("a" * 90, f'"{"a" * 77}..."'),
        ([], "an empty list"),
        (["a", 1], '"a", 1'),
        ({"a": 1}, "a block"),
        (6.0, "6"),
    ],
)
def test_shown_is_short_and_hides_what_is_secret(value: object, text: str) -> None:
    assert shown(value) == text


def test_kind_is_what_a_person_says() -> None:
    assert kind("gcp:sql/databaseInstance:DatabaseInstance") == "sql.DatabaseInstance"
    assert kind("aiprod:data:Postgres") == "data.Postgres"
    assert kind("odd") == "odd"


def test_relation_goes_by_recorded_dependencies_then_by_name() -> None:
    topic, other = (
        resource(_TOPIC, "jobs", {"name": "jobs"}),
        resource(_TOPIC, "jobs-dead", {"name": "jobs-dead"}),
    )
    by_urn = resource("x:Y", "s", {"topic": UNKNOWN}, topic=("jobs",))
    assert (relation(by_urn, "topic", topic), relation(by_urn, "topic", other)) == ("yes", "no")
    by_path = resource("x:Y", "s", {"topic": "projects/p/topics/jobs"})
    assert (relation(by_path, "topic", topic), relation(by_path, "topic", other)) == ("yes", "no")
    open_ = resource("x:Y", "s", {"topic": UNKNOWN})
    assert relation(open_, "topic", topic) == "maybe"
    assert relation(by_path, "topic", resource(_TOPIC, "jobs", {"name": UNKNOWN})) == "maybe"
    assert relation(resource("x:Y", "s", {}), "topic", topic) == "no"


@pytest.mark.parametrize(
    ("place", "inside"),
    [
        ("europe-west1", True),
        ("EUROPE-WEST4", True),
        ("europe-west1-b", True),
        ("europe-west10-a", True),
        ("eu", True),
        ("projects/p/zones/europe-west3-a", True),
        ("europe-west2", False),
        ("europe-west6", False),
        ("europe-west2-a", False),
        ("us-central1", False),
        ("global", False),
        ("", False),
    ],
)
def test_european_union_has_neither_london_nor_zurich(place: str, inside: bool) -> None:
    assert in_eu(place) is inside


def test_no_environment_label_counts_as_production() -> None:
    assert environment(by_name("ring")) == "prod"
    assert environment(bad("jobs", {"labels": {}})) == "prod"
    assert environment(bad("jobs", {"labels.environment": "production"})) == "prod"
    assert environment(bad("jobs", {"labels.environment": "dev"})) == "dev"
    assert environment(bad("jobs", {"labels.environment": UNKNOWN})) is None


def test_stack_environment_is_the_one_that_all_labels_name() -> None:
    dev = bad("jobs", {"labels.environment": "dev"})
    assert stack_environment([dev, by_name("ring")]) == "dev"
    assert stack_environment([dev, by_name("postgres")]) == "prod"
    assert stack_environment([dev, bad("jobs-dead", {"labels.environment": UNKNOWN})]) is None
