"""Filters of subscriptions: what Pub/Sub takes and what it refuses, each with its words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facts.filter_languages import check_message_filter
from facts.refusal import RefusedError


@pytest.mark.parametrize(
    "text",
    [
        'attributes.kind = "video"',
        "attributes:urgent",
        'attributes:"a b"',
        "NOT attributes:urgent",
        "-attributes:urgent",
        'hasPrefix(attributes.kind, "v")',
        'attributes."iana.org/language_tag" = "en" AND (attributes.a="b" OR attributes.c != "d")',
        "attributes:a AND attributes:b AND NOT attributes:c",
        'attributes.AND = "x" OR attributes.attributes="1"',
        'attributes.a-b = "c\\"d == \'e\'"',
        "NOT (attributes:a OR attributes:b)",
        f'attributes.a = "{"x" * 239}"',
    ],
)
def test_pubsub_takes(text: str) -> None:
    check_message_filter(text)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "does not parse: it ends too early"),
        ('message.data = "x"', "does not parse: unexpected 'message' at character 1"),
        ("attributes.kind", "does not parse: it ends too early"),
        ("attributes.kind = video", "does not parse: unexpected 'video' at character 19"),
        ("attributes:a AND attributes:b OR attributes:c", "does not parse: unexpected 'OR' at character 31"),
        ("attributes.kind = 'video'", "quotes with ' where only double quotes are known"),
        ('attributes.kind == "a"', "must say =, AND and OR for ==, && and ||"),
        ('attributes.kind = "a', "has an unclosed quote"),
        ('attributes.kind > "a"', "does not parse: unexpected character at character 17"),
        ('hasprefix(attributes.a, "b")', "does not parse: unexpected 'hasprefix' at character 1"),
        ("attributes:a and attributes:b", "does not parse: unexpected 'and' at character 14"),
        ("attributes:a attributes:b", "does not parse: unexpected 'attributes' at character 14"),
        ('attributes.a.b = "c"', "does not parse: unexpected '.' at character 13"),
        (f'attributes.a = "{"é" * 120}"', "must be at most 256 bytes, not 257"),
    ],
)
def test_pubsub_refuses(text: str, wrong: str) -> None:
    with pytest.raises(RefusedError) as refused:
        check_message_filter(text)
    assert str(refused.value).startswith(wrong)


_WHOLE = st.sampled_from(['attributes.a="b"', "attributes:k", 'hasPrefix(attributes.a, "")'])


@given(st.lists(_WHOLE, min_size=2, max_size=4), st.sampled_from([" AND ", " OR "]))
def test_what_is_joined_by_one_word_is_a_filter(parts: list[str], word: str) -> None:
    check_message_filter(word.join(parts))
    check_message_filter(f"NOT ({word.join(parts)}) AND attributes:x")


@given(_WHOLE, st.sampled_from([" AND", " OR", " NOT", " =", ")", " (", ' "']))
def test_what_is_left_open_is_not(text: str, end: str) -> None:
    with pytest.raises(RefusedError):
        check_message_filter(text + end)
