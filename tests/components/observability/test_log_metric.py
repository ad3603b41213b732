"""Log-based counters."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.observability.log_metric import LogMetric, LogMetricArgs
from tests.recording import Build, Recorder


def example_args(**changes: Any) -> LogMetricArgs:
    return replace(
        LogMetricArgs(
            metric_name="crashes",
            description="Containers that crashed",
            filter='resource.type="cloud_run_revision" AND severity>=ERROR',
            extractors={"reason": 'REGEXP_EXTRACT(textPayload, "(exit)")'},
        ),
        **changes,
    )


def test_counter_has_an_extractor_for_each_label(build: Build, recorder: Recorder) -> None:
    build(lambda: LogMetric("crashes", example_args()))
    metric = recorder.one("logging/metric:Metric", "crashes").inputs
    assert metric["name"] == "crashes"
    assert metric["metricDescriptor"] == {
        "metricKind": "DELTA",
        "valueType": "INT64",
        "unit": "1",
        "labels": [{"key": "reason", "valueType": "STRING"}],
    }
    assert metric["labelExtractors"] == {"reason": 'REGEXP_EXTRACT(textPayload, "(exit)")'}
    assert "valueExtractor" not in metric


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"metric_name": "Crash-Count"}, "metric_name must be lower case"),
        ({"filter": "severity='ERROR'"}, "only double quotes"),
        ({"extractors": {"a": "textPayload"}}, r"extractors\.a must be EXTRACT"),
        ({"extractors": {f"l{i}": "EXTRACT(x)" for i in range(11)}}, "at most 10, got 11"),
    ],
)
def test_fails_when_google_would_refuse_the_metric(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        example_args(**change)
