"""Filters of log entries and of time series: what Google takes and what it refuses, each with its words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facts.filter_languages import check_logging_filter, check_monitoring_filter
from facts.refusal import RefusedError

LOGGING_TAKES = (
    "",
    "-- only a comment",
    "a OR NOT b AND NOT c OR d",
    "a b OR c",
    "-textPayload:robot",
    "textPayload:(unicorn phoenix)",
    "severity>=error -- to the end of the line",
    'labels."compute.googleapis.com/resource_id"="x"',
    "jsonPayload.a-b.c!=5 AND jsonPayload.n>-5",
    'logName=~"^x" OR logName!~"y"',
    'SEARCH("hello world") AND sample(insertId, 0.25) AND source(projects/my-project)',
    'ip_in_net(jsonPayload.ip, "10.0.0.0/8")',
    "cast(jsonPayload.x, INT64) > 5",
    'regexp_extract(textPayload, "(a)") = "a"',
    "resource.type = gce_instance\nseverity = (WARNING OR ERROR)",
    "NOT(severity=INFO)",
    "httpRequest.status=NULL_VALUE",
    'protoPayload.@type="type.googleapis.com/google.cloud.audit.AuditLog"',
    'protoPayload.methodName=("a" OR "b") protoPayload.serviceName="x"',
    'textPayload="it\'s fine, a == b && c"',
    "operation.id:*",
    "ANDROID OR NOTE",
    "json_payload.x=1",
)
LOGGING_REFUSES = (
    ("severity='ERROR'", "quotes with ' where only double quotes are known"),
    ("severity>=", "does not parse: it ends too early"),
    ("AND severity=ERROR", "does not parse: unexpected 'AND' at character 1"),
    ("severity=ERROR OR", "does not parse: it ends too early"),
    ("(a", "does not parse: it ends too early"),
    ("a)", "does not parse: unexpected ')' at character 2"),
    ("severity=>ERROR", "does not parse: unexpected '>' at character 10"),
    ("severity==ERROR", "must say =, AND and OR for ==, && and ||"),
    ("a && b", "must say =, AND and OR for ==, && and ||"),
    ("insertId = abc:def", "does not parse: unexpected ':'"),
    ('foo="x"', "names foo, which is no field of a log entry"),
    ('resourse.type="x"', "names resourse, which is no field of a log entry; did you mean resource?"),
    ('"unclosed', "has an unclosed quote"),
    ("NOT", "does not parse: it ends too early"),
    ("()", "does not parse: unexpected ')'"),
    ('log_ids("x")', "calls log_ids, which is no function of log filters"),
    ("severity=(ERROR OR)", "does not parse: unexpected ')'"),
    ("x" * 20_001, "must be at most 20000 characters, not 20001"),
)
MONITORING_TAKES = (
    'metric.type="x"',
    'resource.type = "a" AND metric.type = "b" AND metric.label.c != "d"',
    'metric.labels.x = monitoring.regex.full_match("a.*")',
    'metric.type = starts_with("compute") resource.label.zone = one_of("a", "b")',
    'project = "p" AND (metadata.user_labels.env = "x" OR metadata.system_labels.region="y")',
    'select_slo_burn_rate("projects/p/services/s/serviceLevelObjectives/o", "3600s")',
    'NOT metric.label.x = "y"',
    "metric.labels.status >= 500",
    "metric.type='x'",
    'resource.labels."a.b"="c"',
    "resource.labels.service_name=${service}",
)
MONITORING_REFUSES = (
    ("", "does not parse: it ends too early"),
    ("metric.type=", "does not parse: it ends too early"),
    ('metric.type="x" AND', "does not parse: it ends too early"),
    ('metrc.type="x"', "names metrc, which is no field of a time series; did you mean metric?"),
    ('metric.type == "x"', "must say ="),
    ("just words", "does not parse: unexpected 'words'"),
    ('starts("x")', "calls starts, which is no function of metric filters"),
    ('metric.type=begins_with("x")', "calls begins_with, which is no function of metric filters"),
    ('metric.type="x', "has an unclosed quote"),
    ("x" * 2_049, "must be at most 2048 characters, not 2049"),
)


@pytest.mark.parametrize("text", LOGGING_TAKES)
def test_logging_takes(text: str) -> None:
    check_logging_filter(text)


@pytest.mark.parametrize(("text", "wrong"), LOGGING_REFUSES)
def test_logging_refuses(text: str, wrong: str) -> None:
    with pytest.raises(RefusedError) as refused:
        check_logging_filter(text)
    assert str(refused.value).startswith(wrong)


@pytest.mark.parametrize("text", MONITORING_TAKES)
def test_monitoring_takes(text: str) -> None:
    check_monitoring_filter(text)


@pytest.mark.parametrize(("text", "wrong"), MONITORING_REFUSES)
def test_monitoring_refuses(text: str, wrong: str) -> None:
    with pytest.raises(RefusedError) as refused:
        check_monitoring_filter(text)
    assert str(refused.value).startswith(wrong)


@given(st.text(max_size=60) | st.text(alphabet="aN\"'()=<>!:-~* .\n", max_size=40))
def test_any_text_is_taken_or_refused_in_one_sentence(text: str) -> None:
    for check in (check_logging_filter, check_monitoring_filter):
        said = "fine"
        try:
            check(text)
        except RefusedError as refused:
            said = str(refused)
        assert len(said.splitlines()) == 1


_TERM = st.sampled_from(["severity>=ERROR", 'textPayload:"a b"', "word", 'log_id("x")', "logName:*"])
_FILTER = st.recursive(
    _TERM,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" AND ", " OR ", " ", "\n"]), inner).map("".join),
        inner.map(lambda text: f"({text})"),
        inner.map(lambda text: f"NOT ({text})"),
    ),
    max_leaves=8,
)


@given(_FILTER)
def test_what_is_joined_of_filters_is_a_filter(text: str) -> None:
    check_logging_filter(text)


@given(_FILTER, st.sampled_from([" AND", " OR", " NOT", " =", ")", " (", ' "']))
def test_what_is_left_open_is_not(text: str, end: str) -> None:
    with pytest.raises(RefusedError):
        check_logging_filter(text + end)
