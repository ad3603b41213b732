"""Services, pools and jobs are read alike, and so are metrics in alerts, objectives and boards."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.model import UNKNOWN, Resource
from review.contract.exposition import read_exposition
from review.contract.reading import metrics_read
from review.contract.workloads import KINDS, workloads
from tests.review.contract.image import exposition

DIGEST = "@sha256:" + "a" * 64
IMAGE = f"europe-docker.pkg.dev/p/aiprod/api{DIGEST}"


def _resource(type: str, props: dict[str, Any], name: str = "one") -> Resource:
    return Resource(urn=f"urn:pulumi:dev::aiprod::{type}::{name}", type=type, name=name, props=props)


def _run(kind: str, **container: Any) -> Resource:
    template: dict[str, Any] = {
        "containers": [{"name": "app", "image": IMAGE, **container}],
        "serviceAccount": "a@p",
    }
    inner = {"template": template, "taskCount": 1} if kind == "job" else template
    type = next(token for token, each in KINDS.items() if each == kind)
    return _resource(type, {"name": "one", "location": "europe-west1", "template": inner})


@pytest.mark.parametrize("kind", ["service", "worker_pool", "job"])
def test_every_kind_is_read(kind: str) -> None:
    envs: list[dict[str, Any]] = [
        {"name": "B", "value": "2"},
        {"name": "A", "value": "1"},
        {"name": "S", "valueSource": {"secretKeyRef": {"secret": "projects/p/secrets/key", "version": "3"}}},
        {"name": "L", "valueSource": {"secretKeyRef": {"secret": "other", "version": "latest"}}},
    ]
    made = _run(kind, envs=envs, commands=["alembic"], args=["upgrade", "head"])
    planned = _run(kind, envs=[{"name": "A", "value": UNKNOWN}, *envs[:1]])
    (found,) = workloads([made], {planned.urn: planned})
    assert (found.kind, found.name, found.region, found.image, found.account) == (
        kind,
        "one",
        "europe-west1",
        "api",
        "a@p",
    )
    assert [(one.name, one.value, one.known) for one in found.environment] == [
        ("A", "1", "deployed"),
        ("B", "2", "declared"),
    ]
    assert [(one.name, one.secret, one.version) for one in found.secrets] == [
        ("L", "other", "latest"),
        ("S", "key", "release"),
    ]
    assert (found.command, found.arguments) == (("alembic",), ("upgrade", "head"))


def test_version_of_a_secret_that_the_program_writes_is_the_platforms() -> None:
    reference = {"secretKeyRef": {"secret": "key", "version": "3"}}
    written = _resource("gcp:secretmanager/secretVersion:SecretVersion", {"secret": "projects/p/secrets/key"})
    (found,) = workloads([_run("service", envs=[{"name": "S", "valueSource": reference}]), written], {})
    assert found.secrets[0].version == "platform"


@pytest.mark.parametrize("image", ["europe-docker.pkg.dev/p/aiprod-functions/rotation", "scratch", UNKNOWN])
def test_what_has_no_digest_is_not_the_siblings(image: Any) -> None:
    assert workloads([_run("service", image=image)], {}) == ()


def test_a_sidecar_is_named_and_not_read() -> None:
    made = _run("service")
    made.props["template"]["containers"].append(
        {
            "name": "collector",
            "image": f"r/collector{DIGEST}",
            "dependsOns": ["app"],
            "envs": [{"name": "X", "value": "1"}],
        }
    )
    (found,) = workloads([made], {})
    assert (found.image, found.sidecars, found.environment) == ("api", ("collector",), ())


def _alert(query: str) -> Resource:
    condition = {"conditionPrometheusQueryLanguage": {"query": query}}
    return _resource("gcp:monitoring/alertPolicy:AlertPolicy", {"conditions": [condition]})


QUERIES = {
    "jobs_completed_total": ("jobs_completed_total",),
    "rate(jobs_completed_total[5m]) > 0": ("jobs_completed_total",),
    'sum by (tier, status) (rate(http_requests_total{status=~"5.."}[5m]))': ("http_requests_total",),
    "histogram_quantile(0.95, sum by (le) (rate(job_processing_duration_seconds_bucket[5m])))": (
        "job_processing_duration_seconds",
    ),
    "a_total / on (x) group_left (y) b_total offset 5m": ("a_total", "b_total"),
    "sum without (le) (c_sum) / sum(c_count)": ("c",),
    "a_total unless b_total or 0 * d_total > bool 1e3": ("a_total", "b_total", "d_total"),
    'run_googleapis_com:request_count{service_name="jobs_total"} > 5': (),
    "increase(logging_googleapis_com:user_container_crashes[5m]) > 0": (),
    "prometheus_googleapis_com:jobs_total:counter > 0": ("jobs_total",),
    "absent_over_time(up[1h])": ("up",),
}


@pytest.mark.parametrize("query", QUERIES)
def test_metrics_of_a_query(query: str) -> None:
    assert metrics_read([_alert(query)]) == QUERIES[query]


def test_metrics_of_boards_and_objectives() -> None:
    board = {
        "widgets": [
            {"xyChart": {"dataSets": [{"timeSeriesQuery": {"prometheusQuery": "rate(a_total[5m])"}}]}}
        ]
    }
    found = metrics_read(
        [
            _resource("gcp:monitoring/dashboard:Dashboard", {"dashboardJson": json.dumps(board)}),
            _resource(
                "gcp:monitoring/slo:Slo",
                {
                    "requestBasedSli": {
                        "goodTotalRatio": {"f": 'metric.type="prometheus.googleapis.com/b_total/counter"'}
                    }
                },
            ),
            _resource("gcp:pubsub/topic:Topic", {"name": "prometheus.googleapis.com/c_total/counter"}),
        ]
    )
    assert found == ("a_total", "b_total")


GOOD_LINES = {
    "a sample": "a 1",
    "labels": 'a{b="c",d="e"} 1.5',
    "a comma at the end": 'a{b="c",} 1',
    "a bracket in a label": 'a{b="}"} 1',
    "escapes": 'a{b="\\"\\\\\\n"} 1',
    "a time": "a 1 1700000000000",
    "infinity": "a +Inf",
    "no number": "a NaN",
    "an exponent": "a 1e-9",
    "an exemplar": 'a_bucket{le="1"} 1 # {trace_id="x"} 0.5',
    "a comment": "# anything at all",
    "the end": "# EOF",
}
BAD_LINES = {
    "no value": "a",
    "text": "a one",
    "a name with a dash": "a-b 1",
    "an open bracket": 'a{b="c" 1',
    "a label without quotes": "a{b=c} 1",
    "an unknown escape": 'a{b="\\x"} 1',
    "a label twice": 'a{b="1",b="2"} 1',
    "JSON": '{"a": 1}',
    "a page": "<html>",
    "an unknown type": "# TYPE a number",
    "a type without one": "# TYPE a",
    "a sample twice": "a 1\na 2",
    "a type twice": "# TYPE a gauge\n# TYPE a gauge",
}


@pytest.mark.parametrize("case", GOOD_LINES)
def test_exposition_reads(case: str) -> None:
    assert read_exposition(GOOD_LINES[case] + "\n").errors == ()


@pytest.mark.parametrize("case", BAD_LINES)
def test_exposition_refuses(case: str) -> None:
    assert len(read_exposition(BAD_LINES[case] + "\n").errors) == 1


@given(st.text() | st.text(alphabet='a_{}="\\,# 1\n'))
def test_exposition_never_fails(text: str) -> None:
    found = read_exposition(text)
    assert len(found.errors) <= text.count("\n") + 1


@pytest.mark.parametrize(
    "line", ["a{" + "b" * 200_000, 'a{b="' + "\\\\" * 100_000, "a{" + 'b="c",' * 30_000 + "} x"]
)
def test_endless_lines_are_read_in_time(line: str) -> None:
    began = time.monotonic()
    assert len(read_exposition(line).errors) == 1
    assert time.monotonic() - began < 5


def test_samples_belong_to_their_family() -> None:
    text = (
        '# TYPE a histogram\na_bucket{le="+Inf",x="1"} 1\na_sum 1\na_count 1\n'
        '# TYPE b counter\nb_total{y="1"} 1\nc 1\n'
    )
    found = read_exposition(text).families
    assert {name: (one.type, one.samples, one.labels) for name, one in found.items()} == {
        "a": ("histogram", 3, {"le", "x"}),
        "b": ("counter", 1, {"y"}),
    }


def test_exposition_of_the_good_image_has_no_error() -> None:
    found = read_exposition(exposition())
    assert found.errors == ()
    assert len(found.families) == 51
