"""What the metrics collector reads: what its sidecar takes, and one sentence for each thing that ends it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import ConfigError, parse
from tests.stack_files import values

MONITORING: dict[str, Any] = {
    "apiVersion": "monitoring.googleapis.com/v1beta",
    "kind": "RunMonitoring",
    "spec": {"endpoints": [{"port": 8080, "path": "/metrics", "interval": "10s"}]},
}
FULL: dict[str, Any] = MONITORING | {
    "metadata": {"name": "api", "labels": {"team": "platform"}},
    "spec": {
        "endpoints": [
            {
                "port": "9090",
                "scheme": "https",
                "path": "/internal/metrics",
                "params": {"names": ["a", "b"]},
                "interval": "1m30s",
                "timeout": "90s",
                "metricRelabeling": [
                    {"sourceLabels": ["__name__"], "regex": "go_.*", "action": "drop"},
                    {"sourceLabels": ["a", "b"], "separator": "-", "targetLabel": "ab", "replacement": "$1"},
                    {"sourceLabels": ["a"], "targetLabel": "shard", "modulus": 8, "action": "HashMod"},
                    {"regex": "pod|node", "action": "labeldrop"},
                    {"regex": ".*", "action": "labelkeep"},
                    {"sourceLabels": ["project"], "targetLabel": "project_id"},
                ],
            },
            {"port": 8080, "interval": "500ms"},
        ],
        "targetLabels": {"metadata": ["instance", "revision"]},
        "limits": {"samples": 1000, "labels": 20, "labelNameLength": 100, "labelValueLength": 0},
    },
}
REMEDY = "correct it in the stack file"
PROTECTED = "location, cluster, namespace, job, instance, instanceId, __address__"
DURATION = "a Prometheus duration above 0, as text such as 30s or 1m30s"


def with_collector(config: Any, *, image: bool = True) -> dict[str, Any]:
    made = values("prod")
    made["release"]["collector"] = {"config": config}
    if image:
        made["release"]["images"]["collector"] = made["release"]["images"]["api"].replace(
            "/api@", "/collector@"
        )
    return made


def endpoint(**changes: Any) -> dict[str, Any]:
    return MONITORING | {"spec": {"endpoints": [{"port": 8080, "interval": "30s"} | changes]}}


def rule(**keys: Any) -> dict[str, Any]:
    return endpoint(metricRelabeling=[keys])


def spec(**keys: Any) -> dict[str, Any]:
    return MONITORING | {"spec": MONITORING["spec"] | keys}


@pytest.mark.parametrize("config", [MONITORING, FULL], ids=["shortest", "full"])
def test_a_collector_reads_what_the_file_says_to_the_letter(config: dict[str, Any]) -> None:
    release = parse(with_collector(config)).release
    assert release is not None
    assert release.collector is not None
    assert release.collector.document == config


AT = "spec.endpoints[0]"
RULE = f"{AT}.metricRelabeling[0]"
REFUSED: list[tuple[Any, str]] = [
    (
        MONITORING | {"kind": "PodMonitoring"},
        f"kind must be 'RunMonitoring', got 'PodMonitoring'; {REMEDY}",
    ),
    (
        {key: MONITORING[key] for key in ("kind", "spec")},
        "apiVersion must be given, got nothing; add it to the stack file",
    ),
    (
        MONITORING | {"apiVersion": "v1"},
        f"apiVersion must be 'monitoring.googleapis.com/v1beta', got 'v1'; {REMEDY}",
    ),
    (
        MONITORING | {"specs": {}},
        "specs is not a known key; did you mean spec",
    ),
    (MONITORING | {"metadata": {"nam": "x"}}, "metadata.nam is not a known key; did you mean name"),
    (MONITORING | {"spec": {}}, "spec.endpoints must list what is read, got none; add one"),
    (MONITORING | {"spec": {"endpoints": []}}, "spec.endpoints must list what is read, got none; add one"),
    (MONITORING | {"spec": "all"}, f"spec must be an object, got 'all'; {REMEDY}"),
    (
        MONITORING | {"spec": {"endpoints": [{"port": 8080}]}},
        f"{AT}.interval must be given, got nothing; add it to the stack file",
    ),
    (
        MONITORING | {"spec": {"endpoints": [{"interval": "30s"}]}},
        f"{AT}.port must be given, got nothing; add it to the stack file",
    ),
    *(
        (endpoint(port=port), f"{AT}.port must be a port from 1 to 65535, got {port!r}; correct it")
        for port in (0, 70000, -1, None, True, 80.5, "http", "0", "08080", "65536", "")
    ),
    *(
        (endpoint(interval=interval), f"{AT}.interval must be {DURATION}, got {interval!r}; correct it")
        for interval in (
            "abc",
            30,
            30.0,
            "30",
            "30S",
            "30 s",
            "-30s",
            "1.5m",
            "1s1m",
            "",
            "0",
            "0s",
            None,
            "300y",
        )
    ),
    *(
        (endpoint(timeout=timeout), f"{AT}.timeout must be {DURATION}, got {timeout!r}; correct it")
        for timeout in (10, "10", "0s", "")
    ),
    (
        endpoint(timeout="60s"),
        f"{AT}.timeout must be at most interval 30s, got 60s; shorten it",
    ),
    (endpoint(timeout="30001ms"), f"{AT}.timeout must be at most interval 30s, got 30001ms; shorten it"),
    (endpoint(pth="/metrics"), f"{AT}.pth is not a known key; did you mean path"),
    (endpoint(proxyUrl="http://p"), f"{AT}.proxyUrl is not a known key; remove it or use one of: "),
    (
        endpoint(path="metrics"),
        f"{AT}.path must be a path that begins with a slash, without spaces, ? and #, got 'metrics'",
    ),
    (endpoint(scheme="ftp"), f"{AT}.scheme must be 'http' or 'https', got 'ftp'; {REMEDY}"),
    (endpoint(params={"a": "b"}), f"{AT}.params.a must be a valid array, got 'b'; {REMEDY}"),
    (
        spec(targetLabels={"metadata": ["pod"]}),
        (
            "spec.targetLabels.metadata[0] must be 'instance', 'revision', 'service' or 'configuration', "
            "got 'pod'; "
            f"{REMEDY}"
        ),
    ),
    (
        spec(limits={"samples": -1}),
        f"spec.limits.samples must be greater than or equal to 0, got -1; {REMEDY}",
    ),
    (spec(limits={"sample": 1}), "spec.limits.sample is not a known key; did you mean samples"),
    (
        rule(action="labelmap", regex="x"),
        (
            f"{RULE}.action must be one of replace, keep, drop, hashmod, labeldrop, labelkeep, got "
            "'labelmap'; correct it"
        ),
    ),
    (
        rule(action="keep", sourceLabels=["instanceId"]),
        (
            f"{RULE}.sourceLabels must not name instanceId, which comes after the rules, got instanceId; "
            "leave it out"
        ),
    ),
    *(
        (
            rule(targetLabel=label),
            f"{RULE}.targetLabel must be none of {PROTECTED}, got {label!r}; choose another label",
        )
        for label in PROTECTED.split(", ")
    ),
    (
        rule(action="hashmod", modulus=2, targetLabel="job"),
        f"{RULE}.targetLabel must be none of {PROTECTED}, got 'job'; choose another label",
    ),
    (
        rule(sourceLabels=["a"]),
        f"{RULE}.targetLabel must name the label that replace writes, got 'none'; correct it",
    ),
    (
        rule(targetLabel="a-b"),
        f"{RULE}.targetLabel must name the label that replace writes, got 'a-b'; correct it",
    ),
    (
        rule(action="hashmod", modulus=2, targetLabel="$1"),
        f"{RULE}.targetLabel must name the label that hashmod writes, got '$1'; correct it",
    ),
    (
        rule(action="hashmod", targetLabel="shard"),
        f"{RULE}.modulus must be given for hashmod, got none; add it",
    ),
    (
        rule(action="labeldrop", regex="j.b|pod"),
        f"{RULE}.regex must not match {PROTECTED} under labeldrop, got 'j.b|pod', which loses job; correct",
    ),
    (
        rule(action="labelkeep", regex="location|cluster|namespace|job|instance.*"),
        (
            f"{RULE}.regex must match {PROTECTED} under labelkeep, got "
            "'location|cluster|namespace|job|instance.*', which loses __address__; correct it"
        ),
    ),
    (
        rule(action="labeldrop", regex="pod", targetLabel="x"),
        f"{RULE}.action must be labeldrop with regex alone, got targetLabel beside it; leave that out",
    ),
    *(
        (
            rule(action="keep", regex=text),
            (
                f"{RULE}.regex must be a regular expression without look-around and back-references, got "
                f"{text!r}; correct it"
            ),
        )
        for text in ("(", "(?=a)", "(a)\\1")
    ),
    ("spec: {}", f" must be an object, got 'spec: {{}}'; {REMEDY}"),
]


@pytest.mark.parametrize(("config", "sentence"), REFUSED, ids=[sentence for _, sentence in REFUSED])
def test_fails_when_the_collector_would_end_on_its_configuration(config: Any, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(with_collector(config))
    dot = "" if sentence.startswith(" ") else "."
    assert str(caught.value).startswith(f"aiprod:release.collector.config{dot}{sentence}")


UNITS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}


@given(
    st.lists(st.integers(0, 500), min_size=5, max_size=5),
    st.lists(st.integers(0, 500), min_size=5, max_size=5),
)
def test_a_timeout_is_held_to_the_interval_in_whatever_units(interval: list[int], timeout: list[int]) -> None:
    def text(counts: list[int]) -> str:
        return "".join(f"{count}{unit}" for count, unit in zip(counts, UNITS, strict=True) if count)

    def size(counts: list[int]) -> int:
        return sum(count * unit for count, unit in zip(counts, UNITS.values(), strict=True))

    made = with_collector(endpoint(interval=text(interval), timeout=text(timeout)))
    if 0 < size(timeout) <= size(interval):
        assert parse(made).release is not None
    else:
        with pytest.raises(ConfigError, match=r"endpoints\[0\]\.(interval|timeout) must be"):
            parse(made)


def test_fails_when_a_collector_is_configured_and_none_runs() -> None:
    with pytest.raises(ConfigError, match=r"release\.collector must be left out while images names none"):
        parse(with_collector(MONITORING, image=False))
